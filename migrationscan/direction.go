package migrationscan

import (
	"regexp"
	"strings"
)

// A marker line of a migration tool.
var (
	markerUp = regexp.MustCompile(`(?i)^\s*--\s*(?:\+goose\s+up\b|\+migrate\s+up\b|migrate:up\b|rambler\s+up\b|=+\s*up\s*=+)`)
	markerDn = regexp.MustCompile(`(?i)^\s*--\s*(?:\+goose\s+down\b|\+migrate\s+down\b|migrate:down\b|rambler\s+down\b|=+\s*down\s*=+)`)
	ternCut  = regexp.MustCompile(`(?i)^\s*----\s*create above\s*/\s*drop below\s*----`)
	noTx     = regexp.MustCompile(`(?im)^\s*--\s*(?:\+goose\s+no\s+transaction\b|\+migrate\s+up\s+notransaction\b|migrate:up\b.*\btransaction:false\b|--\s*tern:\s*disable-tx\b)`)
)

// downName matches files that undo, or that test a migration.
var downName = regexp.MustCompile(`(?i)(?:[._-]down\.sql$|\.(?:undo|rollback|revert|err|tests?)\.sql$|^(?:down|undo|rollback|revert)\.sql$|^U\d[\d._]*__|(?:^|[._-])(?:up|down)_tests_(?:before|after)\.sql$)`)

// upPart blanks what undoes a migration, wherever it stands in the file, and says
// whether the tool is told to leave its transaction out.
func upPart(text string) (up string, noTransaction bool) {
	noTransaction = noTx.MatchString(text)
	if !strings.Contains(text, "--") {
		return text, noTransaction
	}
	var b strings.Builder
	b.Grow(len(text))
	down := false
	for line := range strings.SplitAfterSeq(text, "\n") {
		switch {
		case !strings.Contains(line, "--"):
		case markerUp.MatchString(line):
			down = false
		case markerDn.MatchString(line), ternCut.MatchString(line):
			down = true
		}
		if down {
			blankInto(&b, line)
		} else {
			b.WriteString(line)
		}
	}
	return b.String(), noTransaction
}

// blankInto writes s with every byte but line ends replaced by a space.
func blankInto(b *strings.Builder, s string) {
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' {
			b.WriteByte(s[i])
		} else {
			b.WriteByte(' ')
		}
	}
}

func blank(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	blankInto(&b, s)
	return b.String()
}

// markerFormat tells the tool from the markers in a file; "" when there is none.
func markerFormat(text string) string {
	switch {
	case strings.Contains(text, "-- +goose "), strings.Contains(text, "--+goose "), strings.Contains(text, "-- +goose\t"):
		return "goose"
	case strings.Contains(text, "-- +migrate "), strings.Contains(text, "--+migrate "):
		return "sql-migrate"
	case strings.Contains(text, "-- migrate:up"), strings.Contains(text, "--migrate:up"):
		return "dbmate"
	case strings.Contains(text, "create above / drop below"):
		return "tern"
	case strings.HasPrefix(text, graphileMark):
		return "graphile"
	case strings.Contains(text, "--> statement-breakpoint"):
		return "drizzle"
	}
	return ""
}
