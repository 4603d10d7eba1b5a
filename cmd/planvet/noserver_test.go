package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// Where no server can be started the report is written all the same, the reason is one
// line, and the exit code says that something could not be finished.
func TestNoServer(t *testing.T) {
	shadowtest.Server(t)
	if os.Geteuid() != 0 {
		t.Skip("takes rights and folders away, which only root can")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := project(t, map[string]string{
		"migrations/1_visits.sql": "create table visits (id bigint primary key, guest bigint not null);\n",
		"queries.sql":             "-- name: VisitsOf :many\nselect id from visits where guest = $1;\n",
	})
	for name, c := range map[string]struct {
		tool []string
		want string
	}{
		"root may not become another user": {[]string{"setpriv", "--bounding-set=-setuid,-setgid", self}, "root may not become user"},
		"no binaries and no network":       {[]string{"unshare", "-mn", "sh", "-c", `for d in /usr/lib/postgresql /usr/pgsql-*; do [ ! -d $d ] || mount -t tmpfs tmpfs $d || exit 77; done; PATH=/nowhere exec "$0" "$@"`, self}, "no PostgreSQL to start"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(c.tool[0]); err != nil {
				t.Skip(err)
			}
			cmd := exec.CommandContext(t.Context(), c.tool[0], append(c.tool[1:], "check", dir, "--confirm", "shadow")...)
			cmd.Env = append(os.Environ(), "PLANVET_TEST_MAIN=1", "PLANVET_PG_BIN=", "XDG_CACHE_HOME="+t.TempDir())
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			var ended *exec.ExitError
			if err := cmd.Run(); !errors.As(err, &ended) {
				t.Fatalf("%v: %s", err, errs.String())
			}
			if ended.ExitCode() == 77 || strings.Contains(errs.String(), c.tool[0]+": ") {
				t.Skip(errs.String())
			}
			last := strings.TrimSpace(errs.String())
			if ended.ExitCode() != 3 || strings.Contains(last, "\n") || !strings.HasPrefix(last, "planvet: starting a throwaway PostgreSQL: ") || !strings.Contains(last, c.want) {
				t.Errorf("exit code %d: %s", ended.ExitCode(), errs.String())
			}
			if !strings.Contains(out.String(), "unindexed-where") || !strings.Contains(out.String(), "not-run: ") {
				t.Errorf("the report is not all there:\n%s", out.String())
			}
		})
	}
}
