package load

import (
	"context"
	"time"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/suite"
)

// Flow is a flow that one user goes through again and again, beside another version of it.
// Its runs are numbered through, over all of its clients.
type Flow struct{ w *flow }

// NewFlow makes a flow of a suite, expanded, ready. Its data are read from the database.
// The user does not think: nobody else is there whom that would leave room.
func NewFlow(ctx context.Context, e *suite.E2E, f *suite.Flow, id string) (*Flow, error) {
	w, err := flowOf(ctx, e, f, id)
	if err != nil {
		return nil, err
	}
	for i := range w.groups {
		w.groups[i].think = 0
	}
	return &Flow{w}, nil
}

// Timeout bounds a run.
func (k *Flow) Timeout() time.Duration { return k.w.timeout() }

// Open makes a user with connections of its own.
func (k *Flow) Open(context.Context) (Client, error) { return &lone{user{flow: k.w}}, nil }

// lone is the only user of a flow.
type lone struct{ user }

// Close ends all connections, those to the server too.
func (u *lone) Close() {
	u.user.Close()
	u.transport.CloseIdleConnections()
}

// Inspect counts the statements of a run; nil where no database counts them.
func (k *Flow) Inspect(ctx context.Context) (*results.Work, error) {
	if k.w.cfg == nil {
		return nil, nil
	}
	out := &results.Flow{Steps: make([]results.FlowStep, len(k.w.f.Flat()))}
	if err := countFlow(ctx, k.w, out); err != nil || out.Queries == nil {
		return nil, err
	}
	return &results.Work{Statements: out.Queries}, nil
}
