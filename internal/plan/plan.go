package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

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
	Triggers       []Trigger
	// JIT is set when the executor compiled expressions.
	JIT bool
}

// Trigger is what a trigger cost in an analyzed statement.
type Trigger struct {
	Name       string  `json:"Trigger Name"`
	Constraint string  `json:"Constraint Name"`
	Relation   string  `json:"Relation"`
	MS         float64 `json:"Time"`
	Calls      float64 `json:"Calls"`
}

// Node is a node of a plan.
type Node struct {
	Type         string `json:"Node Type"`
	Relationship string `json:"Parent Relationship"`
	SubplanName  string `json:"Subplan Name"`
	Strategy     string `json:"Strategy"`
	JoinType     string `json:"Join Type"`
	Operation    string `json:"Operation"`
	Command      string `json:"Command"`

	Schema   string `json:"Schema"`
	Relation string `json:"Relation Name"`
	Alias    string `json:"Alias"`
	Function string `json:"Function Name"`
	CTE      string `json:"CTE Name"`

	Index     string `json:"Index Name"`
	Direction string `json:"Scan Direction"`
	IndexCond string `json:"Index Cond"`
	OrderBy   string `json:"Order By"`
	Recheck   string `json:"Recheck Cond"`
	Filter    string `json:"Filter"`
	JoinCond  string `json:"Join Filter"`
	HashCond  string `json:"Hash Cond"`
	MergeCond string `json:"Merge Cond"`
	TIDCond   string `json:"TID Cond"`
	OneTime   string `json:"One-Time Filter"`

	SortKey   []string `json:"Sort Key"`
	Presorted []string `json:"Presorted Key"`
	Output    []string `json:"Output"`

	StartupCost   float64 `json:"Startup Cost"`
	TotalCost     float64 `json:"Total Cost"`
	PlanRows      float64 `json:"Plan Rows"`
	PlanWidth     float64 `json:"Plan Width"`
	Rows          float64 `json:"Actual Rows"`
	Loops         float64 `json:"Actual Loops"`
	StartupMS     float64 `json:"Actual Startup Time"`
	TotalMS       float64 `json:"Actual Total Time"`
	Removed       float64 `json:"Rows Removed by Filter"`
	RemovedJoin   float64 `json:"Rows Removed by Join Filter"`
	RemovedIndex  float64 `json:"Rows Removed by Index Recheck"`
	HeapFetches   float64 `json:"Heap Fetches"`
	IndexSearches float64 `json:"Index Searches"`
	Workers       float64 `json:"Workers Launched"`

	// Hit and Read are shared blocks; a parent's count includes its children's.
	Hit  int64 `json:"Shared Hit Blocks"`
	Read int64 `json:"Shared Read Blocks"`

	// Disabled is set by 18 and later for a node that a setting forbids.
	Disabled bool `json:"Disabled"`
	// SubplansRemoved counts partitions pruned when execution started.
	SubplansRemoved float64 `json:"Subplans Removed"`

	Children []*Node `json:"Plans"`
	// Parent is nil at the root.
	Parent *Node `json:"-"`
}

// Blocks are the shared blocks hit and read by the node and those below it.
func (n *Node) Blocks() int64 { return n.Hit + n.Read }

// Blocks are the shared blocks that executing the statement touched. Planning is
// counted apart, in PlanningBlocks; triggers' blocks are not reported by the
// server at all, their time is. A WITH query that writes and that nothing reads runs
// after the root is done and is not in the root's count.
func (p *Plan) Blocks() int64 {
	sum := p.Root.Blocks()
	read := map[string]bool{}
	p.Walk(func(n *Node) { read[n.CTE] = true })
	p.Walk(func(n *Node) {
		if name, ok := strings.CutPrefix(n.SubplanName, "CTE "); ok && n.Type == "ModifyTable" && !read[name] {
			sum += n.Blocks()
		}
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
func (p *Plan) Walk(f func(*Node)) { p.Root.walk(f) }

func (n *Node) walk(f func(*Node)) {
	f(n)
	for _, c := range n.Children {
		c.walk(f)
	}
}

// Uses reports whether a node of the plan reads that index.
func (p *Plan) Uses(index string) bool {
	found := false
	p.Walk(func(n *Node) { found = found || (n.Index != "" && n.Index == index) })
	return found
}

// Parse reads the output of EXPLAIN (FORMAT JSON): an array of one plan, or the
// plan itself. It fails on text that is not such a document and on EXPLAIN of a
// statement that has no plan.
func Parse(text []byte) (*Plan, error) {
	type doc struct {
		Plan      *Node           `json:"Plan"`
		Planning  json.RawMessage `json:"Planning"`
		PlanMS    float64         `json:"Planning Time"`
		ExecMS    float64         `json:"Execution Time"`
		Triggers  []Trigger       `json:"Triggers"`
		JIT       json.RawMessage `json:"JIT"`
		QueryText string          `json:"Query Text"`
	}
	var d doc
	text = bytes.TrimSpace(text)
	if len(text) > 0 && text[0] == '[' {
		var all []doc
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, fmt.Errorf("reading a plan: %w", err)
		}
		if len(all) != 1 {
			return nil, fmt.Errorf("reading a plan: %d plans where one statement has one", len(all))
		}
		d = all[0]
	} else if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("reading a plan: %w", err)
	}
	if d.Plan == nil {
		return nil, errors.New("reading a plan: no Plan in it")
	}
	p := &Plan{Root: d.Plan, PlanningMS: d.PlanMS, ExecutionMS: d.ExecMS, Triggers: d.Triggers, JIT: len(d.JIT) > 0}
	if len(d.Planning) > 0 {
		var b Node
		if err := json.Unmarshal(d.Planning, &b); err == nil {
			p.PlanningBlocks = b.Blocks()
		}
	}
	link(p.Root)
	return p, nil
}

func link(n *Node) {
	for _, c := range n.Children {
		c.Parent = n
		link(c)
	}
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
