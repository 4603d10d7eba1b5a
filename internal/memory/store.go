package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// storeVersion is the version of both stores' tables.
const storeVersion = 1

// wait is how long a writer waits for others.
var wait = 10 * time.Second

// DefaultFile is where the memory of a project is, under its root.
const DefaultFile = ".planvet/memory.db"

// ErrNone says that there is no memory at a place yet: Add makes it.
var ErrNone = errors.New("there is no memory")

// Query says which entries are wanted. Each field that is not empty has to hold.
type Query struct {
	// Text is words of which one has to be there; an entry with more of them comes first.
	Text string
	// Tags have all to be there.
	Tags                                        []string
	Category, Rule, Fingerprint, Skill, Outcome string
	// Limit is how many at most; 0 is all.
	Limit int
	// Oldest has the oldest come first. Otherwise what matches Text best does, and then
	// the newest.
	Oldest bool
}

// Store keeps entries. It is not safe for concurrent use; any number of processes may
// have one open at the same place.
type Store interface {
	// Plan is the SQL that makes the tables; "" where they are there.
	Plan(ctx context.Context) (string, error)
	// Add stores settled entries, all or none, and makes the tables where they are not
	// there. An entry whose ID is there already is left out; added is how many were not.
	Add(ctx context.Context, entries []Entry) (added int, err error)
	// Find returns entries. The error is ErrNone where there are no tables.
	Find(ctx context.Context, q Query) ([]Entry, error)
	Close() error
}

// IsURL says whether a place is a PostgreSQL's.
func IsURL(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// Open opens the memory at a place: a PostgreSQL's URL, or a file. A file is made by Add
// only.
func Open(ctx context.Context, place string) (Store, error) {
	if IsURL(place) {
		return openPostgres(ctx, place)
	}
	if strings.Contains(place, "://") {
		scheme, _, _ := strings.Cut(place, "://")
		return nil, fmt.Errorf("a memory at %s://: use a file, or postgres://", scheme)
	}
	return &sqliteStore{path: place}, nil
}

func newer(place string, version int) error {
	return fmt.Errorf("memory %s has version %d, this planvet knows %d: take a newer planvet", place, version, storeVersion)
}

// where are the conditions of a query but for its words. arg adds an argument and
// returns its placeholder; hasTag is the condition on one tag.
func (q *Query) where(arg func(any) string, hasTag func(placeholder string) string) string {
	conds := []string{"true"}
	for _, c := range []struct{ column, value string }{
		{"category", strings.ToLower(q.Category)}, {"rule", q.Rule}, {"fingerprint", q.Fingerprint}, {"skill", q.Skill}, {"outcome", q.Outcome},
	} {
		if c.value != "" {
			conds = append(conds, "e."+c.column+" = "+arg(c.value))
		}
	}
	for _, t := range lowered(q.Tags) {
		conds = append(conds, hasTag(arg(t)))
	}
	return strings.Join(conds, " and ")
}

// newest is the order of entries among equals.
func (q *Query) newest() string {
	if q.Oldest {
		return "e.time, e.id"
	}
	return "e.time desc, e.id desc"
}

// decoded reads what a store holds. Fields of a newer planvet are left out.
func decoded(place string, texts []string) ([]Entry, error) {
	out := make([]Entry, len(texts))
	for i, t := range texts {
		if err := json.Unmarshal([]byte(t), &out[i]); err != nil {
			return nil, fmt.Errorf("memory %s: an entry cannot be read: %w", place, err)
		}
	}
	return out, nil
}
