package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// document is what EXPLAIN prints of one statement.
type document struct {
	Plan     *Node             `json:"Plan"`
	Planning *planning         `json:"Planning"`
	PlanMS   float64           `json:"Planning Time"`
	ExecMS   float64           `json:"Execution Time"`
	Triggers []Trigger         `json:"Triggers"`
	JIT      *jit              `json:"JIT"`
	Settings map[string]string `json:"Settings"`
	QueryID  int64             `json:"Query Identifier"`
}

// planning is what planning took; its blocks are in the terms of a node's.
type planning struct {
	Hit  int64 `json:"Shared Hit Blocks"`
	Read int64 `json:"Shared Read Blocks"`
	ioTimes
}

type jit struct {
	Functions float64 `json:"Functions"`
	Timing    struct {
		Total float64 `json:"Total"`
	} `json:"Timing"`
}

// decimals are rows with a fraction, which 18 and later print of every node.
var decimals = regexp.MustCompile(`"Actual Rows": *\d+\.\d`)

// Parse reads the output of EXPLAIN (FORMAT JSON): an array of one plan, or the
// plan itself. It fails on text that is not such a document and on EXPLAIN of a
// statement that has no plan.
func Parse(text []byte) (*Plan, error) {
	var d document
	text = bytes.TrimSpace(text)
	if len(text) > 0 && text[0] == '[' {
		var all []document
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
	p := &Plan{Root: d.Plan, PlanningMS: d.PlanMS, ExecutionMS: d.ExecMS, Triggers: d.Triggers,
		Settings: d.Settings, QueryID: d.QueryID, Decimals: decimals.Match(text)}
	if d.Planning != nil {
		p.PlanningBlocks = d.Planning.Hit + d.Planning.Read
		p.PlanningIOMS = d.Planning.readMS()
	}
	if d.JIT != nil {
		p.JIT, p.JITMS, p.JITFunctions = true, d.JIT.Timing.Total, d.JIT.Functions
	}
	link(p.Root)
	return p, nil
}

func link(n *Node) {
	n.Children = slices.DeleteFunc(n.Children, func(c *Node) bool { return c == nil })
	for _, c := range n.Children {
		c.Parent = n
		link(c)
	}
}
