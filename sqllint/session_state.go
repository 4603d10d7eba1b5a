package sqllint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// sessionState is one thing that a statement leaves in its server session.
type sessionState struct {
	// pos is its offset in the statement's text, name what it is about in its message.
	pos           int
	name, message string
	object        rules.Object
	// fix is the statement that leaves nothing, "" where another way is needed; note is
	// what else there is to do.
	fix, note string
	// at is where the word old stands in the text, which new replaces in the fix.
	at       int
	old, new string
	// table is the temporary table that it makes.
	table string
	// run leaves the same in a session that is asked, observe tells whether it is there,
	// and says what that shows; instead leaves nothing. run is "" where nothing tells.
	run, observe, says, instead string
}

// tracked are the settings that PgBouncer keeps for each client: those of its list that
// a server reports of itself, whoever changes them.
var tracked = []string{"client_encoding", "datestyle", "intervalstyle", "timezone", "standard_conforming_strings", "application_name"}

// sessionStates lists what a statement leaves in its session, by the text's order:
// SET without LOCAL, set_config(…, false), advisory locks of the session, PREPARE,
// LISTEN, temporary tables that outlive their transaction, cursors WITH HOLD, LOAD.
func sessionStates(s *Statement) []sessionState {
	var out []sessionState
	if st, ok := commandState(s); ok {
		out = append(out, st)
	}
	pgast.Walk(s.Stmt, func(n pgast.Node) bool {
		if call, ok := n.(*pgast.FuncCall); ok {
			if st, ok := callState(call); ok {
				st.fix = within(s.Text, st)
				out = append(out, st)
			}
		}
		return true
	})
	if s.Dynamic { // a name in it may stand for what is not known, and the text is not what runs
		for i := range out {
			out[i].guess(s)
		}
	}
	return out
}

// guess takes out of a state what only stands for an unknown part of the text.
func (st *sessionState) guess(s *Statement) {
	st.fix, st.run = "", ""
	if st.name == "" || written(s, st.name) {
		return
	}
	if rest, ok := strings.CutPrefix(st.message, st.name+" "); ok {
		st.message = "a setting " + rest
	} else {
		st.message = strings.Replace(st.message, " "+st.name, "", 1)
	}
	st.object.Table = ""
}

// written reports whether a word of a statement's text stands in a file as it is.
func written(s *Statement, word string) bool {
	at := strings.Index(strings.ToLower(s.Text), strings.ToLower(word))
	if at < 0 {
		return false
	}
	for i, g := range s.Segments {
		end := len(s.Text)
		if i+1 < len(s.Segments) {
			end = s.Segments[i+1].Start
		}
		if g.Start < at && at+len(word) < end { // at its ends an unknown part may go on
			return g.At.Path != "" && g.Exact
		}
	}
	return false
}

// within is the statement's text with the word replaced, and the call alone where the text
// is not what was written.
func within(text string, st sessionState) string {
	end := st.at + len(st.old)
	if st.old == "" || st.at < 0 || end > len(text) || !strings.EqualFold(text[st.at:end], st.old) {
		return st.fix
	}
	return text[:st.at] + st.new + text[end:]
}

const directNote = "open a connection to the server itself, or to the pooler's session mode, and keep it for this alone"

var setWord = regexp.MustCompile(`(?is)^\s*set\s+(session\s+)?`)

func commandState(s *Statement) (sessionState, bool) {
	switch c := s.Stmt.(type) {
	case *pgast.Set:
		return settingState(s.Text, c)
	case *pgast.Prepare:
		return sessionState{
			name:    c.Name,
			message: fmt.Sprintf("prepare %s names a statement of one server connection; under transaction pooling execute may run on another, which lacks it", c.Name),
			note:    "send the query itself with parameters, and let the driver prepare it; PgBouncer from 1.21 on follows the protocol's named statements (max_prepared_statements), and no version follows PREPARE",
			run:     s.Text, says: "the prepared statement " + c.Name + " is still there after commit (pg_prepared_statements)",
			observe: "select exists (select from pg_prepared_statements where name = " + literal(c.Name) + ")",
		}, c.Name != ""
	case *pgast.Listen:
		return sessionState{
			name:    c.Channel,
			message: fmt.Sprintf("listen %s subscribes one server connection; under transaction pooling that goes to other clients, and notifications are lost", c.Channel),
			note:    directNote + "; notify works through the pool",
			run:     s.Text, says: "the session still listens to " + c.Channel + " after commit (pg_listening_channels)",
			observe: "select exists (select from pg_listening_channels() c where c = " + literal(c.Channel) + ")",
		}, true
	case *pgast.DeclareCursor:
		return sessionState{
			name:    c.Name,
			message: fmt.Sprintf("cursor %s with hold lives on in one server connection; under transaction pooling fetch may run on another, which lacks it", c.Name),
			note:    "read the cursor within its transaction, without with hold, or page by keys",
			run:     "declare " + ident(c.Name) + " cursor with hold for select 1", instead: "declare " + ident(c.Name) + " cursor for select 1",
			says:    "a cursor with hold is still there after commit (pg_cursors)",
			observe: "select exists (select from pg_cursors where name = " + literal(c.Name) + ")",
		}, c.Hold
	case *pgast.CreateTable:
		st := tableState(c.Table.Name)
		if !regexp.MustCompile(`(?i)\bon\s+commit\b`).MatchString(s.Text) {
			st.fix = strings.TrimRight(strings.TrimSpace(s.Text), "; \t\n") + " on commit drop"
		}
		return st, c.Temp && !c.OnCommitDrop
	case *pgast.CreateTableAs:
		return tableState(c.Table.Name), c.Temp && !c.OnCommitDrop
	case *pgast.Select:
		if c.Into != nil && c.IntoTemp {
			return tableState(c.Into.Name), true
		}
	case *pgast.OtherStmt:
		return sessionState{
			message: "load gives one server connection a library; under transaction pooling later statements may run on another, which lacks it",
			note:    "name the library in session_preload_libraries of the role or the database",
		}, c.Kind == "LoadStmt"
	}
	return sessionState{}, false
}

func settingState(text string, c *pgast.Set) (sessionState, bool) {
	if c.Local || c.Reset || c.Name == "" || c.Name == "transaction" || c.Name == "transaction snapshot" || slices.Contains(tracked, c.Name) {
		return sessionState{}, false
	}
	st := setting(c.Name)
	st.fix = setWord.ReplaceAllString(strings.TrimSpace(text), "set local ")
	st.run, st.instead = text, st.fix
	if c.Name == "session_authorization" || c.Name == "session characteristics" {
		st.run, st.fix = "", ""
	}
	return st, true
}

// setting is what a SET or a set_config leaves.
func setting(name string) sessionState {
	st := sessionState{
		name:    name,
		message: name + " is set for the session; under transaction pooling its server connection hands the value on to other clients, and this one may lose it",
		note:    "set local holds for the transaction that the statements run in",
		says:    name + " still has the session's value after commit",
	}
	if !strings.Contains(name, ".") && name != "role" {
		st.note += fmt.Sprintf("; what every connection needs belongs to the role: alter role … set %s = …", name)
	}
	n := literal(name)
	st.observe = fmt.Sprintf("select coalesce((select source = 'session' from pg_settings where lower(name) = %s), nullif(nullif(current_setting(%s, true), ''), 'none') is not null)", n, n)
	return st
}

func tableState(name string) sessionState {
	t := literal(name)
	return sessionState{
		name:    name,
		message: fmt.Sprintf("temporary table %s lives in one server connection; under transaction pooling later statements may run on another, and it stays there for other clients", name),
		object:  rules.Object{Table: name}, table: name,
		note: "create it with on commit drop inside of the transaction that uses it",
		run:  "create temporary table " + ident(name) + " (n integer)", instead: "create temporary table " + ident(name) + " (n integer) on commit drop",
		says:    "a temporary table is still there after commit (pg_my_temp_schema())",
		observe: "select exists (select from pg_class where relnamespace = pg_my_temp_schema() and relname = " + t + ")",
	}
}

var sessionLocks = map[string]bool{
	"pg_advisory_lock": true, "pg_advisory_lock_shared": true, "pg_try_advisory_lock": true, "pg_try_advisory_lock_shared": true,
}

func callState(call *pgast.FuncCall) (sessionState, bool) {
	if len(call.Name) > 2 || len(call.Name) == 2 && call.Name[0] != "pg_catalog" {
		return sessionState{}, false
	}
	name := call.Name[len(call.Name)-1]
	switch {
	case name == "set_config" && len(call.Args) == 3:
		return configState(call)
	case sessionLocks[name] && len(call.Args) > 0:
		xact := strings.Replace(name, "advisory_lock", "advisory_xact_lock", 1)
		keys := strings.TrimSuffix(strings.Repeat("7365, ", len(call.Args)), ", ")
		changed := *call
		changed.Name = []string{xact}
		return sessionState{
			pos: int(call.At), at: int(call.At), old: name, new: xact,
			message: name + " takes a lock of the session; under transaction pooling the unlock may run on another server connection, and the lock stays with the first",
			object:  rules.Object{Function: name},
			fix:     "select " + pgast.Format(&changed),
			note:    xact + " holds until the transaction ends and needs no unlock; a lock over several transactions needs a connection of its own: " + directNote,
			run:     "select " + name + "(" + keys + ")", instead: "select " + xact + "(" + keys + ")",
			says:    "the advisory lock is still held after commit (pg_locks)",
			observe: "select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted)",
		}, true
	}
	return sessionState{}, false
}

func configState(call *pgast.FuncCall) (sessionState, bool) {
	local, ok := call.Args[2].(*pgast.Const)
	if !ok || local.Kind != pgast.ConstBool || local.Text != "false" {
		return sessionState{}, false
	}
	changed := *call
	changed.Args = []pgast.Expr{call.Args[0], call.Args[1], &pgast.Const{Kind: pgast.ConstBool, Text: "true"}}
	c, ok := call.Args[0].(*pgast.Const)
	if !ok {
		st := setting("a setting")
		st.pos, st.at, st.old, st.new = int(call.At), int(local.At), "false", "true"
		st.fix, st.note = "select "+pgast.Format(&changed), "true as the third argument holds for the transaction"
		return st, true
	}
	name := strings.ToLower(c.Text)
	if slices.Contains(tracked, name) {
		return sessionState{}, false
	}
	st := setting(name)
	st.pos, st.at, st.old, st.new = int(call.At), int(local.At), "false", "true"
	st.fix = "select " + pgast.Format(&changed)
	st.note = strings.Replace(st.note, "set local", "true as the third argument", 1)
	value := "current_setting(" + literal(name) + ")"
	switch {
	case strings.Contains(name, "."):
		value = "'planvet'"
	case name == "role":
		value = "current_user"
	}
	st.run = fmt.Sprintf("select set_config(%s, %s, false)", literal(name), value)
	st.instead = fmt.Sprintf("select set_config(%s, %s, true)", literal(name), value)
	return st, true
}

// drops reports whether a statement drops a table.
func drops(s pgast.Stmt, table string) bool {
	d, ok := s.(*pgast.Drop)
	return ok && slices.ContainsFunc(d.Objects, func(o pgast.DropObject) bool { return o.Name.Name == table })
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
