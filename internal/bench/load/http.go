package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/bench/suite"
)

// The classes of errors that have no status or SQLSTATE.
const (
	ClassTimeout  = "timeout"
	ClassReset    = "reset"
	ClassRefused  = "refused"
	ClassRedirect = "redirect"
	ClassBody     = "body"
	ClassRows     = "rows"
	ClassOther    = "transport"
)

// Requests opens clients for one case of an API under a correlation id. Connections are
// kept alive and shared by the clients; free ends them.
func Requests(a *suite.API, c *suite.Request, id string) (open func(context.Context) (Client, error), free func(), err error) {
	u, err := url.Parse(strings.TrimSuffix(a.BaseURL, "/") + "/" + strings.TrimPrefix(c.Path, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil, fmt.Errorf("case %s: base_url and path are no URL: write http://host and /path", c.Name)
	}
	t := transport(&c.Load, 1)
	h := &httpClient{sender: sender{transport: t}, expect: &c.Expect, body: c.Body}
	if h.request, err = http.NewRequest(c.Method, u.String(), nil); err != nil {
		return nil, nil, fmt.Errorf("case %s: %q is no method of HTTP", c.Name, c.Method)
	}
	h.request.Header = headersOf(id, a.Headers, c.Headers)
	if _, has := h.request.Header["Authorization"]; u.User != nil && !has {
		password, _ := u.User.Password()
		h.request.SetBasicAuth(u.User.Username(), password)
	}
	h.request.Host = cmp.Or(h.request.Header.Get("host"), h.request.Host)
	return func(context.Context) (Client, error) { return h, nil }, t.CloseIdleConnections, nil
}

// transport keeps all connections alive. Where clients wait for their answers, there are no
// more than they are: one that is dialled while another becomes free would be one too many.
func transport(l *suite.Load, each int) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, math.MaxInt
	if l.Rate == 0 {
		t.MaxConnsPerHost = each * max(1, l.Clients)
	}
	return t
}

// headersOf are a request's: of the suite, of the case over them, and the run's id.
func headersOf(id string, from ...map[string]string) http.Header {
	h := http.Header{}
	for _, m := range from {
		for k, v := range m {
			h.Set(k, v)
		}
	}
	h.Set("x-correlation-id", id)
	h.Set("traceparent", audit.TraceParent(id))
	return h
}

// sender sends requests, by the transport alone: a redirect is not followed, and there is
// nothing of http.Client that costs time.
type sender struct{ transport *http.Transport }

type httpClient struct {
	sender
	// request is what is sent, each time a shallow copy: its headers are only read.
	request *http.Request
	body    string
	expect  *suite.Expect
}

// Do sends the request and reads its answer to the last byte.
func (h *httpClient) Do(ctx context.Context) Outcome {
	o, _, _ := h.send(ctx, h.request, h.body, h.expect, false)
	return o
}

// send sends a copy of a request with a body, "" for none. The answer's body is returned
// where it is wanted, or expected to be something.
func (s *sender) send(ctx context.Context, request *http.Request, body string, e *suite.Expect, wanted bool) (o Outcome, header http.Header, text []byte) {
	r := request.WithContext(ctx)
	if body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	}
	o.Begin = time.Now()
	res, err := s.transport.RoundTrip(r)
	if err == nil {
		header = res.Header
		text, err = s.read(res, wanted || e.Contains != "" || e.Equals != nil, &o.Bytes)
	}
	o.End = time.Now()
	if err != nil {
		o.Class = classOf(ctx, err)
		return o, header, nil
	}
	o.Status = res.StatusCode
	o.Database, o.HasDatabase = databaseTime(header)
	switch ok := res.StatusCode >= 200 && res.StatusCode <= 299; {
	case e.Status != 0 && res.StatusCode != e.Status, e.Status == 0 && !ok:
		if o.Class = strconv.Itoa(res.StatusCode); res.StatusCode >= 300 && res.StatusCode < 400 {
			o.Class = ClassRedirect
		}
	case e.Contains != "" && !strings.Contains(string(text), e.Contains), e.Equals != nil && string(text) != *e.Equals:
		o.Class = ClassBody
	}
	return o, header, text
}

func (s *sender) read(res *http.Response, wanted bool, n *int64) (text []byte, err error) {
	defer res.Body.Close()
	if wanted {
		text, err = io.ReadAll(res.Body)
		*n = int64(len(text))
		return text, err
	}
	*n, err = io.Copy(io.Discard, res.Body)
	return nil, err
}

// Close leaves the connections to those who share them.
func (h *httpClient) Close() {}

// classOf names what kept an answer from coming.
func classOf(ctx context.Context, err error) string {
	var n net.Error
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.As(err, &n) && n.Timeout():
		return ClassTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return ClassRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ClassReset
	}
	return ClassOther
}
