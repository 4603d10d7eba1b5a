package migrationscan

import (
	"regexp"

	"github.com/planvet/planvet/internal/pgast"
)

var ddlWord = regexp.MustCompile(`(?i)\b(?:create|alter|drop)\s`)

// do opens a DO block. What stands in a branch, a loop or a handler is applied
// where it can be, and is silent where it cannot: the branch guards against just
// that.
func (r *replayer) do(x *pgast.Do) error {
	if x.Language != "" && x.Language != "plpgsql" {
		return nil
	}
	if r.depth >= maxDepth {
		return fail("DO blocks are nested too deeply")
	}
	body, err := pgast.PLpgSQL(nil, x.Body)
	if err != nil {
		return fail("reading the body: %v", err)
	}
	base, inexact, quiet, current := r.base, r.inexact, r.quiet, r.current
	r.depth++
	defer func() {
		r.depth--
		r.base, r.inexact, r.quiet, r.current = base, inexact, quiet, current
	}()
	for _, s := range body.Stmts {
		r.base, r.inexact = base, inexact
		switch {
		case x.BodyPos < 0 || inexact:
			r.inexact = true
		case s.Err != nil:
			r.base = base + x.BodyPos
		case s.Offset >= 0:
			r.base = base + x.BodyPos + s.Offset
		default: // made up: the place is that of the plpgsql statement
			r.base, r.inexact = base+x.BodyPos+s.At, true
		}
		r.quiet = quiet || s.Branch || s.Loop
		r.inner(s)
	}
	return nil
}

// inner applies one statement of a DO block.
func (r *replayer) inner(s pgast.PLStmt) {
	switch {
	case s.Dynamic:
		if ddlWord.MatchString(s.Text) && !r.platform {
			r.res.NotApplied = append(r.res.NotApplied, r.problem(0, "EXECUTE of a text that is known only at run time"))
		}
	case s.Expr:
	case s.Err != nil:
		if !r.platform {
			r.res.Unparsed = append(r.res.Unparsed, r.problem(s.Err.Offset, s.Err.Msg))
		}
	case s.Stmt != nil:
		r.current = s.Text
		r.report(r.apply(s.Stmt))
	}
}
