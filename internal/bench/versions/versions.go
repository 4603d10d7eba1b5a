// Package versions makes databases of two versions of a project's migrations on one
// throwaway server, with the same data, for them to be measured side by side.
package versions

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/revision"
	"github.com/planvet/planvet/internal/shadow"
)

// Options say what is made.
type Options struct {
	// Dir is in the project; "" is the working directory. Config is its config, where it
	// is not the one that is found.
	Dir, Config string
	// Rev is git's name of the version before.
	Rev string
	// Fixtures are files of SQL that fill both databases, after the migrations.
	Fixtures []string
	// Seed orders what is made first.
	Seed uint64
	// Progress is told what goes on; nil for nobody.
	Progress func(what string, done, total int)
}

// Pair is both databases. A is of Rev, B of the files that are here.
type Pair struct {
	// Commit is that of Rev, Version the server's.
	Commit, Version string
	// Notes say what is not as in a database that the project's own tool migrates.
	Notes []string

	server  *shadow.Server
	before  *revision.Tree
	urls    [2]string
	made    int
	random  *rand.Rand
	setting [2][]string // of the databases, as ALTER DATABASE takes them
}

var arms = [2]string{"a", "b"}

// Start migrates and fills both databases. What it started must be stopped. Errors that the
// user can mend are engine's of kind Usage.
func Start(ctx context.Context, o Options) (_ *Pair, err error) {
	if len(o.Fixtures) == 0 {
		return nil, &engine.Error{Kind: engine.Usage, Err: errors.New("--base-ref measures on a throwaway server, which has no data: name files of SQL that make it as fixture of suite db")}
	}
	dir := o.Dir
	if dir == "" {
		if dir, err = os.Getwd(); err != nil {
			return nil, err
		}
	}
	p := &Pair{random: rand.New(rand.NewPCG(o.Seed, 0xdb))}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Stop())
		}
	}()
	if p.before, err = revision.Checkout(ctx, dir, o.Rev); err != nil {
		return nil, &engine.Error{Kind: engine.Usage, Err: fmt.Errorf("--base-ref: %w", err)}
	}
	p.Commit = p.before.Commit
	var projects [2]*engine.Project
	for arm, at := range [2]string{p.before.Dir, dir} {
		open := engine.Options{Dir: at, NoGo: true, Progress: o.Progress}
		if arm == 1 {
			open.ConfigFile = o.Config
		}
		if projects[arm], err = engine.Open(open); err == nil {
			err = projects[arm].Load(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", [2]string{o.Rev, "this tree"}[arm], err)
		}
		if n := len(projects[arm].Databases); n != 1 {
			return nil, &engine.Error{Kind: engine.Usage, Err: fmt.Errorf("--base-ref is for a project with one database, this one has %d: use --base-dsn", n)}
		}
	}
	major := projects[1].Config.Postgres
	say := func(line string) {
		if o.Progress != nil {
			o.Progress(line, 0, 0)
		}
	}
	if p.server, err = shadow.Start(ctx, shadow.Options{Major: major, Progress: say}); err != nil {
		return nil, fmt.Errorf("starting a throwaway PostgreSQL: %w", err)
	}
	p.Version = p.server.Version()
	for arm, project := range projects {
		say("migrating and filling " + [2]string{o.Rev, "this tree"}[arm])
		if err = p.fill(ctx, arm, project, o); err != nil {
			return nil, err
		}
	}
	return p, p.Renew(ctx)
}

// fill makes a template of an arm.
func (p *Pair) fill(ctx context.Context, arm int, project *engine.Project, o Options) (err error) {
	name := [2]string{o.Rev, "this tree"}[arm]
	url, err := p.server.NewDatabase(ctx, "template_"+arms[arm])
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	db := project.Databases[0]
	refused, err := shadow.Apply(ctx, conn, db.Replay)
	if err != nil {
		return fmt.Errorf("migrating %s: %w", name, err)
	}
	for _, r := range refused {
		p.Notes = append(p.Notes, fmt.Sprintf("%s: not applied: %s:%d: %s", name, r.Path, max(r.Line, 1), r.Error))
	}
	if _, err := conn.PgConn().Exec(ctx, "reset all; reset role; reset session authorization; set client_min_messages = error; set search_path = "+engine.SearchPath(db.Catalog)).ReadAll(); err != nil {
		return fmt.Errorf("filling %s: %w", name, err)
	}
	for _, file := range o.Fixtures {
		if err := p.load(ctx, conn, arm, file); err != nil {
			return &engine.Error{Kind: engine.Usage, Err: fmt.Errorf("filling %s: %w", name, err)}
		}
	}
	if _, err := conn.Exec(ctx, "vacuum analyze"); err != nil {
		return fmt.Errorf("filling %s: %w", name, err)
	}
	// A copy has the content of its template, and not the settings.
	rows, err := conn.Query(ctx, "select unnest(setconfig) from pg_catalog.pg_db_role_setting where setrole = 0 and setdatabase = (select oid from pg_catalog.pg_database where datname = current_database())")
	if err != nil {
		return err
	}
	settings, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	p.setting[arm] = []string{"search_path = " + engine.SearchPath(db.Catalog)}
	for _, s := range settings {
		setting, value, _ := strings.Cut(s, "=")
		if setting == "search_path" {
			p.setting[arm] = []string{"search_path = " + value}
			continue
		}
		p.setting[arm] = append(p.setting[arm], pgx.Identifier{setting}.Sanitize()+" = "+quote(value))
	}
	return nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// load runs a file of SQL. Both get the same one, that both have the same data; only where
// it does not fit the version before does that get its own.
func (p *Pair) load(ctx context.Context, conn *pgx.Conn, arm int, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the fixture: %w", err)
	}
	run := func(text []byte) error {
		_, err := conn.PgConn().Exec(ctx, string(text)).ReadAll()
		var pg *pgconn.PgError
		if errors.As(err, &pg) {
			line := 1 + strings.Count(string(text[:min(len(text), max(0, int(pg.Position)-1))]), "\n")
			return fmt.Errorf("fixture %s, line %d: %s", filepath.Base(file), line, pg.Message)
		}
		return err
	}
	err = run(text)
	if err == nil || arm == 1 {
		return err
	}
	own := p.ownFixture(file)
	if own == nil || string(own) == string(text) {
		return fmt.Errorf("%w; it must fit both versions", err)
	}
	if again := run(own); again != nil {
		return again
	}
	p.Notes = append(p.Notes, "the fixture "+filepath.Base(file)+" does not fit the version before, which has its own: "+err.Error())
	return nil
}

// ownFixture is a fixture as it was; nil where it was not there.
func (p *Pair) ownFixture(file string) []byte {
	was, ok := p.before.Of(file)
	if !ok {
		return nil
	}
	text, err := os.ReadFile(was)
	if err != nil {
		return nil
	}
	return text
}

// URL is an arm's database of now, A is 0.
func (p *Pair) URL(arm int) string { return p.urls[arm] }

// Renew makes both databases anew, one after the other by chance, as copies of what was
// filled. Nobody may be connected to those that are.
func (p *Pair) Renew(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.server.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	old := p.made
	p.made++
	for k, first := 0, p.random.IntN(2); k < len(arms); k++ {
		arm := (first + k) % 2
		name := func(n int) string { return fmt.Sprintf("%s_%d", arms[arm], n) }
		url, err := p.server.CopyDatabase(ctx, name(p.made), "template_"+arms[arm])
		if err != nil {
			return err
		}
		for _, s := range p.setting[arm] {
			if _, err := conn.Exec(ctx, "alter database "+name(p.made)+" set "+s); err != nil {
				return fmt.Errorf("setting %s: %w", s, err)
			}
		}
		if old > 0 {
			if _, err := conn.Exec(ctx, "drop database if exists "+name(old)+" with (force)"); err != nil {
				return err
			}
		}
		p.urls[arm] = url
	}
	_, err = conn.Exec(ctx, "checkpoint")
	return err
}

// Stop stops the server and removes what was checked out.
func (p *Pair) Stop() error {
	var err error
	if p.server != nil {
		err = p.server.Stop()
	}
	return errors.Join(err, p.before.Remove())
}
