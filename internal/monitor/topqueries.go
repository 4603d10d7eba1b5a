package monitor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/report"
)

// The living document of the most expensive statements. What planvet writes stands
// between two marks, and what people write anywhere else, or in the notes of a
// statement, stays. The first mark carries the figures of this time, with which the
// next time compares.
const (
	topBegin   = "<!-- planvet:top-queries "
	topEnd     = "<!-- /planvet:top-queries -->"
	notesBegin = "<!-- planvet:notes "
	notesEnd   = "<!-- /planvet:notes -->"
)

// topState is what the document remembers, in its first mark.
type topState struct {
	Version int       `json:"v"`
	At      time.Time `json:"at"`
	// Reset is that of the counters: figures of one count compare with each other.
	Reset   time.Time         `json:"reset,omitzero"`
	Queries []rememberedQuery `json:"queries"`
}

type rememberedQuery struct {
	Key    string  `json:"key"`
	Rank   int     `json:"rank"`
	Calls  int64   `json:"calls"`
	ExecMS float64 `json:"exec_ms"`
	// MeanMS is of the time up to this document since the one before.
	MeanMS float64 `json:"mean_ms"`
	SQL    string  `json:"sql"`
}

// ErrDocument says that a document's marks are broken, so that nothing is replaced.
var ErrDocument = errors.New("the document's marks are broken")

var topMark = regexp.MustCompile(`(?s)<!-- planvet:top-queries (\{.*?\}) -->`)

// split takes a document apart: what stands before and after the part of planvet's,
// and what that part remembers. A document without marks is all before.
func split(doc []byte) (before, after []byte, state *topState, err error) {
	m := topMark.FindSubmatchIndex(doc)
	if m == nil {
		if bytes.Contains(doc, []byte(topBegin)) || bytes.Contains(doc, []byte(topEnd)) {
			return nil, nil, nil, fmt.Errorf("%w: the first mark is not whole", ErrDocument)
		}
		return doc, nil, nil, nil
	}
	state = &topState{}
	// "--" would end a comment; it is written as an escape.
	if err := json.Unmarshal(doc[m[2]:m[3]], state); err != nil {
		return nil, nil, nil, fmt.Errorf("%w: the figures in the first mark: %w", ErrDocument, err)
	}
	end := bytes.Index(doc[m[1]:], []byte(topEnd))
	if end < 0 || bytes.Count(doc, []byte(topEnd)) != 1 {
		return nil, nil, nil, fmt.Errorf("%w: %s does not stand there once", ErrDocument, topEnd)
	}
	return doc[:m[0]], doc[m[1]+end+len(topEnd):], state, nil
}

var notesMark = regexp.MustCompile(`(?s)<!-- planvet:notes (\S+) -->\n(.*?)<!-- /planvet:notes -->`)

// handNotes are the notes by statement; what planvet itself put there is none.
func handNotes(doc []byte) (map[string]string, []string, error) {
	if bytes.Count(doc, []byte(notesBegin)) != bytes.Count(doc, []byte(notesEnd)) {
		return nil, nil, fmt.Errorf("%w: %s and %s do not pair", ErrDocument, strings.TrimSpace(notesBegin), notesEnd)
	}
	out, order := map[string]string{}, []string(nil)
	for _, m := range notesMark.FindAllSubmatch(doc, -1) {
		text := strings.TrimSpace(string(m[2]))
		if text != "" && text != noNotes {
			out[string(m[1])] = text
			order = append(order, string(m[1]))
		}
	}
	return out, order, nil
}

const noNotes = "_No notes yet: what is written here stays._"

// Age is when the document's figures were taken; an error where it has none.
func Age(doc []byte) (time.Time, error) {
	_, _, state, err := split(doc)
	if err != nil {
		return time.Time{}, err
	}
	if state == nil {
		return time.Time{}, errors.New("it has no figures of planvet's yet")
	}
	return state.At, nil
}

// UpdateTop writes the statements of a report into a document: doc is what was there,
// nil for a new one. Owners are places of the code by fingerprint. Notes of statements
// that have left the list are kept at its end.
func UpdateTop(doc []byte, r *Report, owners map[string]string) ([]byte, error) {
	before, after, old, err := split(doc)
	if err != nil {
		return nil, err
	}
	notes, order, err := handNotes(doc)
	if err != nil {
		return nil, err
	}
	if len(doc) == 0 {
		before = []byte(topTitle)
	}
	d := &topDocument{r: r, owners: owners, notes: notes, old: map[string]rememberedQuery{}, state: topState{Version: FormatVersion, At: r.To.UTC().Truncate(time.Second), Reset: r.From}}
	if old != nil {
		d.since, d.same = old.At, old.Reset.Equal(r.From) && !r.Interval
		for _, q := range old.Queries {
			d.old[q.Key] = q
		}
	}
	body := d.body(order)
	// No HTML is escaped by the encoder's default away from us: < and > become escapes,
	// and so does every second dash.
	state, err := json.Marshal(d.state)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Write(before)
	out.WriteString(topBegin + strings.ReplaceAll(string(state), "--", `-\u002d`) + " -->\n" + body + topEnd)
	if out.Write(after); len(after) == 0 {
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

const topTitle = `# Top queries

The most expensive statements of the database. ` + "`planvet top-queries`" + ` rewrites what stands between its marks; text
before and after them, and the notes of each statement, are yours and stay.

`

type topDocument struct {
	r      *Report
	owners map[string]string
	notes  map[string]string
	old    map[string]rememberedQuery
	since  time.Time
	// same is set where the counters are those of the last document.
	same  bool
	state topState
}

func keyOfQuery(q *Query) string {
	if q.Fingerprint != "" {
		return q.Fingerprint
	}
	return "id" + q.QueryIDs[0]
}

var topColumns = []report.Column{
	{Title: "#", Right: true}, {Title: "status"}, {Title: "total", Right: true}, {Title: "share", Right: true}, {Title: "calls", Right: true},
	{Title: "mean", Right: true}, {Title: "mean before", Right: true}, {Title: "owner"}, {Title: "statement"},
}

func (d *topDocument) body(order []string) string {
	var b strings.Builder
	span := "since the counters were reset"
	if d.r.Interval {
		span = "from " + d.r.From.UTC().Format(time.DateOnly) + " on"
	} else if !d.r.From.IsZero() {
		span += " on " + d.r.From.UTC().Format(time.DateOnly)
	}
	fmt.Fprintf(&b, "_%s UTC, %s, %s: by %s time %s._\n\n", d.r.To.UTC().Format("2006-01-02 15:04"), d.r.Server.Name(),
		report.MarkdownText(d.r.Server.Where), d.r.Sort, span)
	var rows [][]string
	var details strings.Builder
	listed := map[string]bool{}
	for i := range d.r.Top {
		q := &d.r.Top[i]
		key, sql := keyOfQuery(q), inert(q.SQL)
		listed[key] = true
		mean, was, status := d.compare(q, key)
		d.state.Queries = append(d.state.Queries, rememberedQuery{Key: key, Rank: q.Rank, Calls: q.Calls, ExecMS: q.ExecMS, MeanMS: mean, SQL: report.Shorten(strings.Join(strings.Fields(sql), " "), 120)})
		owner := report.MarkdownCode(cmp.Or(d.owners[q.Fingerprint], q.Owner))
		rows = append(rows, []string{
			fmt.Sprint(q.Rank), status, report.MS(q.ExecMS), report.Percent(q.Share), report.Short(float64(q.Calls)), report.MS(mean), was, owner,
			report.MarkdownCode(report.Shorten(strings.Join(strings.Fields(sql), " "), 80)),
		})
		fmt.Fprintf(&details, "\n### %d. %s\n\n", q.Rank, report.MarkdownText(title(q)))
		details.WriteString(report.MarkdownFence("sql", report.Shorten(sql, 4000)))
		for _, f := range q.Flags {
			fmt.Fprintf(&details, "\n- **%s**: %s", f.Name, report.MarkdownText(f.Message))
		}
		if owner != "" {
			fmt.Fprintf(&details, "\nSent by %s.\n", owner)
		}
		d.note(&details, key)
	}
	b.WriteString(report.MarkdownTable(topColumns, rows))
	b.WriteString(details.String())
	d.left(&b, order, listed)
	return b.String()
}

// inert keeps a statement from looking like one of the document's marks.
func inert(sql string) string { return strings.ReplaceAll(sql, "<!--", "<! --") }

// title is what a statement does, in short: primary-key-lookup on public.visits.
func title(q *Query) string {
	t := string(q.Class)
	if len(q.Tables) > 0 {
		t += " on " + strings.Join(q.Tables[:min(len(q.Tables), 3)], ", ")
	}
	return t
}

func (d *topDocument) note(b *strings.Builder, key string) {
	fmt.Fprintf(b, "\n%s%s -->\n%s\n%s\n", notesBegin, key, cmp.Or(d.notes[key], noNotes), notesEnd)
}

// left keeps the notes of statements that are not listed any more.
func (d *topDocument) left(b *strings.Builder, order []string, listed map[string]bool) {
	first := true
	for _, key := range order {
		if listed[key] {
			continue
		}
		if first {
			b.WriteString("\n## Left the list\n")
			first = false
		}
		old := d.old[key]
		fmt.Fprintf(b, "\n### %s\n", cmp.Or(report.MarkdownCode(old.SQL), report.MarkdownCode(key)))
		d.note(b, key)
		listed[key] = true
		if old.Key != "" { // its name is known as long as its notes are
			d.state.Queries = append(d.state.Queries, rememberedQuery{Key: key, Rank: 0, SQL: old.SQL, Calls: old.Calls, ExecMS: old.ExecMS, MeanMS: old.MeanMS})
		}
	}
}

// compare is the mean since the last document, the mean up to it, and what has
// become of the statement.
func (d *topDocument) compare(q *Query, key string) (mean float64, was, status string) {
	old, known := d.old[key]
	mean = q.MeanMS
	if !known || old.Rank == 0 {
		if d.since.IsZero() {
			return mean, "", ""
		}
		return mean, "", "new"
	}
	if d.same && q.Calls > old.Calls {
		mean = max(q.ExecMS-old.ExecMS, 0) / float64(q.Calls-old.Calls)
	} else if d.same && q.Calls == old.Calls {
		return old.MeanMS, report.MS(old.MeanMS), "not called" + moved(old.Rank, q.Rank)
	}
	was = report.MS(old.MeanMS)
	switch ratio := mean / max(old.MeanMS, 1e-9); {
	case ratio >= 1.2:
		status = "slower"
	case ratio <= 1/1.2:
		status = "faster"
	default:
		status = "steady"
	}
	if old.MeanMS > 0 {
		was += fmt.Sprintf(" (%+.0f %%)", 100*(mean/old.MeanMS-1))
	}
	return mean, was, status + moved(old.Rank, q.Rank)
}

func moved(from, to int) string {
	switch {
	case to < from:
		return fmt.Sprintf(", up %d", from-to)
	case to > from:
		return fmt.Sprintf(", down %d", to-from)
	}
	return ""
}
