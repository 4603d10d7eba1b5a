package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
)

// patience is how long a reading may take, where the interval is shorter.
const patience = 10 * time.Second

// watch reads at every interval until it is told to stop: live on a terminal, as one
// report after another elsewhere.
func watch(w *recorder, o monitor.Options) error {
	interval := cmp.Or(w.c.Duration("interval"), 10*time.Second)
	// A watch has time, and runs beside what it watches: memory is worth more than work.
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	if w.c.String("format") == "text" && w.c.String("output") == "" {
		screen, err := report.OpenScreen(w.c.App.Writer, os.Stdin)
		if err != nil {
			return fmt.Errorf("taking the terminal over: %w", err)
		}
		if screen != nil {
			return watchScreen(w, o, interval, screen)
		}
	}
	return writeTo(w.c.App.Writer, w.c.String("output"), func(out io.Writer) error { return watchPlain(w, o, interval, out) })
}

// round is one reading of all servers.
type round struct {
	targets []monitor.Target
	at      time.Time
	// failure is a panic of the goroutine that reads.
	failure any
}

// rounds reads now and at every interval until ctx ends.
func rounds(ctx context.Context, f *monitor.Fleet, o monitor.Options, interval time.Duration) <-chan round {
	out := make(chan round)
	go func() {
		defer close(out)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			r := readRound(ctx, f, o, interval)
			select {
			case out <- r:
			case <-ctx.Done():
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func readRound(ctx context.Context, f *monitor.Fleet, o monitor.Options, interval time.Duration) (r round) {
	// Whoever holds the terminal gives it back first, and fails then.
	defer func() {
		if p := recover(); p != nil {
			r.failure = p
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, max(interval, patience))
	defer cancel()
	r.targets = f.Read(ctx, o)
	r.at = time.Now()
	return r
}

// watchScreen shows a live view. The first reading is what happened since the counters
// were reset.
func watchScreen(w *recorder, o monitor.Options, interval time.Duration, screen *report.Screen) error {
	w.screen = true
	defer func() {
		screen.Close()
		if w.unsent != nil && w.c.Context.Err() == nil {
			fmt.Fprintf(w.c.App.ErrWriter, "planvet: %v\n", w.unsent)
		}
	}()
	ctx, stop := context.WithCancel(w.c.Context)
	view := &monitor.View{Interval: interval, Sort: o.Sort, Color: report.ColorFor(w.c.App.Writer, w.c.String("color"))}
	top := o.Top
	o.Top = 0
	incoming := rounds(ctx, w.f, o, interval)
	defer func() {
		screen.Close() // before anything that takes time
		stop()
		for range incoming { // a session is not closed while it is read
		}
	}()
	keys, sizes := screen.Keys(), time.NewTicker(200*time.Millisecond)
	defer sizes.Stop()
	width, height := 0, 0
	first := true
	for {
		if x, y := screen.Size(); x != width || y != height {
			width, height = x, y
			screen.Redraw()
		}
		if err := screen.Draw(view.Lines(width, height)); err != nil {
			return fmt.Errorf("drawing: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-sizes.C: // works on every system, as a signal would not
		case key, ok := <-keys:
			if !ok || view.Key(key) {
				return nil
			}
		case r, ok := <-incoming:
			switch {
			case !ok:
				return nil
			case r.failure != nil:
				panic(r.failure)
			case first:
				if err := unanswered(w, r.targets); err != nil {
					return err
				}
				first = false
			default:
				if err := w.record(shownTop(r.targets, top)); err != nil {
					return err
				}
				w.keepSending(r.targets)
			}
			view.Update(r.targets, r.at)
		}
	}
}

// unanswered is the error of a watch that no server answers at its start: a mistake in
// a URL is not waited for.
func unanswered(w *recorder, targets []monitor.Target) error {
	if answered(targets) > 0 {
		return nil
	}
	return unread(w.c, targets)
}

// shownTop are targets with the first statements alone, which is what is recorded.
func shownTop(targets []monitor.Target, top int) []monitor.Target {
	out := make([]monitor.Target, len(targets))
	for i, t := range targets {
		if out[i] = t; t.Report != nil && top > 0 && len(t.Report.Top) > top {
			r := *t.Report
			r.Top = r.Top[:top]
			out[i].Report = &r
		}
	}
	return out
}

// watchPlain writes a report for each interval, under a line with the time. JSON has
// no such lines.
func watchPlain(w *recorder, o monitor.Options, interval time.Duration, out io.Writer) error {
	down := map[string]bool{}
	first := true
	ctx, stop := context.WithCancel(w.c.Context)
	incoming := rounds(ctx, w.f, o, interval)
	defer func() {
		stop()
		for range incoming {
		}
	}()
	for r := range incoming {
		if r.failure != nil {
			panic(r.failure)
		}
		if first {
			if err := unanswered(w, r.targets); err != nil {
				return err
			}
			first = false
			continue // the first interval begins here
		}
		if w.c.Context.Err() != nil {
			break
		}
		for i := range r.targets {
			t := &r.targets[i]
			if t.Report == nil && !down[t.Name] {
				fmt.Fprintf(w.c.App.ErrWriter, "planvet: %s\n", strings.TrimPrefix(t.Name+": "+t.Error, ": "))
			}
			down[t.Name] = t.Report == nil
		}
		if answered(r.targets) == 0 {
			continue
		}
		if err := w.record(r.targets); err != nil {
			return err
		}
		w.keepSending(r.targets)
		if w.c.String("format") != "json" {
			if _, err := fmt.Fprintf(out, "--- %s UTC\n", r.at.UTC().Format(time.DateTime)); err != nil {
				return err
			}
		}
		if err := writeMonitor(w.c, out, r.targets, w.id); err != nil {
			return err
		}
	}
	return nil
}
