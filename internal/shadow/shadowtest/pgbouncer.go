package shadowtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PgBouncer starts a real one in front of a database and returns the URLs of the
// database through it and of its console. Without the program the test is skipped, or
// as root on Debian it is installed.
func PgBouncer(t testing.TB, database *pgx.Conn, poolSize int) (through, console string) {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil && os.Geteuid() == 0 {
		exec.Command("apt-get", "install", "-y", "pgbouncer").Run()
		program, err = exec.LookPath("pgbouncer")
	}
	if err != nil {
		t.Skip("this test needs PgBouncer")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	dir, err := os.MkdirTemp("", "planvet-bouncer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	cfg := database.Config()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("users", `"app" "app"`+"\n")
	write("ini", fmt.Sprintf(`[databases]
app = host=%s port=5432 dbname=%s user=postgres pool_size=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s/users
admin_users = app
pool_mode = transaction
ignore_startup_parameters = extra_float_digits
`, cfg.Host, cfg.Database, poolSize, port, dir))
	args := []string{program, filepath.Join(dir, "ini")}
	if os.Geteuid() == 0 { // it refuses to run as root, and reads the socket that the server's user owns
		args = append([]string{"setpriv", "--reuid=" + owner(t, cfg.Host), "--clear-groups"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	url := func(name string) string {
		return fmt.Sprintf("postgres://app@127.0.0.1:%d/%s?sslmode=disable", port, name)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("PgBouncer does not answer: %s", log.String())
		}
	}
	return url("app"), url("pgbouncer")
}

// owner is the user id that a file belongs to.
func owner(t testing.TB, path string) string {
	t.Helper()
	out, err := exec.Command("stat", "-c", "%u", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
