// Command golangci-planvet is golangci-lint with planvet in it: the program that
// golangci-lint custom makes of .custom-gcl.yml, so that tests can run it.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"

	_ "github.com/planvet/planvet/gclplugin"
)

func main() {
	info := commands.BuildInfo{Version: version(), GoVersion: runtime.Version(), Commit: "?", Date: "?"}
	if err := commands.Execute(info); err != nil {
		fmt.Fprintf(os.Stderr, "The command is terminated due to an error: %v\n", err)
		os.Exit(exitcodes.Failure)
	}
}

// version is golangci-lint's, without its v.
func version() string {
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, m := range b.Deps {
			if m.Path == "github.com/golangci/golangci-lint/v2" {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return "unknown"
}
