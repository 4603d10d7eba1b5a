package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Slowdown is what makes a version of the service slower: of each request, all its time
// is multiplied by Factor, and of a share Rate of them by Tail besides.
type Slowdown struct {
	Factor float64 `json:"factor"`
	Tail   float64 `json:"tail,omitempty"`
	Rate   float64 `json:"rate,omitempty"`
}

// of is the factor of the next request.
func (s Slowdown) of(random *rand.Rand) float64 {
	if s.Rate > 0 && random.Float64() < s.Rate {
		return s.Factor * s.Tail
	}
	return s.Factor
}

// work is one kind of request: a query with one parameter, from 0 to keys-1.
type work struct {
	name, path, query string
	keys              int
}

// works are what is measured: a read by key, whose time is mostly the way there and
// back; a query of some ms; an aggregate that sorts on disk. The last is for gates that
// have little time: of its p95 of 2 ms 15 % are well over 0.2 ms.
var works = []work{
	{"read by key", "/order", `select note from orders where id = $1`, rowsOfOrders},
	{"sum of a range", "/sum", `select count(*), sum(amount), min(note) from orders where customer between $1 and $1 + 149`, 850},
	{"sorted aggregate", "/report", `select count(*), max(n) from (select note || customer, row_number() over (order by note, customer) as n from orders where customer between $1 and $1 + 199) o`, 800},
	{"short sum", "/short", `select count(*), sum(amount), min(note) from orders where customer between $1 and $1 + 79`, 920},
}

// usual are the works that are measured where nothing else is said, and recorded.
var usual = works[:3]

const (
	rowsOfOrders = 100_000
	setup        = `create table orders (id int primary key, customer int not null, amount int not null, note text not null);
insert into orders select i, i * 7919 % 1000, i % 500, md5(i::text) || repeat('x', 60) from generate_series(1, 100000) i;
create index on orders (customer)`
)

// settings of the server: the aggregate's sort does not fit into memory.
var settings = []string{"work_mem=256kB", "max_parallel_workers_per_gather=0", "jit=off"}

// service is the child that answers requests, over one connection to a database.
type service struct {
	URL      string   `json:"url"`
	Slowdown Slowdown `json:"slowdown"`
}

// run says its address on out and serves until the context ends.
func (s *service) run(ctx context.Context, out io.Writer) error {
	db, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	var one sync.Mutex // a connection has one query at a time
	for _, w := range works {
		// The same keys in the same order in each process: both arms do the same work.
		keys, slow := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(3, 4))
		mux.HandleFunc("GET "+w.path, func(answer http.ResponseWriter, r *http.Request) {
			one.Lock()
			defer one.Unlock()
			began := time.Now()
			row, err := ask(r.Context(), db, w.query, keys.IntN(w.keys)+1)
			if err != nil {
				http.Error(answer, err.Error(), http.StatusInternalServerError)
				return
			}
			took := time.Since(began)
			spin(began.Add(time.Duration(s.Slowdown.of(slow) * float64(took))))
			fmt.Fprintln(answer, row...)
		})
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { server.Close() })
	fmt.Fprintln(out, "http://"+l.Addr().String())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func ask(ctx context.Context, db *pgx.Conn, query string, key int) (row []any, err error) {
	rows, err := db.Query(ctx, query, key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		if row, err = rows.Values(); err != nil {
			return nil, err
		}
	}
	return row, rows.Err()
}

// spin works until then: a slower version does more. A sleep would be rounded up by as
// much as what is to be measured.
func spin(until time.Time) {
	for time.Now().Before(until) {
	}
}
