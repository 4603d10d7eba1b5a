// Command gen writes the tables of catalog/builtin from running servers:
//
//	go run ./catalog/builtin/gen -out catalog/builtin/data 13=postgres://… 14=postgres://… …
//
// It reads with psql (its path by -psql), needs the contrib extensions to be
// installable, and creates them in a transaction that it rolls back. base.txt
// holds the oldest version; each later version has a file of the lines that it
// takes away (-) and adds (+).
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	out := flag.String("out", "catalog/builtin/data", "the `folder` to write to")
	psql := flag.String("psql", "psql", "the `path` of psql")
	flag.Parse()
	if err := run(*psql, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(psql, out string, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("name the servers: 13=DSN 14=DSN …")
	}
	var before []string
	last := 0
	for _, a := range args {
		v, dsn, _ := strings.Cut(a, "=")
		major, err := strconv.Atoi(v)
		if err != nil || dsn == "" || major <= last {
			return fmt.Errorf("%q is not MAJOR=DSN, in rising order", a)
		}
		rows, err := read(psql, dsn, major)
		if err != nil {
			return fmt.Errorf("reading PostgreSQL %d: %w", major, err)
		}
		name, lines := "base.txt", rows
		if last > 0 {
			name, lines = v+".txt", difference(before, rows)
		}
		text := strings.Join(lines, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o644); err != nil {
			return err
		}
		before, last = rows, major
	}
	return nil
}

// difference lists what after lacks and what it adds, sorted.
func difference(before, after []string) []string {
	var out []string
	for _, l := range before {
		if _, found := slices.BinarySearch(after, l); !found {
			out = append(out, "-"+l)
		}
	}
	for _, l := range after {
		if _, found := slices.BinarySearch(before, l); !found {
			out = append(out, "+"+l)
		}
	}
	return out
}

func read(psql, dsn string, major int) ([]string, error) {
	cmd := exec.Command(psql, "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-f", "-")
	cmd.Stdin = strings.NewReader(queries)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if v := lines[0]; v != strconv.Itoa(major) {
		return nil, fmt.Errorf("the server says that it is %s", v)
	}
	rows := lines[1:]
	slices.Sort(rows)
	return slices.Compact(rows), nil
}
