package shadow

import (
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

// watchScript waits on a pipe whose other end only planvet holds. The line "bye"
// ends it; end of file means that planvet is dead, whatever killed it. Then:
//
//  1. The process group, which every process of the server joined before it was
//     executed, is held (twice, for what was forked meanwhile), and the shared
//     memory that its processes map is noted. The server itself has none, but
//     initdb's has until version 15, and does not remove it when it is killed.
//  2. SIGQUIT to the group: no process can be missed for lack of its pid. A
//     postmaster takes its children down with it.
//  3. After two seconds at most SIGKILL to the pids that were told.
//  4. The shared memory and the directory go, the latter again if something wrote
//     to it meanwhile.
//
// Where there is no /proc, step 1 finds nothing, and no shared memory that is a file.
//
// It is a shell script and not planvet itself, so that the watchdog works in
// whatever program the package is linked into, test binaries for one.
const watchScript = `
trap '' HUP INT QUIT TERM PIPE
dir=$1
pids=
while read -r word pid; do
	case $word in
	bye) exit 0 ;;
	pid) pids="$pids $pid" ;;
	esac
done
shm=
hold() {
	for f in /proc/[0-9]*/stat; do
		{ read -r stat <"$f"; } 2>/dev/null || continue
		p=${f#/proc/}
		p=${p%/stat}
		set -- ${stat##*) } # state, parent, group
		[ "$3" = $$ ] && [ "$p" != $$ ] && kill -STOP "$p" 2>/dev/null || continue
		while read -r line; do
			case $line in
			*/dev/shm/PostgreSQL.*[0-9]) shm="$shm /dev/shm/${line##*/dev/shm/}" ;;
			esac
		done 2>/dev/null <"/proc/$p/maps"
	done
}
hold
hold
kill -QUIT 0
kill -CONT 0
n=0
while [ $n -lt 20 ]; do
	alive=
	for p in $pids; do
		kill -0 "$p" 2>/dev/null || continue
		stat=
		{ read -r stat <"/proc/$p/stat"; } 2>/dev/null
		case ${stat##*) } in
		Z*) ;; # dead; a container's first process may never ask
		*) alive=1 ;;
		esac
	done
	[ -z "$alive" ] && [ ! -e "$dir/d/postmaster.pid" ] && break
	n=$((n + 1))
	sleep 0.1
done
for p in $pids; do kill -KILL "$p" 2>/dev/null; done
[ -e "$dir/d/postmaster.pid" ] && read -r p <"$dir/d/postmaster.pid" && kill -KILL "$p" 2>/dev/null
[ -n "$shm" ] && rm -f $shm
n=0
while [ -e "$dir" ] && [ $n -lt 20 ]; do
	rm -rf "$dir" 2>/dev/null
	n=$((n + 1))
	[ -e "$dir" ] && sleep 0.1
done
exit 0
`

// watchdog outlives planvet to clean up after it.
type watchdog struct {
	cmd  *exec.Cmd
	pipe io.WriteCloser
}

// startWatchdog starts one for a directory that need not exist yet. It leads a
// process group of its own: what kills planvet's group (timeout -s KILL, a shell's
// Ctrl-C) does not reach it.
func startWatchdog(dir string) (*watchdog, error) {
	cmd := exec.Command("/bin/sh", "-c", watchScript, "planvet-watchdog", dir)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the watchdog: %w", err)
	}
	return &watchdog{cmd: cmd, pipe: pipe}, nil
}

// start starts a process of the server in the watchdog's group.
func (w *watchdog) start(cmd *exec.Cmd, who account) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: w.cmd.Process.Pid, Credential: who.credential()}
	if err := cmd.Start(); err != nil {
		return who.explain(err)
	}
	fmt.Fprintf(w.pipe, "pid %d\n", cmd.Process.Pid)
	return nil
}

// dismiss ends the watchdog; the server is gone already.
func (w *watchdog) dismiss() {
	io.WriteString(w.pipe, "bye\n")
	w.pipe.Close()
	w.cmd.Wait()
}
