// Package selftest is the gate's own examination. Live, it starts a small HTTP service
// over a PostgreSQL twice, one of them slower by what is known, under noise that it makes
// itself, and lets the gate judge. Recorded, it draws epochs from traces of such runs in
// which both arms are the same, slows one of them, and lets the same code judge
// thousands of times.
package selftest

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/shadow"
)

// Arena is where live gates are held: a PostgreSQL with two databases of the same
// content, and a noise.
type Arena struct {
	server *shadow.Server
	urls   [2]string
	dir    string
	noise  *child
}

// armNames are the databases' names too.
var armNames = [2]string{"a", "b"}

// Open starts a PostgreSQL of the major version, 0 for what is at hand. Close must be
// called.
func Open(ctx context.Context, major int) (_ *Arena, err error) {
	a := &Arena{}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.server, err = shadow.Start(ctx, shadow.Options{Major: major, Settings: settings}); err != nil {
		return nil, err
	}
	if a.dir, err = os.MkdirTemp("", "planvet-selftest-"); err != nil {
		return nil, err
	}
	url, err := a.server.NewDatabase(ctx, "origin")
	if err != nil {
		return nil, err
	}
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	for _, statement := range []string{setup, "vacuum analyze orders"} {
		if _, err = db.Exec(ctx, statement); err != nil {
			return nil, errors.Join(err, db.Close(ctx))
		}
	}
	if err := db.Close(ctx); err != nil { // a template may have no session
		return nil, err
	}
	return a, a.Renew(ctx)
}

// Close ends all that was started.
func (a *Arena) Close() (err error) {
	err = a.Quiet()
	if a.server != nil {
		err = errors.Join(err, a.server.Stop())
	}
	if a.dir != "" {
		err = errors.Join(err, os.RemoveAll(a.dir))
	}
	return err
}

// Renew makes both databases anew.
func (a *Arena) Renew(ctx context.Context) error {
	db, err := pgx.Connect(ctx, a.server.URL("postgres"))
	if err != nil {
		return err
	}
	for _, name := range armNames {
		if _, err = db.Exec(ctx, "drop database if exists "+name+" with (force)"); err != nil {
			break
		}
	}
	if err = errors.Join(err, db.Close(ctx)); err != nil {
		return err
	}
	for i, name := range armNames {
		if a.urls[i], err = a.server.CopyDatabase(ctx, name, "origin"); err != nil {
			return err
		}
	}
	return nil
}

// Disturb begins a noise, until Quiet.
func (a *Arena) Disturb(ctx context.Context, kind string, seed uint64) (err error) {
	if err := a.Quiet(); err != nil || kind == "idle" {
		return err
	}
	a.noise, err = start(ctx, order{Noise: &noise{Kind: kind, Dir: a.dir, Seed: seed}})
	return err
}

// Quiet ends the noise.
func (a *Arena) Quiet() error {
	if a.noise == nil {
		return nil
	}
	c := a.noise
	a.noise = nil
	return c.stop()
}

// client is a client of a service of its own.
type client struct {
	load.Client
	free    func()
	service *child
}

func (c *client) Close() {
	c.Client.Close()
	c.free()
	_ = c.service.stop()
}

// open starts a service over an arm's database, and a client of it.
func (a *Arena) open(ctx context.Context, arm int, w work, s Slowdown) (load.Client, error) {
	c := &client{}
	var err error
	if c.service, err = start(ctx, order{Service: &service{URL: a.urls[arm], Slowdown: s}}); err != nil {
		return nil, err
	}
	l := suite.Load{Clients: 1, Workers: 1, Timeout: time.Minute}
	request := &suite.Request{Case: suite.Case{Name: w.name, Load: l}, Method: "GET", Path: w.path}
	open, free, err := load.Requests(&suite.API{BaseURL: c.service.said}, request, "selftest")
	if err != nil {
		return nil, errors.Join(err, c.service.stop())
	}
	c.free = free
	if c.Client, err = open(ctx); err != nil {
		free()
		return nil, errors.Join(err, c.service.stop())
	}
	return c, nil
}
