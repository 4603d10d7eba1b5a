package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/pgast"
)

// release is set by the release build: -ldflags "-X main.release=1.2.3".
var release string

// version is the release, else the module's version, else devel.
func version() string {
	if release != "" {
		return release
	}
	if bi, ok := debug.ReadBuildInfo(); ok && bi.Main.Version != "" && bi.Main.Version != "(devel)" {
		return bi.Main.Version
	}
	return "devel"
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version, and whose grammar SQL is read by",
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usage(fmt.Errorf("planvet version takes no arguments"))
			}
			_, err := fmt.Fprintf(c.App.Writer, "planvet %s\n%s\n%s %s/%s\n",
				version(), pgast.Grammar(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
