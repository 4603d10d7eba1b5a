package querytrace

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"

	"github.com/planvet/planvet/internal/pgast"
)

// shape is what statements that count as one have in common.
type shape struct {
	// fingerprint is pgast's, or a hash of the text where there is no tree to hash.
	fingerprint string
	// text is on one line, without comments and with $n for literals. shown is as it was
	// written, on one line, without comments and quoted values: what one can search for.
	text, shown string
	// returns says that its rows come to the caller; limited, that it has a LIMIT.
	returns, limited bool
	// tx says that it begins or ends a transaction, or a part of one.
	tx bool
}

type shapeKey struct {
	sql   string
	named bool
}

// shapes keeps what was parsed: a loop sends one text often.
var shapes sync.Map

func shapeOf(sql string, named bool) shape {
	key := shapeKey{sql, named}
	if s, ok := shapes.Load(key); ok {
		return s.(shape)
	}
	s := newShape(sql, named)
	shapes.Store(key, s)
	return s
}

func newShape(sql string, named bool) shape {
	s := shape{shown: plain(sql)}
	if named {
		sql, _ = pgast.Placeholders(sql, pgast.AtSign)
	}
	var prints, texts []string
	for _, p := range pgast.ParseFile(sql) {
		one := statementShape(p)
		prints, texts = append(prints, one.fingerprint), append(texts, one.text)
		s.returns, s.limited, s.tx = one.returns, one.limited, one.tx
	}
	s.text = strings.Join(texts, "; ")
	switch len(prints) {
	case 0:
		s.text = plain(sql)
		s.fingerprint = hash(s.text)
	case 1:
		s.fingerprint = prints[0]
	default:
		s.fingerprint, s.tx = hash(prints...), false
	}
	return s
}

func statementShape(p pgast.Parsed) shape {
	s := shape{text: plain(p.Text)}
	switch stmt := p.Stmt.(type) {
	case nil:
		s.fingerprint = hash(s.text)
	case *pgast.OtherStmt:
		s.fingerprint = hash(stmt.Kind, s.text)
		s.returns = stmt.Kind == "FetchStmt" || stmt.Kind == "ExecuteStmt"
	case *pgast.Set: // whatever it is set to
		s.fingerprint = hash("set", stmt.Name, strconv.FormatBool(stmt.Local), strconv.FormatBool(stmt.Reset))
	case *pgast.Transaction:
		s.fingerprint, s.text, s.tx = hash("transaction", stmt.Kind), stmt.Kind, true
	default:
		s.fingerprint = pgast.Fingerprint(stmt)
		s.returns = pgast.ReturnsRows(stmt)
		if q, ok := stmt.(*pgast.Select); ok {
			s.limited = q.Limit != nil
		}
		if text := anonymous(stmt); text != "" {
			s.text = text
		}
	}
	return s
}

// anonymous writes a statement with $n for its literals, numbered after its
// parameters; empty where pgast does not write it. It changes the tree.
func anonymous(s pgast.Stmt) string {
	next := 0
	pgast.Walk(s, func(n pgast.Node) bool {
		if p, ok := n.(*pgast.Param); ok {
			next = max(next, p.Number)
		}
		return true
	})
	pgast.Replace(s, func(e pgast.Expr) (pgast.Expr, bool) {
		c, ok := e.(*pgast.Const)
		if !ok || c.Kind == pgast.ConstNull || c.Kind == pgast.ConstBool {
			return nil, false
		}
		next++
		return &pgast.Param{At: c.At, Number: next}, true
	})
	return pgast.Format(s)
}

// plain is a text on one line, without comments, and with ? for what stands in single
// quotes.
func plain(sql string) string {
	return strings.TrimRight(strings.Join(strings.Fields(unquoted(uncommented(sql))), " "), "; ")
}

func uncommented(sql string) string {
	var b strings.Builder
	at := 0
	for _, c := range pgast.Comments(sql) {
		b.WriteString(sql[at:c.Start])
		b.WriteByte(' ')
		at = c.End
	}
	b.WriteString(sql[at:])
	return b.String()
}

func unquoted(sql string) string {
	parts := strings.Split(sql, "'")
	var b strings.Builder
	for i, p := range parts {
		switch {
		case i%2 == 0:
			b.WriteString(p)
		case i+1 < len(parts):
			b.WriteByte('?')
		}
	}
	return b.String()
}

// blank says that a text has nothing to run, as a driver's ping.
func blank(sql string) bool {
	s := strings.TrimLeft(sql, " \t\r\n;")
	if s != "" && !strings.HasPrefix(s, "--") && !strings.HasPrefix(s, "/*") {
		return false
	}
	return strings.Trim(uncommented(s), " \t\r\n;") == ""
}

func hash(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:8])
}
