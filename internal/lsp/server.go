package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// Options are what the program hands in.
type Options struct {
	// Version is planvet's own.
	Version string
	// Log gets what no client can be told, and stacks of panics.
	Log io.Writer
	// Remember is what a memory tells of findings of the project at root, by their
	// identities; nil remembers nothing.
	Remember func(ctx context.Context, root string, fs []rules.Finding) map[string][]report.Remembered
	// Debounce is how long a run waits for more changes; 0 is 100 ms.
	Debounce time.Duration
}

// Codes of errors.
const (
	codeParseError     = jsonrpc2.CodeParseError
	codeInvalidRequest = jsonrpc2.CodeInvalidRequest
	codeMethodNotFound = jsonrpc2.CodeMethodNotFound
	codeInvalidParams  = jsonrpc2.CodeInvalidParams
	codeInternal       = jsonrpc2.CodeInternalError
	codeNotInitialized = -32002
	codeCancelled      = -32800
)

// phase is where in its life a server is.
type phase int

const (
	fresh phase = iota
	initialized
	shutDown
)

// Server is one session with one client.
type Server struct {
	o    Options
	ctx  context.Context // ends with the session
	conn *jsonrpc2.Conn
	ends chan int // the exit code
	// turn lets one project be judged at a time.
	turn chan struct{}
	work sync.WaitGroup

	// publishing keeps diagnostics in the order in which they were made; it is taken
	// before mu, which is never held while something is sent.
	publishing sync.Mutex

	mu       sync.Mutex
	phase    phase
	client   clientAbilities
	utf8     bool
	settings settings
	folders  []string
	docs     map[string]*document // by path
	projects map[string]*project  // by root
	calls    map[jsonrpc2.ID]context.CancelFunc
	progress map[string]context.CancelFunc // of what can be cancelled, by token
	tokens   int
	told     map[string]bool // what was shown once
}

// Run serves one session, and returns the exit code: 0 after shutdown and exit, 1 where
// the client was gone before.
func Run(ctx context.Context, in io.ReadCloser, out io.Writer, o Options) int {
	if o.Debounce == 0 {
		o.Debounce = 100 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &Server{
		o: o, ctx: ctx, ends: make(chan int, 4), turn: make(chan struct{}, 1),
		docs: map[string]*document{}, projects: map[string]*project{},
		calls: map[jsonrpc2.ID]context.CancelFunc{}, progress: map[string]context.CancelFunc{}, told: map[string]bool{},
	}
	made := make(chan struct{})
	// The library reads at once: the first message may come before it has returned.
	s.conn = jsonrpc2.NewConn(ctx, newStream(in, out), gated{made, s}, jsonrpc2.SetLogger(logger{o.Log}))
	close(made)
	code := 1
	select {
	case code = <-s.ends:
	case <-s.conn.DisconnectNotify():
		select {
		case code = <-s.ends: // exit, and the end of input right behind it
		default:
			s.mu.Lock()
			if s.phase == shutDown {
				code = 0
			}
			s.mu.Unlock()
		}
	}
	cancel()
	s.settle()
	return code
}

// settle waits for runs to stop what they started, for a while.
func (s *Server) settle() {
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
}

type logger struct{ w io.Writer }

func (l logger) Printf(format string, a ...any) { fmt.Fprintf(l.w, format, a...) }

// gated holds messages back until the server is there.
type gated struct {
	made chan struct{}
	s    *Server
}

// Handle implements jsonrpc2.Handler.
func (g gated) Handle(ctx context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) {
	<-g.made
	g.s.handle(ctx, r)
}

// fault is an error with a code of the protocol.
func fault(code int64, format string, a ...any) error {
	return &jsonrpc2.Error{Code: code, Message: fmt.Sprintf(format, a...)}
}

// handle answers one message. Messages come one after another; what takes long is given
// to a goroutine.
func (s *Server) handle(ctx context.Context, r *jsonrpc2.Request) {
	m, known := methods[r.Method]
	s.mu.Lock()
	now := s.phase
	s.mu.Unlock()
	switch {
	case r.Method == "exit":
	case now == fresh && r.Method != "initialize":
		s.reply(r, nil, fault(codeNotInitialized, "%s before initialize", r.Method))
		return
	case now == initialized && r.Method == "initialize", now == shutDown:
		s.reply(r, nil, fault(codeInvalidRequest, "%s is not expected now", r.Method))
		return
	case !known:
		s.reply(r, nil, fault(codeMethodNotFound, "there is no method %s", r.Method))
		return
	}
	if !m.slow {
		s.answer(ctx, r, m)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.calls[r.ID] = cancel
	s.mu.Unlock()
	go func() {
		s.answer(ctx, r, m)
		s.mu.Lock()
		delete(s.calls, r.ID)
		s.mu.Unlock()
		cancel()
	}()
}

func (s *Server) answer(ctx context.Context, r *jsonrpc2.Request, m method) {
	var result any
	var err error
	defer func() {
		if p := recover(); p != nil {
			s.panicked("answering "+r.Method, p)
			err = fault(codeInternal, "planvet panicked; its log has the stack")
		}
		s.reply(r, result, err)
	}()
	params := json.RawMessage("{}")
	if r.Params != nil {
		params = *r.Params
	}
	result, err = m.call(ctx, s, params)
	if err != nil && ctx.Err() != nil {
		err = fault(codeCancelled, "cancelled")
	}
}

// reply answers a request; a notification has no answer, and its error is logged.
func (s *Server) reply(r *jsonrpc2.Request, result any, err error) {
	if r.Notif {
		if err != nil && !ignorable(r.Method) {
			s.log(messageWarning, "%s: %v", r.Method, err)
		}
		return
	}
	if err == nil {
		err = s.conn.Reply(s.ctx, r.ID, result)
	} else {
		var e *jsonrpc2.Error
		if !errors.As(err, &e) {
			e = &jsonrpc2.Error{Code: codeInternal, Message: report.Redact(err.Error())}
		}
		err = s.conn.ReplyWithError(s.ctx, r.ID, e)
	}
	if err != nil && !errors.Is(err, jsonrpc2.ErrClosed) {
		fmt.Fprintf(s.o.Log, "planvet: answering %s: %v\n", r.Method, err)
	}
}

// ignorable are notifications that a server may leave unread.
func ignorable(method string) bool {
	return len(method) > 1 && method[:2] == "$/"
}

// panicked tells of a panic, which ends what was being done and nothing else.
func (s *Server) panicked(what string, p any) {
	fmt.Fprintf(s.o.Log, "planvet: %s: panic: %v\n%s", what, p, debug.Stack())
	s.show(messageError, fmt.Sprintf("planvet: %s: panic: %v; standard error has the stack", what, p))
}

// log writes a line into the client's log.
func (s *Server) log(kind int, format string, a ...any) {
	s.notify("window/logMessage", map[string]any{"type": kind, "message": report.Redact(fmt.Sprintf(format, a...))})
}

// show tells a person something.
func (s *Server) show(kind int, text string) {
	s.notify("window/showMessage", map[string]any{"type": kind, "message": report.Redact(text)})
}

// showOnce shows what would be told after every save.
func (s *Server) showOnce(kind int, text string) {
	s.mu.Lock()
	known := s.told[text]
	s.told[text] = true
	s.mu.Unlock()
	if known {
		s.log(kind, "%s", text)
		return
	}
	s.show(kind, text)
}

func (s *Server) notify(method string, params any) {
	if err := s.conn.Notify(s.ctx, method, params); err != nil && !errors.Is(err, jsonrpc2.ErrClosed) {
		fmt.Fprintf(s.o.Log, "planvet: sending %s: %v\n", method, err)
	}
}
