package shadow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// clusterConf keeps Debian's package from making, and starting, a server of its
// own when it is installed.
const clusterConf = "/etc/postgresql-common/createcluster.d/planvet.conf"

// fetchAPT installs Debian's own PostgreSQL; only root can.
func fetchAPT(ctx context.Context, o Options) (binaries, error) {
	if os.Geteuid() != 0 {
		return binaries{}, errors.New("installing postgresql: only root may")
	}
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		return binaries{}, errors.New("installing postgresql: this is not a Debian")
	}
	o.say("installing the package postgresql (apt-get, as root)")
	if err := os.MkdirAll(filepath.Dir(clusterConf), 0o755); err != nil {
		return binaries{}, err
	}
	if err := os.WriteFile(clusterConf, []byte("create_main_cluster = false\n"), 0o644); err != nil {
		return binaries{}, err
	}
	defer os.Remove(clusterConf)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	name := "postgresql"
	if o.Major != 0 {
		name = fmt.Sprintf("postgresql-%d", o.Major)
	}
	for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", name}} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			return binaries{}, fmt.Errorf("apt-get %s: %w: %s", args[0], err, lastLine(out.String()))
		}
	}
	for _, b := range installed(ctx) {
		if o.Major == 0 || b.major == o.Major {
			return b, nil
		}
	}
	return binaries{}, fmt.Errorf("apt-get installed %s, but no server came with it", name)
}
