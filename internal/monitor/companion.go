package monitor

import (
	"context"
	"fmt"

	"github.com/planvet/planvet/internal/companion"
	"github.com/planvet/planvet/internal/live"
)

// Companion is what planvet's objects in the database do for a report.
type Companion struct {
	// Version is what is installed; "" where nothing is that this role may use.
	Version string `json:"version,omitempty"`
	// Through says what is read through it, which this role may not see itself; Adds
	// what it would add: a line, or "".
	Through string `json:"through,omitempty"`
	Adds    string `json:"adds,omitempty"`
}

// line is the one that a report shows; "" where there is nothing to say.
func (c *Companion) line() string {
	switch {
	case c == nil:
		return ""
	case c.Adds != "":
		return c.Adds
	}
	return c.Through
}

// sight is what a session sees of other roles.
type sight struct {
	companion *Companion
	// activity stands for pg_stat_activity in a query; its rows are of all that the role
	// sees, by itself or through the companion.
	activity string
	// counters is set where planvet.statement_counters may be asked for what is hidden.
	counters bool
	// help is the command that would set counters; "" where it is set, and where none
	// would.
	help string
	// note is why the companion could not be looked at.
	note string
}

// plainSight is that of a role by itself.
var plainSight = sight{activity: "pg_catalog.pg_stat_activity"}

// through is planvet.activity with the names of pg_stat_activity, and the texts that
// the role may see itself.
const through = `(select x.pid, x.database as datname, x.username as usename, x.application_name, x.backend_type, x.state, x.wait_event_type,
	x.xact_start, x.query_start, x.state_change, y.query from planvet.activity() x left join pg_catalog.pg_stat_activity y on y.pid = x.pid)`

// lookAround finds out what the session's role sees, and what the companion gives it.
// A role that sees all by itself is not helped by it.
func lookAround(ctx context.Context, s *live.Session) sight {
	out := plainSight
	st, err := companion.Status(ctx, s)
	if err != nil {
		out.note = fmt.Sprintf("planvet's companion could not be looked for: %v", err)
		return out
	}
	c := &Companion{}
	if out.companion = c; st.MayUse {
		c.Version = st.Version
	}
	command := "planvet companion install --reader " + st.Role
	reader := command
	if st.Kind != companion.Absent {
		reader, command = "its owner's "+command, command+", by "+st.Owner
	}
	switch {
	case st.Kind == companion.Foreign || st.Distrusted:
		out.companion = nil
	case st.AllStats && st.Kind == companion.Absent:
		c.Adds = "planvet companion install would keep snapshots of statements also while planvet does not watch"
	case st.AllStats:
	case st.Has("1.2") && !st.OwnerSees:
		c.Adds = "grant pg_read_all_stats to " + st.Owner + ", as whom planvet " + st.Version + " reads, would add the figures of other roles' statements, their connections and waits"
	case st.Has("1.2"):
		out.activity, out.counters = through, true
		c.Through = "statements, connections and waits of other roles are read through planvet " + st.Version + ", as " + st.Owner + " sees them"
	case st.Has("1.1"):
		out.activity, out.help = through, "planvet companion upgrade, by "+st.Owner
		c.Through = "connections and waits of other roles are read through planvet " + st.Version + ", as " + st.Owner + " sees them"
		c.Adds = "planvet companion upgrade, by " + st.Owner + ", would add the figures of other roles' statements"
	case st.MayUse:
		out.help = "planvet companion upgrade, by " + st.Owner
		c.Adds = "planvet companion upgrade, by " + st.Owner + ", would add the figures of other roles' statements, their connections and waits"
	default:
		out.help = command
		c.Adds = reader + " would add the figures of other roles' statements without their texts, their connections and waits; grant pg_read_all_stats to " + st.Role + " adds the texts too"
	}
	return out
}
