package shadow_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/casetest"
)

// fidelityDoc is the table of what TestPlansLikeTheOriginal found, a line a version
// with and without values; `make fidelity` writes it.
const fidelityDoc = "../../docs/fidelity.md"

const fidelityHead = `# How well an empty database plans like a full one

Five tables with 1.6 million skewed rows are filled, their statistics dumped (` + "`planvet stats dump`" + `, with ` + "`--values`" + `
and without), loaded into an empty database of the same schema (` + "`planvet stats load`" + `), and statements of every shape are
planned on both. Costs are within 2 %, or 35 % where a GIN or BRIN index is read, after allowing 0.25 units for each descent
of a B-tree. On disk and time are of the empty database: its schema, statistics, and files of production's lengths that are
sparse. Times are of a machine with two cores.

` + "`make fidelity`" + ` runs this on every supported version and writes the table; a test fails where it is stale, sizes and times
apart.

| PostgreSQL | file | statements | same shape | of those, cost within 2 % | on disk | loaded in |
| --- | --- | --- | --- | --- | --- | --- |
`

const fidelityTail = `
Not compared, because an empty database cannot know it: conditions beyond the ends of a histogram, where the planner looks
the column's last value up in the index; extended statistics (` + "`create statistics`" + `), which a file does not carry. Without
values, conditions with literals that are frequent in production are estimated at the average.
`

// outcome is a line of the table.
type outcome struct {
	major            int
	values           bool
	all, equal, near int
	bytes            int64
	took             time.Duration
}

// key is what a line is of, and substance what of it may not go stale.
func (o outcome) key() string {
	return fmt.Sprintf("| %d | %s values ", o.major, map[bool]string{true: "with", false: "without"}[o.values])
}

func (o outcome) substance() string {
	return fmt.Sprintf("%s| %d | %d | %d |", o.key(), o.all, o.equal, o.near)
}

// like reports whether a line says the same in substance: as many statements, and as
// good. ANALYZE reads another sample each time, so that a statement or two differ.
func (o outcome) like(line string) bool {
	var all, equal, near int
	if _, err := fmt.Sscanf(strings.TrimPrefix(line, o.key()), "| %d | %d | %d |", &all, &equal, &near); err != nil {
		return false
	}
	const shapes, costs = 2, 8
	off := func(a, b, most int) bool { return a-b > most || b-a > most }
	return all == o.all && !off(equal, o.equal, shapes) && !off(near, o.near, costs)
}

func (o outcome) line() string {
	return fmt.Sprintf("%s %.0f MB | %.1f s |", o.substance(), float64(o.bytes)/1e6, o.took.Seconds())
}

// check holds the line against the document, or writes it there.
func (o outcome) check(t *testing.T) {
	t.Helper()
	const mostBytes, mostTime = 60e6, 3 * time.Second
	if o.bytes > mostBytes {
		t.Errorf("the database takes %d bytes on disk, more than %.0f", o.bytes, mostBytes)
	}
	text, err := os.ReadFile(fidelityDoc)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.Split(string(text), "\n"), func(l string) bool { return !tableLine.MatchString(l) })
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, o.key()) })
	if !casetest.Update() {
		if at < 0 || !o.like(lines[at]) {
			t.Errorf("docs/fidelity.md is stale: it is now\n%s\nrun make fidelity", o.line())
		}
		return
	}
	if o.took > mostTime {
		t.Logf("loading took %v: on an idle machine it takes less than %v", o.took, mostTime)
	}
	if at >= 0 {
		lines = slices.Delete(lines, at, at+1)
	}
	lines = append(lines, o.line())
	slices.Sort(lines)
	if err := os.WriteFile(fidelityDoc, []byte(fidelityHead+strings.Join(lines, "\n")+"\n"+fidelityTail), 0o644); err != nil {
		t.Fatal(err)
	}
}

var tableLine = regexp.MustCompile(`^\| \d\d \| with`)

// onDisk is what a folder's files take, holes left out.
func onDisk(t *testing.T, dir string) int64 {
	t.Helper()
	total := int64(0)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		var st syscall.Stat_t
		if err := syscall.Lstat(path, &st); err != nil {
			return err
		}
		total += st.Blocks * 512
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}
