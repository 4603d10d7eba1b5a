package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/stats"
)

// DumpStatistics reads the planner's statistics from a server that the user names;
// values of columns only where values is set.
func DumpStatistics(ctx context.Context, url string, values bool) (*stats.File, error) {
	s, err := Connect(ctx, url, live.Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close(ctx)
	f, err := s.DumpStatistics(ctx, values)
	if err != nil {
		return nil, &Error{Unfinished, err}
	}
	return f, nil
}

// LoadStatistics puts statistics into a database of a running throwaway server and
// returns what found no place. Other servers are refused.
func LoadStatistics(ctx context.Context, url string, f *stats.File) (left []string, err error) {
	s, err := Connect(ctx, url, live.Options{Writable: true})
	if err != nil {
		return nil, err
	}
	defer s.Close(ctx)
	loaded, err := shadow.LoadInto(ctx, s.Conn(), f, time.Now())
	switch {
	case errors.Is(err, shadow.ErrNotOwn):
		return nil, &Error{Usage, err}
	case err != nil:
		return nil, &Error{Unfinished, err}
	}
	return loaded.Missing, nil
}

// UseStatistics takes one file for every database, whatever config names.
func (p *Project) UseStatistics(f *stats.File) {
	for _, db := range p.Databases {
		db.Statistics = f
		db.Catalog.Stats = p.sizes(db)
	}
}

// ReadStatistics reads a file of planvet stats dump.
func ReadStatistics(file string) (*stats.File, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, usagef("reading %s: %w", file, err)
	}
	f, err := stats.Read(text)
	if err != nil {
		return nil, &Error{Usage, fmt.Errorf("%s: %w", file, err)}
	}
	return f, nil
}

// readStatistics reads the files that config names, each once. What was before a change
// has the sizes of after it.
func (p *Project) readStatistics() error {
	files := p.fsys
	if p.twin != nil {
		files = p.twin.fsys
	}
	read := map[string]*stats.File{}
	for _, db := range p.Databases {
		name := p.Config.StatisticsOf(db.Set.Name)
		if name == "" {
			continue
		}
		f := read[name]
		if f == nil {
			text, err := fs.ReadFile(files, path.Clean(name))
			if err != nil {
				var pe *fs.PathError
				if errors.As(err, &pe) {
					err = pe.Err
				}
				return usagef("%s: statistics: reading %s: %w; `planvet stats dump` writes it", p.rel(p.Config.File), name, err)
			}
			if f, err = stats.Read(text); err != nil {
				return &Error{Usage, fmt.Errorf("%s: %w", name, err)}
			}
			read[name] = f
		}
		db.Statistics = f
	}
	return nil
}
