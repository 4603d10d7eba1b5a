package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/planvet/planvet/internal/live"
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

// readStatistics reads the files that config names, each once.
func (p *Project) readStatistics() error {
	read := map[string]*stats.File{}
	for _, db := range p.Databases {
		name := p.Config.StatisticsOf(db.Set.Name)
		if name == "" {
			continue
		}
		f := read[name]
		if f == nil {
			text, err := fs.ReadFile(p.fsys, path.Clean(name))
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
