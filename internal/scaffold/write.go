package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Did says what became of a file.
type Did string

// What becomes of a file.
const (
	// Wrote is a new file, Renewed one that an earlier planvet made and nobody changed.
	Wrote, Renewed Did = "wrote", "renewed"
	// Kept is left as it is; Why says why.
	Kept Did = "kept"
	// Add is a file of a person's own that needs the file's Part.
	Add Did = "add to"
)

// Step is what became of one file.
type Step struct {
	File
	Did Did
	Why string
}

// Write puts files below a root, or says what it would do. A file that is there is left
// alone, unless it is sealed and nobody changed it; a link is left alone, wherever it
// leads. Folders are made. It stops at the first file that cannot be written and returns
// the steps before.
func Write(root string, files []File, dry bool) ([]Step, error) {
	var steps []Step
	for _, f := range files {
		s, err := step(root, f)
		if err == nil && !dry && (s.Did == Wrote || s.Did == Renewed) {
			err = put(filepath.Join(root, filepath.FromSlash(f.Path)), f.Text)
		}
		if err != nil {
			return steps, fmt.Errorf("writing %s: %w", f.Path, err)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func step(root string, f File) (Step, error) {
	file := filepath.Join(root, filepath.FromSlash(f.Path))
	st, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.Has:
		return Step{f, Kept, "planvet runs there already"}, nil
	case errors.Is(err, fs.ErrNotExist):
		return Step{f, Wrote, f.What}, nil
	case err != nil:
		return Step{}, reason(err)
	case !st.Mode().IsRegular():
		return Step{f, Kept, "it is no plain file"}, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return Step{}, reason(err)
	}
	is := strings.ReplaceAll(string(text), "\r\n", "\n")
	switch {
	case is == f.Text:
		return Step{f, Kept, "it is as planvet makes it"}, nil
	case f.Sealed && intact(is):
		return Step{f, Renewed, "nobody changed what an earlier planvet made"}, nil
	case f.Part != "" && f.Has:
		return Step{f, Kept, "planvet runs there already"}, nil
	case f.Part != "":
		return Step{f, Add, "it is yours: what to add is below"}, nil
	}
	return Step{f, Kept, "it is there already"}, nil
}

// put writes a file whole or not at all.
func put(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return reason(err)
	}
	next := file + ".planvet-new"
	if err := os.WriteFile(next, []byte(text), 0o666); err != nil {
		return reason(err)
	}
	if err := os.Rename(next, file); err != nil {
		return errors.Join(reason(err), os.Remove(next))
	}
	return nil
}

// reason is an error without the path, which the caller names as the user knows it.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
