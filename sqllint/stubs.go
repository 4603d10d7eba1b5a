package sqllint

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/rules"
)

// Rules are this package's rules, sorted by name.
var Rules = []*rules.Rule{}

func check(*catalog.Catalog, []*Statement, Options) []rules.Finding { return nil }
