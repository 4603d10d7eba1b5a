package selftest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/planvet/planvet/internal/bench/ab"
	"github.com/planvet/planvet/internal/bench/load"
)

// Plan says which live gates are held.
type Plan struct {
	// Gates are how many of each scenario, under the noises in turn.
	Gates     int
	Scenarios []Scenario
	Noises    []string
	// Cases are names of Cases; each gate judges all of them.
	Cases []string
	// State is a file that keeps what was decided, so that an examination can be ended and
	// gone on with; "" keeps nothing.
	State string
	// Say is told a line before the first gate and after each; Progress what is going on.
	Say      func(string)
	Progress func(what string, done, total int)
}

// Cases are the names of what can be measured, and of what is where nothing else is said.
func Cases() (names, byDefault []string) {
	for i, w := range works {
		names = append(names, w.name)
		if i < len(usual) {
			byDefault = append(byDefault, w.name)
		}
	}
	return names, byDefault
}

// state is the file.
type state struct {
	Version  int       `json:"planvet_selftest"`
	Outcomes []Outcome `json:"outcomes"`
}

// Live holds the gates of a plan that its state does not have yet and returns the outcomes
// of all. Where the context ends, those until then are returned with its error.
func (a *Arena) Live(ctx context.Context, p Plan) ([]Outcome, error) {
	known, err := read(p.State)
	if err != nil {
		return nil, err
	}
	var chosen []work
	for _, w := range works {
		if slices.Contains(p.Cases, w.name) {
			chosen = append(chosen, w)
		}
	}
	type one struct {
		s     Scenario
		noise string
	}
	have := map[string]int{}
	for _, o := range known {
		if o.Case == chosen[0].name {
			have[o.Scenario+" "+o.Noise]++
		}
	}
	var todo []one
	for i := range p.Gates {
		for _, s := range p.Scenarios {
			noise := p.Noises[i%len(p.Noises)]
			if key := s.Name + " " + noise; have[key] > 0 {
				have[key]--
				continue
			}
			todo = append(todo, one{s, noise})
		}
	}
	round, err := a.round(ctx, chosen)
	if err != nil {
		return nil, err
	}
	estimate := func(left []one, slower float64) (d time.Duration) {
		for _, o := range left {
			d += time.Duration(o.s.rounds() * slower * float64(round))
		}
		return d
	}
	p.Say(fmt.Sprintf("%d gates of %d cases each are left of %d, that takes about %s: a round takes %s", len(todo), len(chosen), p.Gates*len(p.Scenarios), short(estimate(todo, 1)), short(round)))
	began := time.Now()
	for i, o := range todo {
		out, err := a.live(ctx, o.s, o.noise, chosen, rand.Uint64(), p.Progress)
		if err != nil {
			return known, err
		}
		known = append(known, out...)
		if err := write(p.State, known); err != nil {
			return known, err
		}
		// How much slower than estimated it was until now, it will be.
		slower := float64(time.Since(began)) / float64(estimate(todo[:i+1], 1))
		line := fmt.Sprintf("%d of %d: %s, %s:", i+1, len(todo), o.s.Name, o.noise)
		for _, o := range out {
			line += fmt.Sprintf(" %s %s", o.Case, o.Verdict)
			if len(o.Labels) > 0 {
				line += fmt.Sprint(" ", o.Labels)
			}
			line += ";"
		}
		p.Say(line + fmt.Sprintf(" about %s left", short(estimate(todo[i+1:], slower))))
	}
	return known, nil
}

func short(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Minute)
}

// rounds is about how many a gate takes, of both stages: what is found is confirmed.
func (s Scenario) rounds() float64 {
	switch f := s.Slowdown.Factor; {
	case f >= 1.10:
		return 70
	case f > 1:
		return 72
	}
	return 38
}

// round measures what a round of all works takes, with its part of what is thrown away.
func (a *Arena) round(ctx context.Context, chosen []work) (sum time.Duration, err error) {
	const requests = 30
	for _, w := range chosen {
		c, err := a.open(ctx, 0, w, Slowdown{Factor: 1})
		if err != nil {
			return 0, err
		}
		took, failed := spent(ctx, c, requests)
		c.Close()
		if failed != "" {
			return 0, errors.Join(fmt.Errorf("%s: %s", w.name, failed), ctx.Err())
		}
		sum += took * 100 / requests * (ab.EpochRounds + ab.Discarded) / ab.EpochRounds
	}
	return sum, nil
}

func spent(ctx context.Context, c load.Client, requests int) (took time.Duration, failed string) {
	for range requests {
		o := c.Do(ctx)
		took, failed = took+o.End.Sub(o.Begin), o.Class
		if failed != "" {
			break
		}
	}
	return took, failed
}

func read(file string) ([]Outcome, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil || s.Version != 1 {
		return nil, fmt.Errorf("%s is not the state of an examination", file)
	}
	return s.Outcomes, nil
}

// write replaces the file whole: an examination may be killed at any time.
func write(file string, outcomes []Outcome) error {
	if file == "" {
		return nil
	}
	text, err := json.Marshal(state{Version: 1, Outcomes: outcomes})
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o666); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
