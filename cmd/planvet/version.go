package main

import "runtime/debug"

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
