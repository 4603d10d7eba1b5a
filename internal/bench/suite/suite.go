// Package suite reads the file that says what planvet bench measures: requests of an API
// and statements of a database, and under which load. A key that it does not know is an
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
	// API are requests, DB statements; nil where the file has no such suite.
	API *API
	DB  *DB
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
	Headers map[string]string
	Load    Load
	Cases   []Request
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
}

// Statement is one case of a database.
type Statement struct {
	Case
	SQL string
	// Params are the values of $1, $2 …; nil is NULL.
	Params []*string
	// Role and Claims are set for the transaction, as PostgREST sets them; Settings too.
	Role     string
	Claims   map[string]any
	Settings map[string]string
	// Protocol is prepared or simple.
	Protocol string
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
	// dbWarmup is enough for a prepared statement to have got its generic plan, which
	// PostgreSQL considers from the sixth execution on.
	dbWarmup       = 6
	defaultTimeout = 10 * time.Second
)

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expander puts the environment's values in for ${NAME} and keeps the names that are not
// set: an empty token would measure how fast a request is refused.
type expander struct{ missing []string }

func (e *expander) text(s string) string {
	return variable.ReplaceAllStringFunc(s, func(m string) string {
		name := m[2 : len(m)-1]
		v, ok := os.LookupEnv(name)
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
	var e expander
	out.BaseURL, out.Headers = e.text(a.BaseURL), e.texts(a.Headers)
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
	var e expander
	out.URL = e.text(d.URL)
	return &out, e.err()
}
