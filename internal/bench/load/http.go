package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
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
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, max(c.Load.Workers, c.Load.Clients)
	h := &httpClient{
		request: c, url: u.String(), id: id, headers: http.Header{},
		client: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	for _, from := range []map[string]string{a.Headers, c.Headers} {
		for k, v := range from {
			h.headers.Set(k, v)
		}
	}
	h.headers.Set("x-correlation-id", id)
	if _, err := h.make(context.Background()); err != nil {
		return nil, nil, fmt.Errorf("case %s: %q is no method of HTTP", c.Name, c.Method)
	}
	return func(context.Context) (Client, error) { return h, nil }, t.CloseIdleConnections, nil
}

type httpClient struct {
	request *suite.Request
	url, id string
	headers http.Header
	client  *http.Client
}

func (h *httpClient) make(ctx context.Context) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, h.request.Method, h.url, strings.NewReader(h.request.Body))
	if err != nil {
		return nil, err
	}
	if h.request.Body == "" {
		r.Body, r.GetBody = nil, nil
	}
	r.Header = h.headers.Clone()
	r.Header.Set("traceparent", audit.TraceParent(h.id))
	if host := r.Header.Get("host"); host != "" {
		r.Host = host
	}
	return r, nil
}

// Do sends the request and reads its answer to the last byte.
func (h *httpClient) Do(ctx context.Context) Outcome {
	r, err := h.make(ctx)
	o := Outcome{Begin: time.Now()}
	if err == nil {
		o.Class, o.Bytes, err = h.send(r)
	}
	o.End = time.Now()
	if err != nil {
		o.Class = classOf(ctx, err)
	}
	return o
}

func (h *httpClient) send(r *http.Request) (class string, n int64, err error) {
	res, err := h.client.Do(r)
	if err != nil {
		return "", 0, err
	}
	defer res.Body.Close()
	e := &h.request.Expect
	var body []byte
	if e.Contains != "" || e.Equals != nil {
		body, err = io.ReadAll(res.Body)
		n = int64(len(body))
	} else {
		n, err = io.Copy(io.Discard, res.Body)
	}
	switch {
	case err != nil:
		return "", n, err
	case e.Status != 0 && res.StatusCode != e.Status, e.Status == 0 && (res.StatusCode < 200 || res.StatusCode > 299):
		if res.StatusCode >= 300 && res.StatusCode < 400 {
			return ClassRedirect, n, nil
		}
		return fmt.Sprint(res.StatusCode), n, nil
	case !strings.Contains(string(body), e.Contains), e.Equals != nil && string(body) != *e.Equals:
		return ClassBody, n, nil
	}
	return "", n, nil
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
