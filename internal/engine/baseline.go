package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/planvet/planvet/internal/suppress"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/rules/all"
)

// BaselineFile is the name of the baseline of findings beside planvet.yaml.
const BaselineFile = ".planvet-baseline.json"

// Baseline reads the baseline of findings: a file that the user names, else the one at
// the project's root. It is nil where that is not there.
func (p *Project) Baseline(file string) (*suppress.Baseline, error) {
	var text []byte
	var err error
	name := file
	if file == "" {
		name = BaselineFile
		text, err = fs.ReadFile(p.fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, usagef("reading the baseline %s: %w; `planvet baseline write` makes one", name, err)
	}
	b, err := suppress.ReadBaseline(name, text)
	if err != nil {
		return nil, &Error{Usage, err}
	}
	return b, nil
}

// ApplyBaseline takes the findings that a baseline covers out of those of Check.
func (p *Project) ApplyBaseline(b *suppress.Baseline, found []rules.Finding) suppress.Applied {
	return b.Apply(found, p.Judged, func(file string) bool {
		_, err := fs.Stat(p.fsys, filepath.ToSlash(file))
		return err == nil
	})
}

// Judged reports whether this run would have found an entry's finding: its rule ran, its
// place is reported, and what is in its place was read.
func (p *Project) Judged(e suppress.Entry) bool {
	if all.Lookup(e.Rule) != nil && !p.enabled(e.Rule) || !p.shows(e.Path) {
		return false
	}
	if e.Path == rules.WorkloadPath {
		return p.Ran != nil
	}
	return !strings.HasSuffix(e.Path, ".go") || !p.LostGo()
}

// LostGo reports whether Go packages of the project could not be loaded at all.
func (p *Project) LostGo() bool {
	return p.opts.NoGo || p.gopkgs == nil || len(p.gopkgs.problems) > 0
}
