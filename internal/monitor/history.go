package monitor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/live"
)

// HistoryVersion is the version of the lines that a history holds.
const HistoryVersion = 1

// A history is lines of JSON, appended and never changed: a reading's line has the
// server and those statements whose counters moved since the reading before; a
// statement's text stands in a line of its own, once.
type line struct {
	Version int `json:"v"`
	// Text and ID are a statement's text and its number in this history.
	Text string `json:"text,omitempty"`
	ID   int    `json:"id,omitempty"`
	// At and what follows are a reading's.
	At        time.Time `json:"at,omitzero"`
	Server    *Server   `json:"server,omitempty"`
	Extension string    `json:"extension,omitempty"`
	Reset     time.Time `json:"reset,omitzero"`
	Evicted   int64     `json:"evicted,omitempty"`
	Rows      []counted `json:"rows,omitempty"`
	// What was read beside statements; of scans, where Scanned says that they were, the
	// tables whose counters moved.
	Connections *Connections `json:"connections,omitempty"`
	Pools       []Pool       `json:"pools,omitempty"`
	Locks       *Locks       `json:"locks,omitempty"`
	Scanned     bool         `json:"scanned,omitempty"`
	Scans       []TableScans `json:"scans,omitempty"`
}

// counted is a statement's counters, with the number of its text for the text.
type counted struct {
	live.Statement
	// Query shadows the text, which stands in its own line.
	Query string `json:"query,omitempty"`
	Text  int    `json:"text"`
}

// lines is where a history's lines are kept.
type lines interface {
	// each calls f with every line in order.
	each(ctx context.Context, f func(text []byte) error) error
	// add appends lines, all or none.
	add(ctx context.Context, texts [][]byte) error
	close(ctx context.Context) error
}

// History is readings of one server over time, in a file or a database.
type History struct {
	store lines
	where string
	texts map[string]int
	// state is the last known row of each statement.
	state map[key]live.Statement
	scans map[string]TableScans
	reset time.Time
	last  time.Time
}

// OpenHistory opens a history for appending and makes it where there is none. where
// is a file, or the URL of a PostgreSQL, in which it is the table
// planvet_history.lines: that is the one thing that planvet writes to a server that is
// named for it.
func OpenHistory(ctx context.Context, where string) (*History, error) {
	return OpenTarget(ctx, where, "")
}

// OpenTarget opens the history of one server of a fleet; "" is that of a server without
// a name. In a PostgreSQL it is the table planvet_history."lines NAME".
func OpenTarget(ctx context.Context, where, target string) (*History, error) {
	h := &History{where: where, texts: map[string]int{}, state: map[key]live.Statement{}, scans: map[string]TableScans{}}
	if InDatabase(where) {
		h.where = "the history's database"
		s, err := openTable(ctx, where, target)
		if err != nil {
			return nil, err
		}
		h.store = s
	} else {
		if target != "" {
			where = fileOfTarget(where, target)
			h.where = where
		}
		f, err := os.OpenFile(where, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
		if err != nil {
			return nil, fmt.Errorf("opening the history: %w", err)
		}
		h.store = &fileLines{f}
	}
	if err := h.replay(ctx, func(*Reading) error { return nil }); err != nil {
		return nil, errors.Join(err, h.Close(ctx))
	}
	return h, nil
}

// InDatabase says whether a history is in a PostgreSQL, and not in a file.
func InDatabase(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}

// fileOfTarget is the file of one server: history.jsonl is history.NAME.jsonl.
func fileOfTarget(where, target string) string {
	ext := filepath.Ext(where)
	return strings.TrimSuffix(where, ext) + "." + strings.NewReplacer("/", "_", ":", "_", "#", "_").Replace(target) + ext
}

// Close closes the file or the connection.
func (h *History) Close(ctx context.Context) error { return h.store.close(ctx) }

// Readings calls f with every reading in order. A statement that was thrown out of
// pg_stat_statements stays in later readings with its last counters, which no interval
// counts.
func (h *History) Readings(ctx context.Context, f func(*Reading) error) error {
	again := &History{store: h.store, where: h.where, texts: map[string]int{}, state: map[key]live.Statement{}, scans: map[string]TableScans{}}
	return again.replay(ctx, f)
}

func (h *History) replay(ctx context.Context, f func(*Reading) error) error {
	texts, n := map[int]string{}, 0
	return h.store.each(ctx, func(text []byte) error {
		n++
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("%s: line %d is no line of a history: %w", h.where, n, err)
		}
		switch {
		case l.Version != HistoryVersion:
			return fmt.Errorf("%s: line %d is of version %d, this planvet knows %d", h.where, n, l.Version, HistoryVersion)
		case l.Server == nil:
			texts[l.ID], h.texts[l.Text] = l.Text, l.ID
			return nil
		}
		if l.Reset.After(h.reset) {
			clear(h.state)
		}
		h.reset, h.last = l.Reset, l.At
		for _, r := range l.Rows {
			s := r.Statement
			s.Query = texts[r.Text]
			h.state[keyOf(&s)] = s
		}
		st := &live.Statements{At: l.At, Extension: l.Extension, Reset: l.Reset, Evicted: l.Evicted}
		for _, s := range h.state {
			st.All = append(st.All, s)
		}
		for _, t := range l.Scans {
			h.scans[t.Table] = t
		}
		r := &Reading{Server: *l.Server, Statements: st, Connections: l.Connections, Pools: l.Pools, Locks: l.Locks}
		if l.Scanned {
			r.Scans = scansOf(h.scans)
		}
		return f(r)
	})
}

// Append adds a reading. It must be of the server that the history is of, and later
// than the last.
func (h *History) Append(ctx context.Context, r *Reading) error {
	if !r.Statements.At.After(h.last) {
		return fmt.Errorf("%s ends at %s, after this reading: is the clock right?", h.where, h.last.Format(time.RFC3339))
	}
	var out [][]byte
	put := func(l line) error {
		l.Version = HistoryVersion
		text, err := json.Marshal(l)
		out = append(out, text)
		return err
	}
	l := line{At: r.Statements.At, Server: &r.Server, Extension: r.Statements.Extension, Reset: r.Statements.Reset, Evicted: r.Statements.Evicted,
		Connections: r.Connections, Pools: r.Pools, Locks: r.Locks.withoutTexts(), Scanned: r.Scans != nil}
	for _, t := range r.Scans {
		if h.scans[t.Table] != t {
			h.scans[t.Table] = t
			l.Scans = append(l.Scans, t)
		}
	}
	if l.Reset.After(h.reset) {
		clear(h.state)
	}
	for _, s := range r.Statements.All {
		old, known := h.state[keyOf(&s)]
		if known && old.Calls == s.Calls && old.Since.Equal(s.Since) {
			continue
		}
		id, ok := h.texts[s.Query]
		if !ok {
			id = len(h.texts) + 1
			h.texts[s.Query] = id
			if err := put(line{Text: s.Query, ID: id}); err != nil {
				return fmt.Errorf("writing %s: %w", h.where, err)
			}
		}
		h.state[keyOf(&s)] = s
		l.Rows = append(l.Rows, counted{Statement: s, Text: id})
	}
	if err := put(l); err != nil {
		return fmt.Errorf("writing %s: %w", h.where, err)
	}
	h.reset, h.last = l.Reset, l.At
	if err := h.store.add(ctx, out); err != nil {
		return fmt.Errorf("writing %s: %w", h.where, err)
	}
	return nil
}

// fileLines keeps lines in a file.
type fileLines struct{ f *os.File }

func (s *fileLines) each(_ context.Context, f func([]byte) error) error {
	if _, err := s.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	in := bufio.NewReader(s.f)
	for {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if len(bytes.TrimSpace(text)) > 0 {
				return fmt.Errorf("%s: its last line is cut off; remove it to go on", s.f.Name())
			}
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(text); err != nil {
			return err
		}
	}
}

func (s *fileLines) add(_ context.Context, texts [][]byte) error {
	_, err := s.f.Write(append(bytes.Join(texts, []byte("\n")), '\n'))
	return err
}

func (s *fileLines) close(context.Context) error { return s.f.Close() }
