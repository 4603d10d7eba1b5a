package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules/all"
)

// answers is what complete says of a command line, with ":files" where a file may stand.
func answers(line string) []string {
	found := complete(newApp(io.Discard, io.Discard, new(report.ExitCode)), strings.Split(line, " "))
	var out []string
	for _, v := range found.values {
		out = append(out, v.text)
	}
	if found.files {
		out = append(out, ":files")
	}
	return out
}

func TestComplete(t *testing.T) {
	for line, want := range map[string]string{
		"mem":                            "memory",
		"rules sh":                       "show",
		"rules show rls-l":               "rls-leakproof",
		"check --conf":                   "--config --confirm",
		"check x --conf":                 "--config --confirm",
		"check --confirm ":               "shadow live",
		"check --confirm=s":              "shadow",
		"check --fail-on ":               "error warning info never",
		"check --format sa":              "sarif",
		"check --format json ":           ":files",
		"check --output sari":            "sarif= sarif :files",
		"check -o sari":                  "sarif= sarif :files",
		"check --config ":                ":files",
		"check --rules nplus":            "nplusone",
		"check --rules nplusone,rls-lea": "nplusone,rls-leakproof",
		"check --rules=loops,loo":        "", // it stands there already
		"check --strict ":                ":files",
		"check -- --conf":                ":files",
		"check --role ":                  "",
		"check --no-such-flag=":          "",
		"schema --format ":               "text json",
		"rules --format=":                "text json",
		"explain --format ":              "text json markdown html",
		"dashboard --format ":            "html json prometheus",
		"init --without hooks,c":         "hooks,config hooks,ci hooks,check",
		"init --with le":                 "lefthook",
		"completion ":                    "bash zsh fish powershell",
		"memory search --outcome s":      "success",
		"vet -tags ":                     ":files",
		"nosuch ":                        "",
		"__comp":                         "",
	} {
		if got := strings.Join(answers(line), " "); got != want {
			t.Errorf("planvet %s: %q, want %q", line, got, want)
		}
	}
	// Every command, every flag and every rule is offered somewhere.
	app := newApp(io.Discard, io.Discard, new(report.ExitCode))
	every(app.Commands, nil, func(path []string, c *cli.Command) {
		before := strings.Join(path[:len(path)-1], " ")
		if !slices.Contains(answers(strings.TrimLeft(before+" "+c.Name, " ")), c.Name) {
			t.Errorf("%v is not offered", path)
		}
		for _, f := range c.VisibleFlags() {
			if name := "--" + f.Names()[0]; name != "--help" && !c.SkipFlagParsing && !slices.Contains(answers(strings.Join(path, " ")+" "+name), name) {
				t.Errorf("%v: %s is not offered", path, name)
			}
		}
	})
	if got := answers("check --rules "); len(got) != len(all.All())+len(all.GroupNames()) {
		t.Errorf("rules and groups: %v", got)
	}
}

func every(cs []*cli.Command, path []string, do func(path []string, c *cli.Command)) {
	for _, c := range cs {
		if !c.Hidden {
			at := append(slices.Clone(path), c.Name)
			do(at, c)
			every(c.Subcommands, at, do)
		}
	}
}

var allowedWords = regexp.MustCompile(`: use ([a-z-]+(?:(?:, | or )[a-z-]+)*)`)

// What is offered as a flag's value is what the command says when it refuses another.
func TestCompleteOffersWhatIsAllowed(t *testing.T) {
	held := 0
	app := newApp(io.Discard, io.Discard, new(report.ExitCode))
	t.Chdir(t.TempDir())
	every(app.Commands, nil, func(path []string, c *cli.Command) {
		for _, f := range c.Flags {
			name := f.Names()[0]
			offered := answers(strings.Join(path, " ") + " --" + name + "=")
			if choosesOne[name] && len(offered) < 2 {
				t.Errorf("%v --%s: offers %v", path, name, offered)
			}
			if !choosesOne[name] {
				continue
			}
			_, _, errs := planvetRun(t, append(slices.Clone(path), "--"+name+"=no-such-word")...)
			m := allowedWords.FindStringSubmatch(errs)
			if m == nil || !strings.Contains(errs, "no-such-word") {
				continue // it asks for something else first
			}
			held++
			allowed := strings.Split(strings.Replace(m[1], " or ", ", ", 1), ", ")
			slices.Sort(allowed)
			slices.Sort(offered)
			if !slices.Equal(allowed, offered) {
				t.Errorf("%v --%s: offers %v, allowed are %v", path, name, offered, allowed)
			}
		}
	})
	if held < 15 {
		t.Errorf("%d flags were held against what they take", held)
	}
}

// shell runs lines in a shell that finds planvet, the test binary, on its PATH.
func shell(t *testing.T, name string, args ...string) string {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s here", name)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := "#!/bin/sh\nPLANVET_TEST_MAIN=1 exec '" + self + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "planvet"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = t.TempDir()
	casetest.WriteFiles(t, cmd.Dir, map[string]string{"some file.yaml": "", "some.yaml": ""})
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+cmd.Dir, "TERM=dumb", "LC_ALL=C")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("%s: %v\n%s%s", name, err, out.Bytes(), errs.Bytes())
	}
	return out.String()
}

func TestBashCompletes(t *testing.T) {
	for _, c := range []struct{ words, want string }{
		{"planvet inves", "investigate"},
		{"planvet check --fail-o", "--fail-on"},
		{"planvet check --format = sar", "sarif"},
		{"planvet check --confirm =", "shadow live"},
		{"planvet check --rules nplusone,rls-init", "nplusone,rls-initplan"},
		{"planvet check --config some", "some file.yaml some.yaml"},
		{"planvet check --config = some.", "some.yaml"},
	} {
		got := shell(t, "bash", "--norc", "-c", `
			source <(planvet completion bash)
			complete -p planvet >/dev/null || exit 1
			COMP_WORDS=(`+c.words+`)
			COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
			_planvet 2>/dev/null
			printf '%s\n' "${COMPREPLY[@]}"`)
		lines := strings.Split(strings.TrimSpace(got), "\n")
		slices.Sort(lines)
		want := strings.Split(c.want, " ")
		if strings.Contains(c.want, "file.yaml") {
			want = []string{"some file.yaml", "some.yaml"}
		}
		slices.Sort(want)
		if !slices.Equal(lines, want) {
			t.Errorf("bash, %s: %q, want %q", c.words, lines, want)
		}
	}
}

func TestFishCompletes(t *testing.T) {
	for line, want := range map[string]string{
		"planvet inves":               "investigate\t",
		"planvet check --fail-o":      "--fail-on\tlowest severity",
		"planvet check --format=sar":  "--format=sarif",
		"planvet check --rules nplus": "nplusone\t",
		"planvet check --config some": "some.yaml",
		"planvet check --config=some": "--config=some.yaml",
		"planvet rules show rls-leak": "rls-leakproof\t",
	} {
		got := shell(t, "fish", "--no-config", "-c", "planvet completion fish | source; complete -C '"+line+"'")
		if !strings.Contains("\n"+got, "\n"+want) {
			t.Errorf("fish, %s: %q, want %q", line, got, want)
		}
	}
}

// zsh completes on a terminal only: its own module zpty gives it one.
func TestZshCompletes(t *testing.T) {
	for line, want := range map[string]string{
		"planvet inves":                "planvet investigate ",
		"planvet check --fail-o":       "planvet check --fail-on ",
		"planvet check --format=sar":   "planvet check --format=sarif ",
		"planvet check --rules nplus":  "planvet check --rules nplusone ",
		"planvet check --config some.": "planvet check --config some.yaml ",
		"planvet check --config=some.": "planvet check --config=some.yaml ",
		"planvet rules show rls-leak":  "planvet rules show rls-leakproof ",
	} {
		got := shell(t, "zsh", "-f", "-c", `
			zmodload zsh/zpty
			zpty -b inner zsh -f -i
			zpty -w inner 'PS1=; autoload -Uz compinit && compinit -u -D; source <(planvet completion zsh); show() { print -r -- "[$BUFFER]" > result }; zle -N show; bindkey "^T" show; print ready > ready'
			for i in {1..100}; do [[ -s ready ]] && break; sleep 0.1; done
			zpty -w -n inner '`+line+`'$'\t'
			for i in {1..100}; do
				zpty -w -n inner $'\x14'
				sleep 0.1
				[[ -s result && "$(<result)" != '[`+line+`]' ]] && break
			done
			cat result
			zpty -d inner`)
		if got := strings.Trim(strings.TrimSpace(got), "[]"); got != want {
			t.Errorf("zsh, %s: %q, want %q", line, got, want)
		}
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, name := range shellNames() {
		if code, out, _ := planvetRun(t, "completion", name); code != 0 || !strings.Contains(out, "__complete "+name) {
			t.Errorf("completion %s: exit %d\n%s", name, code, out)
		}
	}
	// PowerShell gives the last word with a mark, as an empty one would be lost.
	for args, want := range map[string]string{"rules =sh": "show", "check --confirm =": "shadow", "check =--confirm=s": "--confirm=shadow"} {
		_, out, _ := planvetRun(t, append([]string{"__complete", "powershell"}, strings.Split(args, " ")...)...)
		if !strings.HasPrefix(out, want+"\t") {
			t.Errorf("powershell, %s: %q", args, out)
		}
	}
	for _, args := range [][]string{{"completion"}, {"completion", "bsh"}, {"completion", "bash", "zsh"}, {"__complete", "bash"}} {
		if code, _, errs := planvetRun(t, args...); code != int(report.ExitUsage) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit %d, %q", args, code, errs)
		}
	}
}

// The manual is made of the commands, each time: nothing of it can be stale.
func TestManPage(t *testing.T) {
	code, page, _ := planvetRun(t, "man")
	if code != 0 {
		t.Fatalf("exit %d", code)
	}
	app := newApp(io.Discard, io.Discard, new(report.ExitCode))
	every(app.Commands, nil, func(path []string, c *cli.Command) {
		for _, f := range c.VisibleFlags() {
			if term, _ := flagWords(f); !slices.Contains(f.Names(), "help") && !strings.Contains(page, `\fB`+roff(term)+`\fR`) {
				t.Errorf("%v: %s is not in the manual", path, term)
			}
		}
		if !strings.Contains(page, ".SS \"planvet "+roff(strings.Join(path, " "))) {
			t.Errorf("%v is not in the manual", path)
		}
	})
	if strings.Contains(page, "__complete") {
		t.Error("a hidden command is in the manual")
	}
	if mandoc, err := exec.LookPath("mandoc"); err == nil {
		// It exits with what it complains of: of a page without a date, on purpose.
		lint := exec.Command(mandoc, "-T", "lint", "-W", "warning")
		lint.Stdin = strings.NewReader(page)
		out, _ := lint.CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if !strings.Contains(line, "missing date") {
				t.Errorf("mandoc: %s", line)
			}
		}
	}
}
