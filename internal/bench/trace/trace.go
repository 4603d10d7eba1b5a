// Package trace is the file of a recorded A/B run: what a gate was decided on, and what
// the gate's own examination draws its runs from.
//
// A file is JSON lines. The first is the Header, {"planvet_trace":1,"case":…}; each
// further one is an arm of a round:
//
//	{"epoch":0,"round":0,"arm":"A","samples_ms":[1.25,1.31],"errors":0,"dropped":0,"bytes":512}
//
// Epochs and rounds count from 0 and rise in the order of the file; a round has the arms
// A and B, one line each, in either order. samples_ms are the latencies of right answers
// as they came. errors, dropped and bytes may be left out where they are 0.
package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/planvet/planvet/internal/bench/gate"
)

// Version is the format's. A reader takes its own only.
const Version = 1

// Header is the first line.
type Header struct {
	Version int    `json:"planvet_trace"`
	Case    string `json:"case"`
	// Host and Server say in words where it was measured.
	Host   string `json:"host,omitempty"`
	Server string `json:"server,omitempty"`
	Note   string `json:"note,omitempty"`
}

type line struct {
	Epoch   int       `json:"epoch"`
	Round   int       `json:"round"`
	Arm     string    `json:"arm"`
	Samples []float64 `json:"samples_ms"`
	Errors  int       `json:"errors,omitempty"`
	Dropped int       `json:"dropped,omitempty"`
	Bytes   int64     `json:"bytes,omitempty"`
}

// Write writes a run. It sets the header's version.
func Write(w io.Writer, h Header, epochs []gate.Epoch) error {
	h.Version = Version
	out := json.NewEncoder(w)
	if err := out.Encode(h); err != nil {
		return err
	}
	for e, epoch := range epochs {
		for r, round := range epoch.Rounds {
			for _, arm := range []struct {
				name string
				gate.Arm
			}{{"A", round.A}, {"B", round.B}} {
				samples := arm.Samples
				if samples == nil {
					samples = []float64{}
				}
				if err := out.Encode(line{e, r, arm.name, samples, arm.Errors, arm.Dropped, arm.Bytes}); err != nil {
					return fmt.Errorf("epoch %d, round %d, arm %s: %w", e, r, arm.name, err)
				}
			}
		}
	}
	return nil
}

// Read reads a run. A line that is not of the format is an error that names it: another
// version, an unknown key, a sample that is not over 0, an arm twice, a round with one
// arm, a gap in the numbers.
func Read(in io.Reader) (Header, []gate.Epoch, error) {
	var h Header
	var epochs []gate.Epoch
	lines := bufio.NewReader(in)
	var seen string // arms of the last round
	for n := 1; ; n++ {
		text, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return h, nil, err
		}
		last := errors.Is(err, io.EOF)
		if text = bytes.TrimSpace(text); len(text) > 0 {
			if n == 1 {
				if err = strict(text, &h); err == nil && h.Version != Version {
					err = fmt.Errorf("planvet_trace is %d, this reads %d", h.Version, Version)
				}
			} else {
				epochs, seen, err = addLine(epochs, seen, text)
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return h, nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
		if last {
			break
		}
	}
	if h.Version == 0 {
		return h, nil, fmt.Errorf("line 1: no header with planvet_trace")
	}
	if len(seen) == 1 {
		return h, nil, fmt.Errorf("the last round has arm %s alone", seen)
	}
	return h, epochs, nil
}

func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("more than one value")
	}
	return nil
}

// addLine adds an arm. seen is the arms that the last round has.
func addLine(epochs []gate.Epoch, seen string, text []byte) ([]gate.Epoch, string, error) {
	var l line
	if err := strict(text, &l); err != nil {
		return nil, "", err
	}
	if l.Arm != "A" && l.Arm != "B" {
		return nil, "", fmt.Errorf("arm is %q, not A or B", l.Arm)
	}
	if l.Errors < 0 || l.Dropped < 0 || l.Bytes < 0 {
		return nil, "", fmt.Errorf("a number under 0")
	}
	for _, ms := range l.Samples {
		if !(ms > 0) {
			return nil, "", fmt.Errorf("a sample of %g ms", ms)
		}
	}
	last := len(epochs) - 1
	if last < 0 || len(seen) == 2 { // a new round
		switch {
		case l.Epoch == last+1 && l.Round == 0:
			epochs = append(epochs, gate.Epoch{})
			last++
		case last >= 0 && l.Epoch == last && l.Round == len(epochs[last].Rounds):
		default:
			return nil, "", fmt.Errorf("epoch %d, round %d is not the next", l.Epoch, l.Round)
		}
		epochs[last].Rounds = append(epochs[last].Rounds, gate.Round{})
		seen = ""
	}
	rounds := epochs[last].Rounds
	if l.Epoch != last || l.Round != len(rounds)-1 {
		return nil, "", fmt.Errorf("epoch %d, round %d begins, the one before has arm %s alone", l.Epoch, l.Round, seen)
	}
	if seen == l.Arm {
		return nil, "", fmt.Errorf("arm %s of epoch %d, round %d stands twice", l.Arm, l.Epoch, l.Round)
	}
	arm := gate.Arm{Samples: l.Samples, Errors: l.Errors, Dropped: l.Dropped, Bytes: l.Bytes}
	if l.Arm == "A" {
		rounds[len(rounds)-1].A = arm
	} else {
		rounds[len(rounds)-1].B = arm
	}
	return epochs, seen + l.Arm, nil
}
