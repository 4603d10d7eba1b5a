package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rules"
)

// FixMigration is what to add to the project for DDL that removes a finding, to the
// database that the finding is about; nil where migrationscan.Set.Next knows no place.
func (p *Project) FixMigration(f *rules.Finding, ddl string, at time.Time) []migrationscan.Added {
	if db := p.databaseOf(f); db != nil {
		return db.Set.Next(p.fsys, fixName(f), ddl, at)
	}
	return nil
}

// databaseOf is the database that a finding is about: its probe's, else the one whose
// scripts it or its other ends stand in, else the only one; else nil.
func (p *Project) databaseOf(f *rules.Finding) *Database {
	if f.Probe != nil {
		for _, db := range p.Databases {
			if db.Set.Name == f.Probe.Database {
				return db
			}
		}
	}
	at := []rules.Location{f.Location}
	for _, r := range f.Related {
		at = append(at, r.Location)
	}
	for _, l := range at {
		for _, db := range p.Databases {
			if slices.ContainsFunc(db.Set.Scripts, func(s migrationscan.Script) bool { return s.Path == l.Path }) {
				return db
			}
		}
	}
	if len(p.Databases) == 1 {
		return p.Databases[0]
	}
	return nil
}

var noWord = regexp.MustCompile(`[^a-z0-9]+`)

// fixName are words for a file: what is made, and on what.
func fixName(f *rules.Finding) string {
	what := f.Rule
	if f.Fix != nil && len(f.Fix.SQL) > 0 && strings.HasPrefix(strings.ToLower(f.Fix.SQL[0]), "create index") {
		what = "index"
	}
	name := strings.Join(append([]string{what, f.Object.Table}, f.Object.Columns...), " ")
	name = strings.Trim(noWord.ReplaceAllString(strings.ToLower(name), "_"), "_")
	return strings.TrimRight(name[:min(len(name), 60)], "_")
}

// Checksummed reports whether the project's migration tool keeps a checksum of a file:
// an edit of it, be it a comment, is refused where it has run.
func (p *Project) Checksummed(rel string) bool {
	for _, db := range p.Databases {
		if !slices.ContainsFunc(db.Set.Scripts, func(s migrationscan.Script) bool { return s.Path == rel && !s.GoLiteral }) {
			continue
		}
		if db.Set.Checksums(p.fsys, rel) {
			return true
		}
	}
	return false
}

// ProofKey changes with everything but a finding itself that a planner's answer about it
// rests on: migrations, sizes, statistics, roles and settings.
func (p *Project) ProofKey() string {
	h := sha256.New()
	for _, db := range p.Databases {
		fmt.Fprintf(h, "%s\x00%s\x00", db.Set.Name, shadow.ApplyKey(db.Replay))
		if b, err := json.Marshal(db.Statistics); err == nil {
			h.Write(b)
		}
	}
	if text, err := os.ReadFile(p.Config.File); err == nil {
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil))
}
