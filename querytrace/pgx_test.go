package querytrace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const shop = `
	create table customers (id int primary key, name text not null);
	create table orders (id int primary key, customer_id int not null references customers, total numeric not null);
	insert into customers select i, 'c' || i from generate_series(1, 50) i;`

// shopPool is a pool over a shop, with a tracer.
func shopPool(t testing.TB) (*pgxpool.Pool, *Tracer) {
	t.Helper()
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(shadowtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	tracer := &Tracer{}
	config.ConnConfig.Tracer = tracer
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(ctx, shop); err != nil {
		t.Fatal(err)
	}
	return pool, tracer
}

// fill makes n orders, one a customer.
func fill(t testing.TB, db interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
}, n int) {
	t.Helper()
	if _, err := db.Exec(context.Background(), fmt.Sprintf(`truncate orders;
		insert into orders select i, i, 10 from generate_series(1, %d) i`, n)); err != nil {
		t.Fatal(err)
	}
}

type querier interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
	QueryRow(context.Context, string, ...any) pgx.Row
}

func orders(ctx context.Context, db querier, limit int) ([]int, error) {
	rows, err := db.Query(ctx, `select customer_id from orders order by id limit $1`, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int])
}

// namesByLoop is an N+1: a statement for each order.
func namesByLoop(ctx context.Context, db querier, limit int) error {
	ids, err := orders(ctx, db, limit)
	for _, id := range ids {
		var name string
		if err := db.QueryRow(ctx, `select name from customers where id = $1`, id).Scan(&name); err != nil {
			return err
		}
	}
	return err
}

func namesByJoin(ctx context.Context, db querier) error {
	rows, err := db.Query(ctx, `select o.id, c.name from orders o join customers c on c.id = o.customer_id`)
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// flow makes n orders and runs work.
func flow(pool *pgxpool.Pool, work func(ctx context.Context, n int) error) func(testing.TB, int, *Recorder) {
	return func(t testing.TB, n int, rec *Recorder) {
		fill(t, pool, n)
		if err := work(rec.Context(context.Background()), n); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSlope(t *testing.T) {
	pool, _ := shopPool(t)
	two := []int{2, 20}
	for _, c := range []struct {
		name  string
		sizes []int
		work  func(context.Context, int) error
		fails []string // the parts of the message, none for a flow that passes
		opts  []Option
	}{
		{"loop over rows", two, func(ctx context.Context, _ int) error { return namesByLoop(ctx, pool, 100) },
			[]string{"1.00 statements an item: 2 at n=2, 20 at n=20", "select name from customers where id = $1",
				"sent at querytrace/pgx_test.go:", "querytrace.namesByLoop", "as many times as there are rows of (2 at n=2, 20 at n=20)",
				"select customer_id from orders", "sent at querytrace/pgx_test.go:", "querytrace.orders, by querytrace/pgx_test.go:"}, nil},
		{"join", two, func(ctx context.Context, _ int) error { return namesByJoin(ctx, pool) }, nil, nil},
		{"five queries always", two, func(ctx context.Context, _ int) error {
			for i := range 5 {
				if _, err := pool.Exec(ctx, `select name from customers where id = $1`, i); err != nil {
					return err
				}
			}
			return nil
		}, nil, nil},
		{"comments differ", two, func(ctx context.Context, n int) error {
			for i := range n {
				if _, err := pool.Exec(ctx, fmt.Sprintf(`select name from customers where id = %d /*trace='%d',route='%%2F'*/ -- %d`, i, i, i)); err != nil {
					return err
				}
			}
			return nil
		}, []string{"1.00 statements an item", "select name from customers where id = 0\n", "TestSlope"}, nil},
		{"a transaction an item", two, func(ctx context.Context, n int) error {
			for i := range n {
				err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
					return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
						_, err := tx.Exec(ctx, `update orders set total = 1 where id = $1`, i)
						return err
					})
				})
				if err != nil {
					return err
				}
			}
			return nil
		}, []string{"1.00 statements an item", "update orders", "begin, savepoint, release, commit grow with it"}, nil},
		{"one batch", two, func(ctx context.Context, n int) error { return sendBatch(ctx, pool, n) }, nil, nil},
		{"one batch, counted", two, func(ctx context.Context, n int) error { return sendBatch(ctx, pool, n) },
			[]string{"1.00 statements an item", "insert into customers", "querytrace.sendBatch"}, []Option{CountBatched()}},
		{"a batch an item", two, func(ctx context.Context, n int) error {
			for range n {
				if err := sendBatch(ctx, pool, 3); err != nil {
					return err
				}
			}
			return nil
		}, []string{"1.00 statements an item", "batch of insert into customers", "querytrace.sendBatch"}, nil},
		{"copy", two, func(ctx context.Context, n int) error {
			_, err := pool.CopyFrom(ctx, pgx.Identifier{"customers"}, []string{"id", "name"}, pgx.CopyFromSlice(n, func(i int) ([]any, error) {
				return []any{1000*n + i, "x"}, nil
			}))
			return err
		}, nil, nil},
		{"a copy an item", two, func(ctx context.Context, n int) error {
			for i := range n {
				_, err := pool.CopyFrom(ctx, pgx.Identifier{"customers"}, []string{"id", "name"}, pgx.CopyFromRows([][]any{{100_000*n + i, "x"}}))
				if err != nil {
					return err
				}
			}
			return nil
		}, []string{"1.00 statements an item", `copy "customers" ("id", "name") from stdin`}, nil},
		{"goroutines", two, func(ctx context.Context, n int) error {
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() { _, _ = pool.Exec(ctx, `select name from customers where id = $1`, i) })
			}
			wg.Wait()
			return nil
		}, []string{"1.00 statements an item", "querytrace.TestSlope"}, nil},
		{"errors count", two, func(ctx context.Context, n int) error {
			for i := range n {
				if _, err := pool.Exec(ctx, `select name from nowhere where id = $1`, i); err == nil {
					return errors.New("no error")
				}
			}
			return nil
		}, []string{"1.00 statements an item", "from nowhere"}, nil},
		{"two kinds, one of them an item", two, func(ctx context.Context, n int) error {
			for i := range n {
				sql := `select name from customers where id = $1`
				if i%2 == 0 {
					sql = `select total from orders where id = $1`
				}
				if _, err := pool.Exec(ctx, sql, i); err != nil {
					return err
				}
			}
			return nil
		}, []string{"1.00 statements an item, of 2 shapes", "select total", "select name"}, nil},
		{"named arguments", two, func(ctx context.Context, n int) error {
			for i := range n {
				if _, err := pool.Exec(ctx, `select name from customers where id = @id`, pgx.NamedArgs{"id": i}); err != nil {
					return err
				}
			}
			return nil
		}, []string{"1.00 statements an item", "where id = @id\n"}, nil},
		{"a page, seen by its rows", two, func(ctx context.Context, _ int) error { return namesByLoop(ctx, pool, 10) },
			[]string{"bounded: it stops at 10: 2 at n=2, 10 at n=20", "as many times as there are rows of (2 at n=2, 10 at n=20)"}, nil},
		{"a cap, seen at three sizes", []int{2, 6, 20}, func(ctx context.Context, n int) error {
			for i := range min(n, 6) {
				if _, err := pool.Exec(ctx, `select name from customers where id = $1`, i); err != nil {
					return err
				}
			}
			return nil
		}, []string{"bounded: it stops at 6: 2 at n=2, 6 at n=6, 6 at n=20"}, nil},
		{"a page below all sizes", []int{20, 40}, func(ctx context.Context, _ int) error { return namesByLoop(ctx, pool, 10) },
			[]string{"sizes beyond a bound of 10 rows decide nothing", "rows of (10 at n=20, 10 at n=40)"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := slopeOf(t, c.sizes, flow(pool, c.work), c.opts...)
			if c.fails == nil {
				v.passes(t)
			} else {
				v.fails(t, c.fails...)
			}
		})
	}
}

func sendBatch(ctx context.Context, pool *pgxpool.Pool, n int) error {
	b := &pgx.Batch{}
	for i := range n {
		b.Queue(`insert into customers values ($1, 'x') on conflict do nothing`, 100+i)
	}
	return pool.SendBatch(ctx, b).Close()
}

func TestPreparedStatementByName(t *testing.T) {
	pool, _ := shopPool(t)
	v := slopeOf(t, []int{2, 20}, func(t testing.TB, n int, rec *Recorder) {
		ctx := rec.Context(context.Background())
		err := pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
			if _, err := c.Conn().Prepare(ctx, "name_of", `select name from customers where id = $1`); err != nil {
				return err
			}
			for i := range n {
				var name string
				if err := c.QueryRow(ctx, "name_of", 1+i).Scan(&name); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	v.fails(t, "1.00 statements an item", "select name from customers where id = $1")
}

// Of two statements in a loop, the first is no parent of the second, though it returns as
// many rows as the loop has turns.
func TestSiblingsHaveOneParent(t *testing.T) {
	pool, _ := shopPool(t)
	v := slopeOf(t, []int{2, 20}, flow(pool, func(ctx context.Context, _ int) error {
		ids, err := orders(ctx, pool, 100)
		for _, id := range ids {
			for _, sql := range []string{`select name from customers where id = $1`, `select total from orders where customer_id = $1`} {
				if _, err := pool.Exec(ctx, sql, id); err != nil {
					return err
				}
			}
		}
		return err
	}))
	if len(v.errors) != 2 {
		t.Fatalf("got %d errors, want one for each of the two\n%s", len(v.errors), strings.Join(v.errors, "\n"))
	}
	for _, e := range v.errors {
		if _, parent, ok := strings.Cut(e, "rows of"); !ok || !strings.Contains(parent, "select customer_id from orders order by id") {
			t.Errorf("the parent is not named in\n%s", e)
		}
	}
}

func TestAllow(t *testing.T) {
	pool, _ := shopPool(t)
	loop := flow(pool, func(ctx context.Context, _ int) error { return namesByLoop(ctx, pool, 100) })
	join := flow(pool, func(ctx context.Context, _ int) error { return namesByJoin(ctx, pool) })
	two := []int{2, 20}
	const sql, reason = `select name from customers where id = 7`, "the report is made once a year"
	slopeOf(t, two, loop, Allow(sql, reason)).passes(t)
	slopeOf(t, two, loop, AllowCaller("querytrace.namesByLoop", reason)).passes(t)
	slopeOf(t, two, loop, AllowCaller("querytrace/pgx_test.go", reason)).passes(t)
	slopeOf(t, two, loop, Limit(1.5)).passes(t)
	slopeOf(t, two, loop, Allow(sql, " ")).fails(t, "has no reason")
	slopeOf(t, two, join, Allow(sql, reason)).fails(t, "the allowance of select name from customers where id = 7 is not needed")
	if v := slopeOf(t, two, loop, AllowCaller("querytrace.namesByJoin", reason)); len(v.errors) != 2 {
		t.Errorf("an allowance of another caller: %q", v.errors)
	}
}

func TestSlopeRefuses(t *testing.T) {
	nothing := func(testing.TB, int, *Recorder) {}
	for _, sizes := range [][]int{nil, {3}, {3, 3}, {-1, 4}, {3, 4}} {
		if v := slopeOf(t, sizes, nothing); len(v.errors) != 1 || !strings.Contains(v.errors[0], "sizes") {
			t.Errorf("sizes %v: %q", sizes, v.errors)
		}
	}
	slopeOf(t, []int{2, 20}, nothing).fails(t, "nothing was recorded")
	v := slopeOf(t, []int{2, 20}, func(t testing.TB, _ int, _ *Recorder) { t.Error("the fixture broke") })
	if len(v.errors) != 1 || v.errors[0] != "the fixture broke" {
		t.Errorf("a flow that fails is not judged: %q", v.errors)
	}
}

// In a *testing.T each size is a subtest, whose cleanups are done before the next.
func TestSlopeRunsSubtests(t *testing.T) {
	pool, tracer := shopPool(t)
	open := 0
	Slope(t, []int{20, 2}, func(t testing.TB, n int, rec *Recorder) {
		if want := fmt.Sprintf("TestSlopeRunsSubtests/n=%d", n); t.Name() != want || open != 0 {
			t.Errorf("test %s with %d open fixtures, want %s and none", t.Name(), open, want)
		}
		open++
		t.Cleanup(func() { open-- })
		rec.Watch(tracer)
		if err := namesByJoin(context.Background(), pool); err != nil {
			t.Fatal(err)
		}
		if got := rec.RoundTrips(); got != 1 {
			t.Errorf("a watched tracer gave %d round trips, want 1", got)
		}
	})
	if tracer.watchers.Load() != nil {
		t.Error("a recorder watches after its run")
	}
}

// A size that was skipped leaves nothing to judge: no verdict, and no complaint that
// nothing was recorded.
func TestSlopeOfSkippedSizes(t *testing.T) {
	sizes := 0
	Slope(t, []int{2, 20}, func(t testing.TB, _ int, _ *Recorder) {
		sizes++
		t.Skip("not here")
	})
	if sizes != 1 {
		t.Errorf("%d sizes were run, want the first alone", sizes)
	}
}
