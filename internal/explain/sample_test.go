package explain

import "fmt"

func ptr[T any](v T) *T { return &v }

// numbered gives the steps of a plan their IDs, the plan its totals.
func numbered(p Plan) Plan {
	for i, s := range stepList(&p) {
		s.ID = i + 1
		if s.Factor == 0 && p.Analyzed && !s.Never && s.Estimated > 0 {
			s.Factor = max(s.Rows, 1) / s.Estimated
		}
	}
	return p
}

// slowSample is a statement that ran: a join under a sort, a scan that reads a table
// for few rows, an index condition that lacks a column.
func slowSample() *Report {
	root := &Step{
		Title: "Limit", Type: "Limit", Cost: 28411, Estimated: 20, Rows: 20, Loops: 1, MS: 412.6, SelfMS: 0.02, Blocks: 18722, Share: 0.00005,
		Children: []*Step{{
			Title: "Sort", Type: "Sort", Cost: 28411, Estimated: 41, Rows: 20, Loops: 1, MS: 412.6, SelfMS: 6.4, Blocks: 18722, Share: 0.0155,
			Details: []string{"Sort Key: r.settled_at DESC", "Sort Method: top-N heapsort Memory: 31kB"},
			Children: []*Step{{
				Title: "Nested Loop", Type: "Nested Loop", Cost: 28410, Estimated: 41, Rows: 18320, Loops: 1, MS: 406.2, SelfMS: 11.9, Blocks: 18722,
				Share: 0.0288, Findings: []int{2},
				Children: []*Step{
					{
						Title: "Seq Scan on rounds r", Type: "Seq Scan", Role: "outer", Relation: "public.rounds", Cost: 27100, Estimated: 41, Rows: 18320,
						Loops: 1, Removed: 981680, MS: 301.4, SelfMS: 301.4, Blocks: 12480, SelfBlocks: 12480, SelfRead: 11343, Share: 0.7305, BlockShare: 0.6666,
						Conditions: []Condition{{"Filter", "((state = 'open'::text) AND (table_id = $1))"}}, Findings: []int{1},
					},
					{
						Title: "Index Scan using bets_round_id_idx on bets b", Type: "Index Scan", Role: "inner", Relation: "public.bets",
						Index: "public.bets_round_id_idx", Cost: 31.9, Estimated: 20500, Rows: 18320, Loops: 18320, Removed: 54960, MS: 92.9, SelfMS: 92.9,
						Blocks: 6242, SelfBlocks: 6242, Share: 0.2252, BlockShare: 0.3334,
						Details:    []string{"Rows Removed by Filter: 3"},
						Conditions: []Condition{{"Index Cond", "(round_id = r.id)"}, {"Filter", "(stake > '100'::numeric)"}}, Findings: []int{3},
					},
				},
			}},
		}},
	}
	return &Report{
		CorrelationID: "pv-7f3a",
		SQL: "select r.id, r.settled_at, b.player_id, b.stake\n  from rounds r join bets b on b.round_id = r.id\n" +
			" where r.table_id = $1 and r.state = 'open' and b.stake > 100\n order by r.settled_at desc limit 20",
		Server:     Server{Version: "15.18", Where: "localhost/casino", Role: "app", Settings: map[string]string{"search_path": "public"}},
		Parameters: []Parameter{{Number: 1, Type: "bigint", Column: "rounds.table_id", Source: "given", Value: ptr("17")}},
		Timing: &Timing{
			Cold: Run{PlanningMS: 1.9, ExecutionMS: 688, Hit: 7379, Read: 11343}, Warm: Run{PlanningMS: 0.42, ExecutionMS: 412.6, Hit: 7379, Read: 11343},
			Runs: 5, Each: []float64{420.1, 409.8, 412.6, 431, 408.2},
		},
		Plans: []Plan{numbered(Plan{
			Label: "given", Analyzed: true, Cost: 28411, Shape: "a1", PlanningMS: 0.42, ExecutionMS: 412.6, Blocks: 18722, HitRatio: ptr(0.394), Root: root,
		})},
		Indexes: []IndexUse{
			{
				Index: "bets_round_id_idx", Relation: "public.bets", Keys: []string{"round_id"}, Step: 5, Condition: "(round_id = r.id)",
				Filter: "(stake > '100'::numeric)", Leading: true, Searches: 18320, Rows: 18320,
			},
			{Index: "rounds_pkey", Relation: "public.rounds", Keys: []string{"id"}},
		},
		Findings: []Finding{
			{
				ID: 1, Heuristic: "selective-seq-scan", Severity: Critical, Step: 4, Share: 0.7305,
				Message: "rounds is read in full, 12,480 blocks, to keep 18,320 of 1,000,000 rows", Advice: "index rounds by table_id and settled_at",
			},
			{
				ID: 2, Heuristic: "row-misestimate", Severity: Critical, Step: 4, Share: 0.61,
				Message: "447 times more rows came than the 41 estimated; the nested loop runs 18,320 times",
				Advice:  "create statistics on (table_id, state), then analyze rounds", Cause: "table_id and state are correlated, and estimated as if they were not",
			},
			{
				ID: 3, Heuristic: "index-filter-residue", Severity: Warning, Step: 5, Share: 0.2252,
				Message: "bets_round_id_idx returns 4 rows for each that is kept", Advice: "add stake to the index",
			},
		},
		Recommendations: []Recommendation{
			{
				Kind: Index, Title: "index rounds by table_id, state and settled_at",
				SQL:  []string{"create index concurrently rounds_table_id_state_settled_at_idx\n    on public.rounds (table_id, state, settled_at desc);"},
				Undo: []string{"drop index concurrently public.rounds_table_id_state_settled_at_idx;"}, Findings: []int{1},
				Cost: "about 30 MiB; one more index entry on each insert, and on updates of state", Verified: Measured,
				Why:    "five interleaved runs on a shadow with 1,000,000 rows",
				Before: &Effect{Cost: 28411, MS: 412.6, Blocks: 18722, Access: "Seq Scan on rounds"},
				After:  &Effect{Cost: 81, MS: 0.31, Blocks: 84, Access: "Index Scan using rounds_table_id_state_settled_at_idx on rounds"},
			},
			{
				Kind: Statistics, Title: "let the planner know how table_id and state go together",
				SQL:      []string{"create statistics rounds_table_id_state on table_id, state from public.rounds;", "analyze public.rounds;"},
				Undo:     []string{"drop statistics public.rounds_table_id_state;"},
				Findings: []int{2}, Verified: Estimated, Why: "planned on a shadow with production's statistics",
				Before: &Effect{Cost: 28411, Access: "Nested Loop"}, After: &Effect{Cost: 19020, Access: "Hash Join"},
			},
			{
				Kind: Caching, Title: "the same parameters come again within seconds",
				Why: "calls are known only from pg_stat_statements, which keeps no values", Cost: "rows up to 5 s old",
			},
		},
		Notes: []string{"the statistics of public.rounds are 9 days old"},
	}
}

// plannedSample is a statement that was not run, with plans that depend on values.
func plannedSample() *Report {
	scan := func(title string, cost, rows float64, cond Condition) *Step {
		return &Step{
			Title: "Aggregate", Type: "Aggregate", Cost: cost + 10, Estimated: 1, Share: 0.01,
			Children: []*Step{{
				Title: title, Type: "Index Scan", Relation: "public.players", Cost: cost, Estimated: rows, Share: 0.99, Conditions: []Condition{cond},
			}},
		}
	}
	seq := Condition{"Filter", "(country = $1)"}
	index := Condition{"Index Cond", "(country = $1)"}
	return &Report{
		SQL: "delete from players where country = $1 and last_seen < now() - $2::interval", Cleaned: []string{"$2 written as $2::interval"},
		Server: Server{Version: "18.4", Where: "shadow", Role: "postgres"},
		Parameters: []Parameter{
			{Number: 1, Type: "text", Column: "players.country", Source: "statistics", Value: ptr("…")},
			{Number: 2, Type: "interval", Source: "guessed"},
		},
		NotRun: "it writes",
		Plans: []Plan{
			numbered(Plan{Label: "generic", Cost: 4100, Shape: "g", Root: scan("Index Scan using players_country_idx on players", 4100, 5000, index)}),
			numbered(Plan{Label: "frequent", Cost: 22000, Shape: "s", Root: scan("Seq Scan on players", 22000, 610000, seq)}),
			numbered(Plan{Label: "rare", Cost: 12.4, Shape: "g", Root: scan("Index Scan using players_country_idx on players", 12.4, 3, index)}),
		},
		Sensitive: true, SensitiveWhy: "frequent values cost 1,774 times what rare ones do, and are read by another plan",
		Findings: []Finding{{
			ID: 1, Heuristic: "parameter-sensitive", Severity: Note, Message: "the generic plan is used after five runs, whatever the value", Advice: "set plan_cache_mode = force_custom_plan for this statement",
		}},
	}
}

// policySample has its row security measured.
func policySample() *Report {
	return &Report{
		SQL: "select id, amount from payments where lower(reference) = $1", Server: Server{Version: "17.10", Where: "localhost/bank", Role: "authenticated"},
		Parameters: []Parameter{{Number: 1, Type: "text", Source: "given", Value: ptr("x|y`z")}},
		Timing:     &Timing{Cold: Run{PlanningMS: 0.6, ExecutionMS: 171, Hit: 40, Read: 900}, Warm: Run{PlanningMS: 0.3, ExecutionMS: 168, Hit: 940}, Runs: 3},
		Plans: []Plan{numbered(Plan{
			Label: "given", Analyzed: true, Cost: 9000, Shape: "p", ExecutionMS: 168, Blocks: 940, HitRatio: ptr(1.0),
			Root: &Step{
				Title: "Result", Type: "Result", Estimated: 1, Rows: 1, Loops: 1, Cost: 9000, MS: 168, SelfMS: 0.1, Blocks: 940, Share: 0.0006,
				Children: []*Step{
					{
						Title: "Seq Scan on payments", Type: "Seq Scan", Relation: "public.payments", Estimated: 250, Rows: 1, Loops: 1, Removed: 49999, Cost: 9000,
						MS: 167.9, SelfMS: 167.9, Blocks: 940, SelfBlocks: 940, Share: 0.9994, BlockShare: 1, Findings: []int{1},
						Conditions: []Condition{{"Filter", "((owner_id = auth.uid()) AND (lower(reference) = $1))"}},
					},
					{Title: "Seq Scan on audit", Type: "Seq Scan", Role: "SubPlan 1", Relation: "public.audit", Estimated: 10, Never: true},
				},
			},
		})},
		Findings: []Finding{{
			ID: 1, Heuristic: "rls-row-function", Severity: Critical, Step: 2, Share: 0.9994,
			Message: "auth.uid() is called for each of 50,000 rows", Advice: "write (select auth.uid()) in the policy",
		}},
		RLS: &Overhead{
			Role: "authenticated", Enforced: Arm{MS: 168, Blocks: 940, Rows: 1, Cost: 9000}, Ideal: Arm{MS: 0.08, Blocks: 4, Rows: 1, Cost: 8.3},
			Naked: &Arm{MS: 0.09, Blocks: 5, Rows: 2, Cost: 8.3}, Rounds: 9, SameRows: true, MS: 167.92, Ratio: 2100,
			Policies: []PolicyCost{{
				Table: "public.payments", Policy: "own payments", Using: "(owner_id = auth.uid())", ForEverybody: true,
				Functions: []PolicyCall{{Function: "auth.uid()", Evaluated: "per row", Calls: 50000}},
			}},
			Demoted: []Demotion{{
				Table: "public.payments", Condition: "lower(reference) = $1", Operator: "lower(text)", Index: "payments_lower_reference_idx",
				Advice: "store the lower-case reference in a column of its own",
			}},
			Remedies: []Recommendation{{
				Kind: Rewrite, Title: "call auth.uid() once a query",
				SQL:      []string{"alter policy \"own payments\" on public.payments\n    using (owner_id = (select auth.uid()));"},
				Verified: Measured, Why: "nine interleaved rounds", Before: &Effect{MS: 168, Blocks: 940, Access: "Seq Scan on payments"},
				After: &Effect{MS: 9.1, Blocks: 940, Access: "Seq Scan on payments"},
			}},
		},
	}
}

// hostileText would act on a terminal, end a script, a fence, a cell or a comment,
// or turn the reading order.
const hostileText = "a\x00b\x1b[2J\x1b]0;t\x07\xff </script><script>alert(1)</script><img src=x onerror=alert(2)> ```\n~~~ | ` --> @team [y](javascript:z) \u202etxt\u2066 \"'&lt; {{.X}}"

// hostileSample has it in each of its texts.
func hostileSample() *Report {
	s := hostileText
	step := func(id int, children ...*Step) *Step {
		return &Step{
			ID: id, Title: s, Type: s, Role: s, Relation: s, Index: s, Estimated: 10, Rows: 5000, Loops: 3, Factor: 500, SelfMS: 1, Share: 0.5,
			Conditions: []Condition{{s, s}}, Details: []string{s}, Findings: []int{1}, Children: children,
		}
	}
	rec := Recommendation{
		Kind: s, Title: s, SQL: []string{s}, Query: s, Undo: []string{s}, Replaces: []string{s}, Findings: []int{1}, Cost: s, Verified: Measured,
		Why: "connect to postgres://a:s3cret@h/d " + s, Before: &Effect{MS: 9, Access: s}, After: &Effect{MS: 1, Access: "x"},
	}
	plan := Plan{Label: s, Analyzed: true, Shape: s, Root: step(1, step(2), step(3))}
	other := plan
	other.Shape = "x"
	return &Report{
		CorrelationID: s, SQL: s, Cleaned: []string{s}, Server: Server{s, s, s, map[string]string{s: s}}, NotRun: "password=s3cret " + s,
		Parameters: []Parameter{{1, s, s, s, &rec.Title}}, Plans: []Plan{plan, other}, Sensitive: true, SensitiveWhy: s,
		Indexes:         []IndexUse{{Index: s, Relation: s, Keys: []string{s}, Step: 1, Condition: s, Filter: s, UnusedKeys: []string{s}}},
		Findings:        []Finding{{1, s, s, 1, 0.5, s, s, s}},
		Recommendations: []Recommendation{rec}, Notes: []string{s, "password=s3cret"},
		RLS: &Overhead{
			Role: s, SameRows: true, Naked: &Arm{SQL: s}, Policies: []PolicyCost{{s, s, s, []PolicyCall{{s, s, 2}}, true}},
			Demoted: []Demotion{{s, s, s, s, s}}, Remedies: []Recommendation{rec},
		},
	}
}

// bigSample is a plan of n steps: an append of joins.
func bigSample(n int) *Report {
	r := slowSample()
	root := &Step{Title: "Append", Type: "Append", Estimated: 1000, Rows: 1200, Loops: 1, SelfMS: 1, Share: 0.01}
	for i := 0; len(stepList(&Plan{Root: root})) < n; i++ {
		root.Children = append(root.Children, &Step{
			Title: "Nested Loop", Type: "Nested Loop", Estimated: 10, Rows: 12, Loops: 1, SelfMS: 0.1, Share: 0.002,
			Children: []*Step{
				{Title: fmt.Sprintf("Seq Scan on events_%04d", i), Type: "Seq Scan", Relation: "public.events", Estimated: 10, Rows: 12, Loops: 1, SelfMS: 0.4, Share: 0.01},
				{Title: "Index Scan using users_pkey on users", Type: "Index Scan", Index: "users_pkey", Estimated: 1, Rows: 12, Loops: 12, SelfMS: 0.1, Share: 0.002,
					Conditions: []Condition{{"Index Cond", "(id = events.user_id)"}}},
			},
		})
	}
	r.Plans[0].Root = root
	r.Plans[0] = numbered(r.Plans[0])
	return r
}

// deepSample is a plan of n steps, each below the last.
func deepSample(n int) *Report {
	r := slowSample()
	for i := range n {
		r.Plans[0].Root = &Step{Title: fmt.Sprintf("Hash Left Join %d", i), Type: "Hash Join", Estimated: 1e6, Rows: 1e8, Loops: 1, Children: []*Step{r.Plans[0].Root}}
	}
	r.Plans[0] = numbered(r.Plans[0])
	return r
}
