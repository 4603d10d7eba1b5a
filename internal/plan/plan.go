package plan

import "time"

// Request asks a server for a plan. It stands here, in the one package that
// both the asker and the sessions know.
type Request struct {
	// SQL is one statement with $n parameters.
	SQL string
	// Role is the role to plan as; empty for the session's own.
	Role string
	// Settings are set for the transaction: request.jwt.claims, app.tenant …
	Settings map[string]string
	// Args are the parameters' values as text; nil is NULL. Unused when Generic.
	Args []*string
	// Types are the parameters' types where the caller knows better than the
	// server's inference; "" leaves one to the server.
	Types []string
	// Generic asks for the plan that serves every value.
	Generic bool
	// Analyze runs the statement and reports times and blocks.
	Analyze bool
	// Timing adds a clock reading per node; it costs time itself.
	Timing bool
	// Off names planner settings to turn off: enable_seqscan …
	Off []string
	// Timeout bounds the statement, in whole milliseconds; 0 leaves the session's.
	Timeout time.Duration
}

// Plan is one statement's plan.
type Plan struct {
	Root *Node
	// PlanningMS and ExecutionMS are milliseconds; 0 without ANALYZE.
	PlanningMS, ExecutionMS float64
	// PlanningBlocks are shared blocks hit and read while planning.
	PlanningBlocks int64
	// PlanningIOMS is the time that planning waited for reads, with track_io_timing.
	PlanningIOMS float64
	Triggers     []Trigger
	// JIT is set when the executor compiled expressions; JITMS is the time that it
	// took and JITFunctions how many it compiled, of all processes.
	JIT          bool
	JITMS        float64
	JITFunctions float64
	// Settings are the planner's settings that are not the server's defaults, where
	// they were asked for.
	Settings map[string]string
	// QueryID joins the plan with pg_stat_statements; 0 where the server has none.
	QueryID int64
	// Decimals is set by 18 and later, which print rows a loop with two decimals
	// where older servers round to whole rows.
	Decimals bool
}

// Analyzed is set where the statement ran.
func (p *Plan) Analyzed() bool { return p.Root.Loops > 0 }

// Timed is set where each node has its time.
func (p *Plan) Timed() bool { return p.Root.TotalMS > 0 }

// Trigger is what a trigger cost in an analyzed statement.
type Trigger struct {
	Name       string  `json:"Trigger Name"`
	Constraint string  `json:"Constraint Name"`
	Relation   string  `json:"Relation"`
	MS         float64 `json:"Time"`
	Calls      float64 `json:"Calls"`
}

// Blocks are the shared blocks that executing the statement touched. Planning is
// counted apart, in PlanningBlocks; triggers' blocks are not reported by the
// server at all, their time is. A WITH query that writes runs to its end after the
// root is done where nothing reads all of it; that is not in the root's count.
func (p *Plan) Blocks() int64 {
	sum := p.Root.Blocks()
	p.Walk(func(n *Node) {
		if n.Type != "ModifyTable" || !n.isCTE() {
			return
		}
		late := n.Blocks()
		for _, r := range p.readers(n) {
			late -= r.Blocks()
		}
		sum += max(0, late)
	})
	return sum
}

// TriggerMS is the time spent in triggers, those of constraints included.
func (p *Plan) TriggerMS() float64 {
	var ms float64
	for _, t := range p.Triggers {
		ms += t.MS
	}
	return ms
}

// Walk calls f for each node, parents first.
func (p *Plan) Walk(f func(*Node)) { p.Root.Walk(f) }

func (n *Node) Walk(f func(*Node)) {
	f(n)
	for _, c := range n.Children {
		c.Walk(f)
	}
}

// Uses reports whether a node of the plan reads that index.
func (p *Plan) Uses(index string) bool {
	found := false
	p.Walk(func(n *Node) { found = found || (n.Index != "" && n.Index == index) })
	return found
}

// Outcome is what running a statement, once or for many sets of values, gave.
type Outcome struct {
	// Rows counts rows returned, or written where none are returned.
	Rows int64
	// Hash is the same for the same rows in any order.
	Hash uint64
	// RoundTrips counts statements sent; MS is the time they took together.
	RoundTrips int
	MS         float64
}
