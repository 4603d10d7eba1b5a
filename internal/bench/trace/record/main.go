// Command record measures one query on two identical databases of a PostgreSQL that it
// starts, as a gate measures two versions, and writes the trace: an A/A run, whose every
// difference is noise. Each epoch connects both arms anew.
//
//	go run ./internal/bench/trace/record -epochs 24 -o trace.jsonl
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/trace"
	"github.com/planvet/planvet/internal/shadow"
)

const (
	setup = `create table orders (id int primary key, customer int not null, amount int not null, note text not null);
insert into orders select i, i * 7919 % 1000, i % 500, repeat('x', 80) from generate_series(1, 100000) i;
create index on orders (customer)`
	query = `select status, count(*), sum(amount) from (select amount % 10 as status, amount from orders where customer between $1 and $1 + 9) o group by status order by status`
	// warm is enough executions for the choice between custom and generic plan to be made.
	warm = 60
)

func main() {
	epochs := flag.Int("epochs", 24, "epochs, each with connections of its own")
	rounds := flag.Int("rounds", 5, "rounds of an epoch")
	half := flag.Int("half", 25, "executions of a block; an arm has two blocks in a round")
	major := flag.Int("major", 0, "major version of PostgreSQL; 0 takes what is at hand")
	seed := flag.Uint64("seed", 1, "of the inputs and of the order of the arms")
	out := flag.String("o", "trace.jsonl", "file to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := record(ctx, *epochs, *rounds, *half, *major, *seed, *out); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func record(ctx context.Context, epochs, rounds, half, major int, seed uint64, out string) (err error) {
	server, err := shadow.Start(ctx, shadow.Options{Major: major})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	urls, err := databases(ctx, server)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(seed, 0))
	var run []gate.Epoch
	for range epochs {
		e, err := epoch(ctx, urls, rounds, half, random)
		if err != nil {
			return err
		}
		run = append(run, e)
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	h := trace.Header{Case: "sum of orders of ten customers", Server: server.Version(), Host: fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}
	return errors.Join(trace.Write(w, h, run), w.Flush())
}

// databases are two of the same content.
func databases(ctx context.Context, server *shadow.Server) (urls [2]string, err error) {
	if urls[0], err = server.NewDatabase(ctx, "a"); err != nil {
		return urls, err
	}
	db, err := pgx.Connect(ctx, urls[0])
	if err != nil {
		return urls, err
	}
	for _, statement := range []string{setup, "vacuum analyze orders"} {
		if _, err = db.Exec(ctx, statement); err != nil {
			return urls, errors.Join(err, db.Close(ctx))
		}
	}
	if err = db.Close(ctx); err != nil { // a template may have no session
		return urls, err
	}
	urls[1], err = server.CopyDatabase(ctx, "b", "a")
	return urls, err
}

// epoch connects both arms and measures. The first of them to connect changes.
func epoch(ctx context.Context, urls [2]string, rounds, half int, random *rand.Rand) (e gate.Epoch, err error) {
	var arms [2]*pgx.Conn
	defer func() {
		for _, db := range arms {
			if db != nil {
				err = errors.Join(err, db.Close(context.WithoutCancel(ctx)))
			}
		}
	}()
	for k, first := 0, random.IntN(2); k < 2; k++ {
		i := (first + k) % 2
		if arms[i], err = pgx.Connect(ctx, urls[i]); err != nil {
			return e, err
		}
		if _, err = block(ctx, arms[i], keys(random, warm)); err != nil {
			return e, err
		}
	}
	for range rounds {
		var r gate.Round
		order := [4]int{0, 1, 1, 0}
		if random.IntN(2) == 1 {
			order = [4]int{1, 0, 0, 1}
		}
		inputs := [2][]int{keys(random, half), keys(random, half)} // the same of both arms
		for k, arm := range order {
			samples, err := block(ctx, arms[arm], inputs[k/2])
			if err != nil {
				return e, err
			}
			if arm == 0 {
				r.A.Samples = append(r.A.Samples, samples...)
			} else {
				r.B.Samples = append(r.B.Samples, samples...)
			}
		}
		e.Rounds = append(e.Rounds, r)
	}
	return e, nil
}

func keys(random *rand.Rand, n int) []int {
	k := make([]int, n)
	for i := range k {
		k[i] = random.IntN(990)
	}
	return k
}

// block runs the query once for each key and returns the latencies in ms.
func block(ctx context.Context, db *pgx.Conn, keys []int) ([]float64, error) {
	samples := make([]float64, len(keys))
	for i, key := range keys {
		start := time.Now()
		rows, err := db.Query(ctx, query, key)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		// A whole microsecond: the clock's own noise is more, and the file stays small.
		samples[i] = max(float64(time.Since(start).Microseconds()), 1) / 1000
	}
	return samples, nil
}
