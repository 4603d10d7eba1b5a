package selftest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// childWord is the first argument of a process that the examination starts: the program
// itself, as a service or as a noise. It ends when its standard input does, and so with
// the process that started it.
const childWord = "gate-selftest-child"

// order is what a child does, as JSON in its second argument.
type order struct {
	Service *service `json:"service,omitempty"`
	Noise   *noise   `json:"noise,omitempty"`
}

// IsChild says that the arguments of a program are those of a child.
func IsChild(args []string) bool { return len(args) == 2 && args[0] == childWord }

// Child is the main function of a child; programs that run an examination, test
// binaries too, call it first. It returns the exit code.
func Child(args []string) int {
	var o order
	if err := json.Unmarshal([]byte(args[1]), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	var err error
	switch {
	case o.Service != nil:
		err = o.Service.run(ctx, os.Stdout)
	case o.Noise != nil:
		err = o.Noise.run(ctx, os.Stdout)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// child is one that was started.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	said  string // its first line
}

// start starts a child and waits until it has said its first line.
func start(ctx context.Context, o order) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var errs strings.Builder
	c := &child{cmd: exec.CommandContext(ctx, self, childWord, string(text))}
	c.cmd.Stderr = &errs
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("a process of the examination ended before it was ready: %s", strings.TrimSpace(errs.String()))
	}
	c.said = strings.TrimSpace(line)
	return c, nil
}

// stop ends a child, by force where it does not end by itself.
func (c *child) stop() error {
	c.stdin.Close()
	kill := time.AfterFunc(5*time.Second, func() { c.cmd.Process.Kill() })
	defer kill.Stop()
	err := c.cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() < 0 {
		return nil // by a signal: the context, or ours
	}
	return err
}
