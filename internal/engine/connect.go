package engine

import (
	"context"
	"errors"

	"github.com/planvet/planvet/internal/live"
)

// Connect opens a session on a server, with the kind of error that a command exits
// by: a URL that cannot be read is a mistake in usage.
func Connect(ctx context.Context, url string, o live.Options) (*live.Session, error) {
	s, err := live.Connect(ctx, url, o)
	switch {
	case errors.Is(err, live.ErrURL):
		return nil, &Error{Usage, err}
	case err != nil:
		return nil, &Error{Unfinished, err}
	}
	return s, nil
}
