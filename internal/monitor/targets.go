package monitor

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/strictyaml"
)

// Named is a server of a fleet, with the poolers in front of it: URLs of PgBouncer's
// console and of Supavisor's metrics, and what the latter ask for.
type Named struct{ Name, URL, PgBouncer, Supavisor, Token string }

// targetKeys are what may stand behind a target's URL.
var targetKeys = []string{"pgbouncer", "supavisor", "supavisor-token"}

func (n *Named) field(key string) *string {
	switch key {
	case "pgbouncer":
		return &n.PgBouncer
	case "supavisor":
		return &n.Supavisor
	case "supavisor-token":
		return &n.Token
	}
	return nil
}

var (
	targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	variable   = regexp.MustCompile(`\$\{([^}]*)\}`)
)

// ParseTargets reads a list of servers: a name and a URL or key=value string a line,
// behind which pgbouncer=URL, supavisor=URL and supavisor-token=TOKEN may stand; # begins
// a comment at the start of a line. ${NAME} is what lookup has for NAME, as os.LookupEnv.
// Errors name path and line, and never hold a URL, which may have a password.
func ParseTargets(path string, in io.Reader, lookup func(string) (string, bool)) ([]Named, error) {
	var out []Named
	lines := map[string]int{}
	scan := bufio.NewScanner(in)
	n := 0
	for scan.Scan() {
		n++
		line := strings.TrimSpace(scan.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		bad := func(format string, args ...any) ([]Named, error) {
			return nil, fmt.Errorf("%s:%d: "+format, append([]any{path, n}, args...)...)
		}
		name, url, _ := strings.Cut(line, " ")
		if before, after, tab := strings.Cut(name, "\t"); tab {
			name, url = before, after+" "+url
		}
		one := Named{Name: name}
		var unknown string
		url, unknown = one.keys(strings.TrimSpace(url))
		switch {
		case !targetName.MatchString(name):
			// It may be a URL that has no name before it.
			return bad("a line is NAME URL, with a name of letters, digits, dots, dashes and underscores")
		case url == "":
			return bad("%s has no URL: a line is NAME URL", name)
		case lines[name] > 0:
			return bad("%s is the name of line %d too", name, lines[name])
		case unknown != "":
			return bad("unknown key %q of %s%s: behind the URL may stand %s=…", unknown, name, strictyaml.Hint(unknown, targetKeys), strings.Join(targetKeys, "=…, "))
		}
		var missing string
		filled := func(text string) string {
			return variable.ReplaceAllStringFunc(text, func(v string) string {
				value, ok := lookup(v[2 : len(v)-1])
				if !ok && missing == "" {
					missing = v
				}
				return value
			})
		}
		url = filled(url)
		for _, key := range targetKeys {
			to := one.field(key)
			*to = filled(*to)
		}
		if missing != "" {
			return bad("%s of %s is not in the environment", missing, name)
		}
		if _, err := pgx.ParseConfig(url); err != nil {
			return bad("the URL of %s cannot be read: write postgres://user@host:5432/database", name)
		}
		if one.PgBouncer != "" {
			if _, err := pgx.ParseConfig(one.PgBouncer); err != nil {
				return bad("pgbouncer of %s cannot be read: write pgbouncer=postgres://stats@host:6432/pgbouncer", name)
			}
		}
		if one.Token != "" && one.Supavisor == "" {
			return bad("supavisor-token of %s stands without supavisor=URL", name)
		}
		lines[name] = n
		one.URL = url
		out = append(out, one)
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return out, nil
}

// NameTargets names servers by host, port where it is not 5432, and database; equal
// names get a number. The error counts URLs from 1 and does not hold them.
func NameTargets(urls []string) ([]Named, error) {
	var out []Named
	seen := map[string]int{}
	for i, url := range urls {
		c, err := pgx.ParseConfig(url)
		if err != nil {
			return nil, fmt.Errorf("URL number %d cannot be read: write postgres://user@host:5432/database", i+1)
		}
		name := c.Host
		if c.Port != 5432 {
			name = net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
		}
		if strings.HasPrefix(c.Host, "/") {
			name = "local:" + strconv.Itoa(int(c.Port))
		}
		name += "/" + c.Database
		if seen[name]++; seen[name] > 1 {
			name += "#" + strconv.Itoa(seen[name])
		}
		out = append(out, Named{Name: name, URL: url})
	}
	return out, nil
}

// keys takes the known keys from behind a URL or key=value string, and returns what is
// left and the first key that is none: behind a URL each, in a key=value string, whose
// keys are the driver's, one that is nearly a known one.
func (n *Named) keys(text string) (rest, unknown string) {
	fields := strings.Fields(text)
	isURL := strings.Contains(strings.SplitN(text, "=", 2)[0], "://")
	kept := text
	for i, f := range fields {
		key, value, ok := strings.Cut(f, "=")
		if isURL && i == 0 {
			kept = f
			continue
		}
		to := n.field(key)
		switch {
		case ok && to != nil:
			*to = value
			if !isURL {
				kept = strings.TrimSpace(strings.Replace(" "+kept+" ", " "+f+" ", " ", 1))
			}
		case unknown == "" && (isURL || ok && strictyaml.Hint(key, targetKeys) != ""):
			unknown = key
		}
	}
	return kept, unknown
}
