package report

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/planvet/planvet/rules"
)

// writtenBy is what a format makes of a document, and what it says it left out.
func writtenBy(t *testing.T, name string, d *Document, o *WriteOptions) (out, left string) {
	t.Helper()
	var b bytes.Buffer
	left, err := FormatNamed(name).Write(&b, d, o)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b.String(), left
}

// standingIn counts a document's findings by severity.
func standingIn(d *Document) map[rules.Severity]int {
	n := map[rules.Severity]int{}
	for _, f := range standing(d) {
		n[f.Severity]++
	}
	return n
}

func TestCommandLimits(t *testing.T) {
	for _, n := range []int{1, 70, 10_000} {
		d := many(n)
		out, left := writtenBy(t, "github", d, nil)
		kinds := map[string]int{}
		for line := range strings.Lines(out) {
			kind, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), " ")
			kinds[kind]++
		}
		of := standingIn(d)
		if kinds["error"] != min(10, of[rules.Error]) || kinds["warning"] != min(10, of[rules.Warning]) || kinds["notice"] > 10 {
			t.Errorf("of %d findings, %v: %v", n, of, kinds)
		}
		said := strings.Contains(out, "::notice title=planvet::annotated "+left+"\n") && left != ""
		if cut := n > 50; said != cut {
			t.Errorf("of %d findings: the cut is said: %v: %q", n, said, left)
		}
	}
}

// What a limit keeps is never better than what it leaves out.
func TestWorstFirst(t *testing.T) {
	d := many(500)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(d.Findings), func(i, j int) { d.Findings[i], d.Findings[j] = d.Findings[j], d.Findings[i] })
	fs := worstFirst(standing(d))
	for i := 1; i < len(fs); i++ {
		a, b := fs[i-1], fs[i]
		if a.Certainty == rules.Possible && b.Certainty != rules.Possible ||
			a.Certainty == b.Certainty && a.Severity.Rank() < b.Severity.Rank() {
			t.Fatalf("%s %s stands before %s %s", a.Certainty, a.Severity, b.Certainty, b.Severity)
		}
	}
	if fs[0].Severity != rules.Error || fs[0].Verdict.Status != rules.Confirmed {
		t.Errorf("the first is %s, %s", fs[0].Severity, fs[0].Verdict.Status)
	}
}

func TestMarkdownLimits(t *testing.T) {
	huge := many(100)
	for i := range huge.Findings {
		huge.Findings[i].Fix = &rules.Fix{SQL: []string{strings.Repeat("select 1; -- é\n", 10_000)}}
	}
	monster := many(3)
	monster.Findings[0].Message = strings.Repeat("x", 2<<20)
	for name, d := range map[string]*Document{"many": many(10_000), "huge": huge, "monster": monster} {
		for format, c := range map[string]struct{ limit, taken int }{
			"markdown": {65_536, 0}, "github-summary": {1 << 20, 0}, "github-summary ": {1 << 20, 900_000}, "github-summary  ": {1 << 20, 2 << 20},
		} {
			out, left := writtenBy(t, strings.TrimSpace(format), d, &WriteOptions{Taken: int64(c.taken)})
			if format == "markdown" && utf8.RuneCountInString(out) > c.limit || c.taken <= c.limit && len(out)+c.taken > c.limit {
				t.Errorf("%s in %s: %d bytes after %d", name, format, len(out), c.taken)
			}
			if c.taken > c.limit && out != "" {
				t.Errorf("%s in %s: %d bytes where there is no room", name, format, len(out))
			}
			items := strings.Count(out, "\n- **")
			all := len(standing(d))
			if (items < all) != (left != "") || out != "" && items < all && !strings.Contains(out, left) {
				t.Errorf("%s in %s: %d of %d findings, and %q is said", name, format, items, all, left)
			}
			if c.taken == 0 && items == 0 {
				t.Errorf("%s in %s lists nothing", name, format)
			}
		}
	}
}

func TestSARIFLimits(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	incompressible := many(260)
	for i := range incompressible.Findings {
		b := make([]byte, 60_000)
		for j := range b {
			b[j] = byte('0' + random.IntN(75))
		}
		incompressible.Findings[i].Message = string(b)
	}
	for _, c := range []struct {
		name string
		d    *Document
		cut  bool
	}{{"10000", many(10_000), false}, {"31000", many(31_000), true}, {"incompressible", incompressible, true}} {
		t.Run(c.name, func(t *testing.T) {
			out, left := writtenBy(t, "sarif", c.d, nil)
			var log sarifLog
			if err := json.Unmarshal([]byte(out), &log); err != nil {
				t.Fatal(err)
			}
			results, all := len(log.Runs[0].Results), len(standing(c.d))
			if results > sarifResults || (results < all) != c.cut || results == 0 || left == "" {
				t.Errorf("%d results of %d, and %q is said", results, all, left)
			}
			if first := log.Runs[0].Invocations[0].Notifications[0].Message.Text; c.cut && !strings.Contains(first, left) {
				t.Errorf("the file says %q of what was cut, want %q", first, left)
			}
			var n counter
			z := gzip.NewWriter(&n)
			io.WriteString(z, out)
			z.Close()
			if n > sarifCompressed {
				t.Errorf("%d bytes compressed", n)
			}
			if c.name == "incompressible" && n < sarifCompressed/2 {
				t.Errorf("%d bytes of %d are used", n, sarifCompressed)
			}
			if n := len(log.Runs[0].Invocations[0].Notifications); n > sarifNotes+1 {
				t.Errorf("%d notifications", n)
			}
		})
	}
}

func TestSARIFRelatedLimit(t *testing.T) {
	d := many(1)
	for i := range 500 {
		d.Findings[0].Related = append(d.Findings[0].Related, rules.Related{Location: rules.Location{Path: "a.sql", Line: i + 1}})
	}
	out, _ := writtenBy(t, "sarif", d, nil)
	var log sarifLog
	if err := json.Unmarshal([]byte(out), &log); err != nil {
		t.Fatal(err)
	}
	if n := len(log.Runs[0].Results[0].Related); n != sarifRelated {
		t.Errorf("%d related places", n)
	}
}

func TestJUnitLimits(t *testing.T) {
	large := many(1000)
	for i := range large.Findings {
		large.Findings[i].Fix = &rules.Fix{Note: strings.Repeat("<&>\x01é", 20_000)}
	}
	for _, c := range []struct {
		d   *Document
		cut bool
	}{{many(10_000), false}, {large, true}} {
		out, left := writtenBy(t, "junit", c.d, nil)
		if len(out) > 30_000_000 || (left != "") != c.cut {
			t.Errorf("%d bytes, and %q is said", len(out), left)
		}
		var r JUnitReport
		if err := xml.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		if c.cut && (r.Tests >= len(c.d.Findings) || r.Failures == 0 || !strings.Contains(out, left)) || !c.cut && r.Tests != len(c.d.Findings) {
			t.Errorf("%d cases, %d failures of %d findings", r.Tests, r.Failures, len(c.d.Findings))
		}
		names := map[string]bool{}
		for _, s := range r.Suites {
			for _, k := range s.Cases {
				key := fmt.Sprint(s.Name, "\x00", k.Class, "\x00", k.Name)
				if names[key] {
					t.Fatalf("two cases are named %q", key)
				}
				names[key] = true
			}
		}
	}
}

// GitLab shows entries of one fingerprint once.
func TestCodeQualityFingerprints(t *testing.T) {
	d := many(10_000)
	out, _ := writtenBy(t, "gitlab", d, nil)
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(`"fingerprint": "([^"]+)"`).FindAllStringSubmatch(out, -1) {
		ids[m[1]] = true
	}
	if len(ids) != len(standing(d)) {
		t.Errorf("%d fingerprints of %d findings", len(ids), len(standing(d)))
	}
}
