package ab

import (
	"context"

	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/suite"
)

// API are the cases of a suite of requests, expanded for each arm.
func API(arms [2]*suite.API, id string) ([]Case, error) {
	var out []Case
	for i := range arms[B].Cases {
		c := &arms[B].Cases[i]
		for _, a := range arms {
			_, free, err := load.Requests(a, &a.Cases[i], id)
			if err != nil {
				return nil, err
			}
			free()
		}
		out = append(out, Case{
			Suite: "api", Name: c.Name, Service: c.Service, Operation: c.Operation, Warmup: c.Load.Warmup, Timeout: c.Load.Timeout,
			Open: func(ctx context.Context, arm int) (load.Client, error) {
				open, free, err := load.Requests(arms[arm], &arms[arm].Cases[i], id)
				if err != nil {
					return nil, err
				}
				k, err := open(ctx)
				return &owned{k, free}, err
			},
		})
	}
	return out, nil
}

// owned is a client that has its connections for itself.
type owned struct {
	load.Client
	free func()
}

// Close ends them.
func (o *owned) Close() {
	o.Client.Close()
	o.free()
}

// DB are the cases of a suite of statements, expanded, on two databases. urls are asked
// each time that a connection is made: databases that are made anew have new ones.
func DB(d *suite.DB, urls func(arm int) string, id string) ([]Case, error) {
	var out []Case
	for i := range d.Cases {
		c := &d.Cases[i]
		at := func(arm int) *suite.DB {
			of := *d
			of.URL = urls(arm)
			return &of
		}
		for arm := range 2 {
			if _, err := load.Statements(at(arm), c, id); err != nil {
				return nil, err
			}
		}
		out = append(out, Case{
			Suite: "db", Name: c.Name, Service: c.Service, Operation: c.Operation, Warmup: c.Load.Warmup, Timeout: c.Load.Timeout, Database: true,
			Open: func(ctx context.Context, arm int) (load.Client, error) {
				open, err := load.Statements(at(arm), c, id)
				if err != nil {
					return nil, err
				}
				return open(ctx)
			},
			Inspect: func(ctx context.Context, arm int) (*results.Work, error) {
				return load.Inspect(ctx, at(arm), c, id)
			},
		})
	}
	return out, nil
}

// E2E are the flows of a suite, expanded for each arm.
func E2E(ctx context.Context, arms [2]*suite.E2E, id string) ([]Case, error) {
	var out []Case
	for i := range arms[B].Flows {
		f := &arms[B].Flows[i]
		var flows [2]*load.Flow
		for arm, e := range arms {
			var err error
			if flows[arm], err = load.NewFlow(ctx, e, &e.Flows[i], id); err != nil {
				return nil, err
			}
		}
		out = append(out, Case{
			Suite: "e2e", Name: f.Name, Service: f.Service, Operation: f.Operation, Warmup: f.Load.Warmup, Timeout: max(flows[A].Timeout(), flows[B].Timeout()),
			Open: func(ctx context.Context, arm int) (load.Client, error) { return flows[arm].Open(ctx) },
			Inspect: func(ctx context.Context, arm int) (*results.Work, error) {
				return flows[arm].Inspect(ctx)
			},
		})
	}
	return out, nil
}
