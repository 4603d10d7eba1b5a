package querytrace

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// openShop opens a shop through database/sql: wrapped, with a tracer in pgx, or both.
func openShop(t *testing.T, wrapped, inPGX bool) *sql.DB {
	t.Helper()
	config, err := pgx.ParseConfig(shadowtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	tracer := &Tracer{}
	if inPGX {
		config.Tracer = tracer
	}
	inner := stdlib.GetConnector(*config)
	db := sql.OpenDB(inner)
	if wrapped {
		db = sql.OpenDB(tracer.Connector(inner))
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(shop); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`insert into orders select i, i, 10 from generate_series(1, 40) i`); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestDatabaseSQL(t *testing.T) {
	for name, c := range map[string]struct{ wrapped, inPGX bool }{
		"wrapped": {true, false}, "tracer in pgx": {false, true}, "both": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			db := openShop(t, c.wrapped, c.inPGX)
			two := []int{2, 20}
			v := slopeOf(t, two, sqlFlow(func(ctx context.Context, n int) error { return sqlLoop(ctx, db, n) }))
			v.fails(t, "1.00 statements an item: 2 at n=2, 20 at n=20", "select name from customers where id = $1",
				"sent at querytrace/sql_test.go:", "querytrace.sqlLoop", "as many times as there are rows of (2 at n=2, 20 at n=20)",
				"select customer_id from orders", "querytrace.sqlLoop")
			slopeOf(t, two, sqlFlow(func(ctx context.Context, n int) error { return sqlLoop(ctx, db, min(n, 10)) })).
				fails(t, "bounded: it stops at 10")
			slopeOf(t, two, sqlFlow(func(ctx context.Context, n int) error {
				rows, err := db.QueryContext(ctx, `select c.name from orders o join customers c on c.id = o.customer_id limit $1`, n)
				if err != nil {
					return err
				}
				for rows.Next() {
				}
				return errors.Join(rows.Err(), rows.Close())
			})).passes(t)
			slopeOf(t, two, sqlFlow(func(ctx context.Context, n int) error { return sqlTransactions(ctx, db, n) })).
				fails(t, "update orders set total = $1", "begin, commit grow with it")

			var rec Recorder
			if err := sqlTransactions(rec.Context(t.Context()), db, 1); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range rec.Statements() {
				got = append(got, s.Text)
			}
			if want := []string{"begin", "UPDATE orders SET total = $1 WHERE id = $2", "commit"}; !slices.Equal(got, want) {
				t.Errorf("recorded %q, want %q", got, want)
			}
		})
	}
}

func sqlFlow(work func(ctx context.Context, n int) error) func(testing.TB, int, *Recorder) {
	return func(t testing.TB, n int, rec *Recorder) {
		if err := work(rec.Context(context.Background()), n); err != nil {
			t.Fatal(err)
		}
	}
}

// sqlLoop asks for each customer while the orders are still read: on a second connection.
func sqlLoop(ctx context.Context, db *sql.DB, n int) error {
	rows, err := db.QueryContext(ctx, `select customer_id from orders order by id limit $1`, n)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int
		var name string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		if err := db.QueryRowContext(ctx, `select name from customers where id = $1`, id).Scan(&name); err != nil {
			return err
		}
	}
	return rows.Err()
}

func sqlTransactions(ctx context.Context, db *sql.DB, n int) error {
	for i := range n {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		stmt, err := tx.PrepareContext(ctx, `update orders set total = $1 where id = $2`)
		if err != nil {
			return err
		}
		if _, err := stmt.ExecContext(ctx, 5, i); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

func TestRaw(t *testing.T) {
	db := openShop(t, true, false)
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Raw(func(conn any) error {
		if _, ok := Raw(conn).(*stdlib.Conn); !ok {
			t.Errorf("Raw gives a %T", Raw(conn))
		}
		if Raw("x") != "x" {
			t.Error("Raw changes what is not wrapped")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := db.Driver().(*stdlib.Driver); !ok {
		t.Errorf("db.Driver() is a %T", db.Driver())
	}
	if err := db.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
}

// A statement that the driver gives back is sent again by database/sql and counts once.
func TestGivenBack(t *testing.T) {
	for _, given := range []error{driver.ErrSkip, driver.ErrBadConn} {
		f := &fakeDriver{exec: true, query: true, give: given}
		var rec Recorder
		db := sql.OpenDB((&Tracer{}).Connector(dsn{f, ""}))
		ctx := rec.Context(t.Context())
		if _, err := db.ExecContext(ctx, `delete from orders`); err != nil {
			t.Fatal(err)
		}
		if n := rec.RoundTrips(); n != 1 {
			t.Errorf("%v: %d round trips, want 1\n%s", given, n, rec.Report())
		}
		db.Close()
	}
}
