package suppress

import (
	_ "embed"

	"github.com/planvet/planvet/rules"
)

//go:embed ignore_expired.md
var expiredPage string

//go:embed ignore_unknown_rule.md
var unknownRulePage string

//go:embed ignore_unused.md
var unusedPage string

//go:embed ignore_without_reason.md
var withoutReasonPage string

var expired = &rules.Rule{
	Name: "ignore-expired", Package: "suppress", Group: "suppressions",
	Summary:  "a suppression held until a day that is past",
	Severity: rules.Warning, Certainty: rules.Certain, Page: expiredPage,
}

var unknownRule = &rules.Rule{
	Name: "ignore-unknown-rule", Package: "suppress", Group: "suppressions",
	Summary:  "a planvet:ignore comment names a rule that does not exist",
	Severity: rules.Warning, Certainty: rules.Certain, Page: unknownRulePage,
}

var unused = &rules.Rule{
	Name: "ignore-unused", Package: "suppress", Group: "suppressions",
	Summary:  "a suppression covers no finding",
	Severity: rules.Warning, Certainty: rules.Certain, Page: unusedPage,
}

var withoutReason = &rules.Rule{
	Name: "ignore-without-reason", Package: "suppress", Group: "suppressions",
	Summary:  "a planvet:ignore comment gives no reason",
	Severity: rules.Warning, Certainty: rules.Certain, Page: withoutReasonPage,
}

// Rules are the rules on suppressions themselves.
var Rules = []*rules.Rule{expired, unknownRule, unused, withoutReason}
