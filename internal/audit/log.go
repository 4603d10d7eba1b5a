package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Log appends events to a file. Several processes may append to one file.
type Log struct {
	path string
	base Event
}

// Open checks that a file can be appended to and that its last line is whole, and
// makes the file where it is not there. The fields of base stand for those that an
// event leaves empty.
func Open(path string, base Event) (*Log, error) {
	l := &Log{path: path, base: base}
	return l, l.locked(func(*os.File, string) error { return nil })
}

// Append writes events in order, under a lock: no other process's line comes
// between them.
func (l *Log) Append(events ...Event) error {
	return l.locked(func(f *os.File, previous string) error {
		var out bytes.Buffer
		for _, e := range events {
			line, err := json.Marshal(l.complete(e, previous))
			if err != nil {
				return fmt.Errorf("writing audit log %s: %w", l.path, err)
			}
			previous = Evidence(line)
			out.Write(append(line, '\n'))
		}
		if _, err := f.Write(out.Bytes()); err != nil {
			return fmt.Errorf("writing audit log %s: %w", l.path, err)
		}
		return nil
	})
}

func (l *Log) complete(e Event, previous string) Event {
	e.Version, e.Previous = Version, previous
	for _, field := range []struct{ own, base *string }{
		{&e.ID, &l.base.ID}, {&e.Actor, &l.base.Actor}, {&e.Commit, &l.base.Commit}, {&e.Command, &l.base.Command},
	} {
		if *field.own == "" {
			*field.own = *field.base
		}
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Time = e.Time.UTC()
	return e
}

// locked opens the file, locks it, reads the hash of its last line, and calls f
// with the file at its end.
func (l *Log) locked(f func(file *os.File, previous string) error) (err error) {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("opening the audit log: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := lock(file); err != nil {
		return fmt.Errorf("locking audit log %s: %w", l.path, err)
	}
	last, err := lastLine(file)
	if err != nil {
		return fmt.Errorf("reading audit log %s: %w", l.path, err)
	}
	if last == nil {
		return f(file, "")
	}
	if _, err := read(last); err != nil {
		return fmt.Errorf("audit log %s: its last line is no event (%w); move the file away, or repair it", l.path, err)
	}
	return f(file, Evidence(last))
}

// lastLine is a file's last line without its newline; nil for an empty file. One
// without a newline was cut off while it was written.
func lastLine(f *os.File) ([]byte, error) {
	st, err := f.Stat()
	if err != nil || st.Size() == 0 {
		return nil, err
	}
	for span := int64(4096); ; span *= 4 {
		from := max(st.Size()-span, 0)
		text := make([]byte, st.Size()-from)
		if _, err := f.ReadAt(text, from); err != nil && err != io.EOF {
			return nil, err
		}
		if text[len(text)-1] != '\n' {
			return text[bytes.LastIndexByte(text, '\n')+1:], nil
		}
		text = text[:len(text)-1]
		if i := bytes.LastIndexByte(text, '\n'); i >= 0 || from == 0 {
			return text[i+1:], nil
		}
	}
}

// read reads one line strictly: an unknown field may be somebody's addition.
func read(line []byte) (Event, error) {
	var e Event
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, err
	}
	if rest := bytes.TrimSpace(line[d.InputOffset():]); len(rest) > 0 {
		return e, errors.New("text after the object")
	}
	if e.Version != Version {
		return e, fmt.Errorf("version %d, this planvet knows %d", e.Version, Version)
	}
	return e, nil
}

// Summary is what a whole log holds.
type Summary struct {
	Events int
	// Head is the hash of the last line: who notes it can tell later that nothing was
	// cut off.
	Head string
}

// ErrBroken says that a log is not as it was written.
var ErrBroken = errors.New("the audit log was changed")

// Verify reads a log and checks the chain. The error is ErrBroken's kind and names
// the first line that does not fit.
func Verify(r io.Reader) (Summary, error) {
	var s Summary
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return s, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return s, err
		}
		whole := bytes.HasSuffix(line, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\n"))
		e, bad := read(line)
		switch n := s.Events + 1; {
		case bad != nil:
			return s, fmt.Errorf("%w: line %d is no event: %w", ErrBroken, n, bad)
		case e.Previous != s.Head && n == 1:
			return s, fmt.Errorf("%w: line 1 follows a line that is not there", ErrBroken)
		case e.Previous != s.Head:
			return s, fmt.Errorf("%w: line %d does not follow from line %d: one of them was changed, or a line between them is gone", ErrBroken, n, n-1)
		case !whole:
			return s, fmt.Errorf("%w: line %d is cut off", ErrBroken, n)
		}
		s.Events++
		s.Head = Evidence(line)
	}
}
