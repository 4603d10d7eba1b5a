package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
	sqlsource "github.com/planvet/planvet/internal/source"
	"github.com/planvet/planvet/internal/stats"
)

// readWorkload reads what --statements names: a server's pg_stat_statements, or a file
// that planvet monitor wrote. It is nil where nothing is named.
func readWorkload(c *cli.Context) (*engine.Workload, error) {
	where := c.String("statements")
	switch {
	case where == "" && c.IsSet("statements"):
		return nil, usage(errors.New("--statements: name a URL, or a file of planvet monitor"))
	case where == "":
		return nil, nil
	case strings.Contains(where, "://"):
		return serverWorkload(c, where)
	}
	return fileWorkload(c, where)
}

// serverWorkload reads a server.
func serverWorkload(c *cli.Context, url string) (*engine.Workload, error) {
	s, err := engine.Connect(c.Context, url, live.Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close(c.Context)
	st, err := s.Statements(c.Context)
	if err != nil {
		return nil, err
	}
	roles, err := s.StatementRoles(c.Context, st.All)
	if err != nil {
		return nil, err
	}
	w := workloadOf(st, roles)
	w.From, w.Schema = "the server at "+s.Where(), func(ctx context.Context, statements []string) (string, *stats.File, error) {
		return serverSchema(ctx, url, statements)
	}
	if st.Hidden > 0 {
		who, err := s.Query(c.Context, "select current_user::text")
		if err != nil {
			return nil, err
		}
		w.Missing = fmt.Sprintf("%d statements of other roles are hidden from %s: grant pg_read_all_stats to it", st.Hidden, *who[0][0])
	}
	return w, nil
}

// serverSchema reads what statements name of a server's schema, and its statistics
// without values.
func serverSchema(ctx context.Context, url string, statements []string) (text string, _ *stats.File, err error) {
	s, err := engine.Connect(ctx, url, live.Options{})
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	schema, err := s.DumpSchema(ctx, live.Part{Texts: statements})
	if err != nil {
		return "", nil, err
	}
	f, err := s.DumpStatistics(ctx, false)
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	b.WriteString("set check_function_bodies = off;\n")
	for _, st := range schema.Statements {
		b.WriteString(strings.TrimRight(st.SQL, "; \n") + ";\n")
	}
	return b.String(), f, nil
}

// workloadOf are the rows of a reading, without planvet's own.
func workloadOf(st *live.Statements, roles map[int64]live.StatementRole) *engine.Workload {
	w := &engine.Workload{}
	for i := range st.All {
		r := &st.All[i]
		if strings.Contains(r.Query, live.Mark) || r.Query == live.HiddenText {
			continue
		}
		role, known := roles[r.UserID]
		w.Rows = append(w.Rows, sqlsource.Row{
			QueryIDs: []string{strconv.FormatInt(r.QueryID, 10)}, SQL: r.Query, Calls: r.Calls, TotalMS: r.ExecMS,
			Role: role.Name, RoleKnown: known, Exempt: role.Owns, ExemptAll: role.Bypasses,
		})
	}
	return w
}

// fileWorkload reads the report of planvet monitor --format json, or the last reading
// of its history. Neither names roles.
func fileWorkload(c *cli.Context, path string) (*engine.Workload, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usage(fmt.Errorf("--statements: %w", err))
	}
	defer f.Close()
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("--statements %s: %w", path, err)
	}
	if bytes.HasPrefix(head[:n], []byte(`{"v":`)) {
		return historyWorkload(c, path)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var r monitor.Report
	if err := json.NewDecoder(f).Decode(&r); err != nil || r.To.IsZero() {
		return nil, usage(fmt.Errorf("--statements %s: it is no report of planvet monitor --format json, of one server, and no history of --json-output", path))
	}
	if r.Version != monitor.FormatVersion {
		return nil, usage(fmt.Errorf("--statements %s: it is of version %d, this planvet knows %d", path, r.Version, monitor.FormatVersion))
	}
	w := &engine.Workload{From: path, TotalMS: r.Totals.ExecMS}
	if len(r.Top) < r.Statements {
		w.Missing = fmt.Sprintf("%d of %d statements are in %s: planvet monitor --top 0 writes all", len(r.Top), r.Statements, path)
	}
	for i := range r.Top {
		q := &r.Top[i]
		w.Rows = append(w.Rows, sqlsource.Row{QueryIDs: q.QueryIDs, SQL: q.SQL, Calls: q.Calls, TotalMS: q.ExecMS})
	}
	return w, nil
}

func historyWorkload(c *cli.Context, path string) (*engine.Workload, error) {
	h, err := readHistory(c.Context, path, "")
	if err != nil {
		return nil, err
	}
	var last *monitor.Reading
	err = h.Readings(c.Context, func(r *monitor.Reading) error {
		last = r
		return nil
	})
	if err := errors.Join(err, h.Close(c.Context)); err != nil {
		return nil, err
	}
	if last == nil {
		return nil, usage(fmt.Errorf("--statements %s: the history has no reading", path))
	}
	w := workloadOf(last.Statements, nil)
	w.From = path
	return w, nil
}

// workloadRead is the report's view of what a workload gave; nil without one.
func workloadRead(p *engine.Project) *report.Workload {
	if p.Ran == nil {
		return nil
	}
	w := &report.Workload{From: p.Ran.From, Known: p.Ran.Known, Added: p.Ran.Added, LeftOut: []report.LeftOut{}}
	for _, l := range p.Ran.LeftOut {
		w.LeftOut = append(w.LeftOut, report.LeftOut{Reason: l.Why, Count: l.N})
	}
	return w
}
