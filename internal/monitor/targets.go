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
)

// Named is a server of a fleet.
type Named struct{ Name, URL string }

var (
	targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	variable   = regexp.MustCompile(`\$\{([^}]*)\}`)
)

// ParseTargets reads a list of servers: a name and a URL or key=value string a line,
// after blanks what the line has left; # begins a comment at the start of a line.
// ${NAME} in a URL is what lookup has for NAME, as os.LookupEnv. Errors name path and
// line, and never hold a URL, which may have a password.
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
		url = strings.TrimSpace(url)
		switch {
		case !targetName.MatchString(name):
			// It may be a URL that has no name before it.
			return bad("a line is NAME URL, with a name of letters, digits, dots, dashes and underscores")
		case url == "":
			return bad("%s has no URL: a line is NAME URL", name)
		case lines[name] > 0:
			return bad("%s is the name of line %d too", name, lines[name])
		}
		var missing string
		url = variable.ReplaceAllStringFunc(url, func(v string) string {
			value, ok := lookup(v[2 : len(v)-1])
			if !ok && missing == "" {
				missing = v
			}
			return value
		})
		if missing != "" {
			return bad("%s of %s is not in the environment", missing, name)
		}
		if _, err := pgx.ParseConfig(url); err != nil {
			return bad("the URL of %s cannot be read: write postgres://user@host:5432/database", name)
		}
		lines[name] = n
		out = append(out, Named{name, url})
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
		out = append(out, Named{name, url})
	}
	return out, nil
}
