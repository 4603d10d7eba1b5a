package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/report"
)

type refPair struct {
	Commit string
	Notes  []string
}

func (*refPair) URL(int) string              { return "" }
func (*refPair) Stop() error                 { return nil }
func (*refPair) Renew(context.Context) error { return nil }

func startRef(context.Context, *cli.Context, *suite.DB, string, *report.Progress) (*refPair, error) {
	return nil, errors.New("not yet")
}
