// Package suite reads the file that says what planvet bench measures: requests of an API,
// statements of a database and flows of both, and under which load. A key that it does not know is an
// error that names the line and the nearest key.
package suite

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// File is a file of suites.
type File struct {
	// API are requests, DB statements, E2E flows; nil where the file has no such suite.
	API *API
	DB  *DB
	E2E *E2E
	// Serve starts what is measured; nil where it runs already.
	Serve *Serve
}

// Names are the suites that there can be, in the order in which they are measured.
var Names = []string{"api", "db", "e2e"}

// Has reports whether the file has a suite.
func (f *File) Has(name string) bool {
	switch name {
	case "api":
		return f.API != nil
	case "db":
		return f.DB != nil
	case "e2e":
		return f.E2E != nil
	}
	return false
}

// Expand is the file with the environment's values put in for ${NAME} in the suites named,
// and these values before the environment's. The suites as they were read keep the names.
func (f *File) Expand(values map[string]string, names ...string) (*File, error) {
	out := *f
	for _, name := range names {
		var err error
		switch {
		case name == "api" && f.API != nil:
			a := *f.API
			a.values = values
			out.API, err = a.Expand()
		case name == "db" && f.DB != nil:
			d := *f.DB
			d.values = values
			out.DB, err = d.Expand()
		case name == "e2e" && f.E2E != nil:
			s := *f.E2E
			s.values = values
			out.E2E, err = s.Expand()
		}
		if err != nil {
			return nil, fmt.Errorf("suite %s: %w", name, err)
		}
	}
	return &out, nil
}

// Load is how work arrives. Suites have one; a case may set its own fields.
type Load struct {
	// Rate is arrivals per second of an open loop; 0 is none: a closed loop.
	Rate float64
	// Clients are those of a closed loop; Workers is the most that work at once in an
	// open one.
	Clients, Workers int
	// Warmup is how often a case runs before it is measured, on each connection of a
	// database.
	Warmup int
	// Iterations and Duration end a case; where both are 0 it ends when there are samples
	// enough for a p99.
	Iterations int
	Duration   time.Duration
	// Timeout bounds one request or statement.
	Timeout time.Duration
}

// over is l with the fields of base where l has none.
func (l Load) over(base Load) Load {
	def(&l.Rate, base.Rate)
	def(&l.Clients, base.Clients)
	def(&l.Workers, base.Workers)
	def(&l.Warmup, base.Warmup)
	def(&l.Timeout, base.Timeout)
	if l.Iterations == 0 && l.Duration == 0 {
		l.Iterations, l.Duration = base.Iterations, base.Duration
	}
	return l
}

func def[T comparable](to *T, value T) {
	var none T
	if *to == none {
		*to = value
	}
}

// Case is what API cases and DB cases have in common.
type Case struct {
	Name string
	// Service and Operation are what objectives name.
	Service, Operation string
	Load               Load
}

// API is a suite of requests.
type API struct {
	// BaseURL stands before each path. It and Headers may hold ${ENV}.
	BaseURL string
	// DatabaseURL is the database behind it, whose share of the time is measured where
	// the answers do not say it; "" for none, and may be ${ENV}.
	DatabaseURL string
	Headers     map[string]string
	Load        Load
	Cases       []Request

	values map[string]string
}

// Request is one case of an API.
type Request struct {
	Case
	Method, Path, Body string
	Headers            map[string]string
	Expect             Expect
}

// Expect is what an answer must be; any other is an error.
type Expect struct {
	// Status is the answer's; 0 is any 2xx.
	Status int
	// Contains must stand in the body, Equals is all of it.
	Contains string
	Equals   *string
}

// DB is a suite of statements.
type DB struct {
	// URL is the database's, and may be ${ENV}.
	URL string
	// Fixture are files of SQL, from the folder of the file of suites, that fill a database
	// of planvet's own.
	Fixture []string
	Load    Load
	Cases   []Statement

	values map[string]string
}

// Statement is one case of a database.
type Statement struct {
	Case
	SQL string
	// Params are the values of $1, $2 …; nil is NULL. They may hold {{name}} of Data, of
	// which run i has row i modulo their number.
	Params []*string
	Data   []map[string]string
	// Role and Claims are set for the transaction, as PostgREST sets them; Settings too.
	Role     string
	Claims   map[string]any
	Settings map[string]string
	// Protocol is prepared or simple.
	Protocol string
	// Transaction is rollback, or none: the statement alone, as its own transaction, and
	// what it writes stays. "" is rollback in a suite db; what flows write is committed.
	Transaction string
	// Rows is how many rows must come back, or are written; nil is any number.
	Rows *int64
}

// Defaults of a load.
const (
	defaultRate    = 50
	defaultWorkers = 64
	// dbWorkers are connections of an open loop, all made before it begins.
	dbWorkers = 8
	apiWarmup = 5
	// A flow is several requests, and its user takes a while.
	e2eRate    = 10
	e2eWorkers = 32
	e2eWarmup  = 2
	// dbWarmup is enough for a prepared statement to have got its generic plan, which
	// PostgreSQL considers from the sixth execution on.
	dbWarmup       = 6
	defaultTimeout = 10 * time.Second
)

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expander puts the environment's values in for ${NAME} and keeps the names that are not
// set: an empty token would measure how fast a request is refused.
type expander struct {
	values  map[string]string // before the environment's
	missing []string
}

func (e *expander) text(s string) string {
	return variable.ReplaceAllStringFunc(s, func(m string) string {
		name := m[2 : len(m)-1]
		v, ok := e.values[name]
		if !ok {
			v, ok = os.LookupEnv(name)
		}
		if !ok && !slices.Contains(e.missing, name) {
			e.missing = append(e.missing, name)
		}
		return v
	})
}

func (e *expander) texts(m map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = e.text(v)
	}
	slices.Sort(e.missing)
	return out
}

func (e *expander) err() error {
	if len(e.missing) == 0 {
		return nil
	}
	return fmt.Errorf("the environment has no %s", strings.Join(e.missing, ", "))
}

// Expand puts the environment's values in for ${NAME} in what may hold secrets or places:
// URLs, headers, bodies. The suite as it was read keeps the names.
func (a *API) Expand() (*API, error) {
	out := *a
	e := expander{values: a.values}
	out.BaseURL, out.DatabaseURL, out.Headers = e.text(a.BaseURL), e.text(a.DatabaseURL), e.texts(a.Headers)
	out.Cases = slices.Clone(a.Cases)
	for i := range out.Cases {
		c := &out.Cases[i]
		c.Path, c.Body, c.Headers = e.text(c.Path), e.text(c.Body), e.texts(c.Headers)
	}
	return &out, e.err()
}

// Expand is the suite with its URL's ${NAME} put in.
func (d *DB) Expand() (*DB, error) {
	out := *d
	e := expander{values: d.values}
	out.URL = e.text(d.URL)
	return &out, e.err()
}
