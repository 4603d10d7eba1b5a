package pullrequest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const marker = "<!-- planvet:gate -->"

// server answers as GitHub's REST API does for the comments of pull request 7 of o/r.
type server struct {
	mu       sync.Mutex
	comments []comment
	calls    []string
	// login is the token's owner, "" of a workflow's token, which is no user.
	login    string
	readOnly bool
}

func (s *server) start(t *testing.T) *Target {
	h := http.NewServeMux()
	h.HandleFunc("GET /user", func(w http.ResponseWriter, r *http.Request) {
		if s.login == "" {
			w.WriteHeader(403)
			fmt.Fprint(w, `{"message": "Resource not accessible by integration"}`)
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"login": s.login})
	})
	h.HandleFunc("GET /repos/o/r/issues/7/comments", func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		per, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		from := min((page-1)*per, len(s.comments))
		json.NewEncoder(w).Encode(s.comments[from:min(from+per, len(s.comments))])
	})
	body := func(r *http.Request) string {
		var in struct{ Body string }
		json.NewDecoder(r.Body).Decode(&in)
		return in.Body
	}
	write := func(w http.ResponseWriter, c *comment, text string, status int) {
		switch {
		case s.readOnly:
			w.WriteHeader(403)
			fmt.Fprint(w, `{"message": "Resource not accessible by integration"}`)
			return
		case len(text) > 65536:
			w.WriteHeader(422)
			fmt.Fprint(w, `{"message": "Body is too long"}`)
			return
		}
		c.Body = text
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(c)
	}
	h.HandleFunc("POST /repos/o/r/issues/7/comments", func(w http.ResponseWriter, r *http.Request) {
		c := comment{ID: int64(len(s.comments) + 1), URL: "https://example.org/c"}
		c.User.Login, c.User.Type = "github-actions[bot]", "Bot"
		if s.login != "" {
			c.User.Login, c.User.Type = s.login, "User"
		}
		text := body(r)
		if write(w, &c, text, 201); c.Body != "" {
			s.comments = append(s.comments, c)
		}
	})
	h.HandleFunc("PATCH /repos/o/r/issues/comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id"))
		write(w, &s.comments[id-1], body(r), 200)
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.Method != "GET" {
			s.calls = append(s.calls, r.Method)
		}
		if r.Header.Get("Authorization") != "Bearer t0k3n" {
			w.WriteHeader(401)
			fmt.Fprint(w, `{"message": "Bad credentials"}`)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return &Target{API: srv.URL, Repository: "o/r", Token: "t0k3n", Number: 7}
}

// by adds somebody's comment.
func (s *server) by(login, kind, body string) {
	c := comment{ID: int64(len(s.comments) + 1), Body: body}
	c.User.Login, c.User.Type = login, kind
	s.comments = append(s.comments, c)
}

// The first run writes a comment, later ones replace it, wherever it stands; others' comments
// with the marker are left alone.
func TestComment(t *testing.T) {
	for _, login := range []string{"", "somebody"} {
		s := &server{login: login}
		for i := range 130 {
			s.by("reviewer", "User", fmt.Sprint("comment ", i))
		}
		s.by("reviewer", "User", marker+" forged")
		at := s.start(t)
		for run := range 3 {
			address, err := at.Comment(context.Background(), marker, fmt.Sprint(marker, " run ", run))
			if err != nil || address != "https://example.org/c" {
				t.Fatalf("%q, %v", address, err)
			}
			s.by("reviewer", "User", "and later")
		}
		if got := strings.Join(s.calls, " "); got != "POST PATCH PATCH" {
			t.Errorf("calls are %s", got)
		}
		if c := s.comments[131]; c.Body != marker+" run 2" || s.comments[130].Body != marker+" forged" {
			t.Errorf("comments are %q and %q", c.Body, s.comments[130].Body)
		}
	}
}

func TestCommentFails(t *testing.T) {
	s := &server{readOnly: true}
	at := s.start(t)
	if _, err := at.Comment(t.Context(), marker, marker); !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), "not accessible") {
		t.Errorf("a token of a fork: %v", err)
	}
	s.readOnly = false
	if _, err := at.Comment(t.Context(), marker, strings.Repeat("x", 65537)); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a long comment: %v", err)
	}
	at.Token = "another"
	if _, err := at.Comment(t.Context(), marker, marker); err == nil || errors.Is(err, ErrForbidden) || strings.Contains(err.Error(), "another") {
		t.Errorf("a bad token: %v", err)
	}
	// The token goes to no other host.
	leaked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked = true }))
	defer other.Close()
	moved := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer moved.Close()
	at.API = moved.URL
	if _, err := at.Comment(t.Context(), marker, marker); err == nil || leaked {
		t.Errorf("a redirect: %v, followed %v", err, leaked)
	}
}

func TestFromEnvironment(t *testing.T) {
	full := map[string]string{"GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "o/r", "GITHUB_REF": "refs/pull/12/merge", "GITHUB_API_URL": "https://ghe.example.org/api/v3/"}
	event := func(path string) ([]byte, error) {
		if path != "event.json" {
			return nil, os.ErrNotExist
		}
		return []byte(`{"action": "opened", "pull_request": {"number": 34}}`), nil
	}
	for _, c := range []struct {
		change map[string]string
		number int
		want   string
	}{
		{nil, 0, "12 https://ghe.example.org/api/v3"},
		{nil, 5, "5 https://ghe.example.org/api/v3"},
		{map[string]string{"GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_PATH": "event.json", "GITHUB_API_URL": ""}, 0, "34 https://api.github.com"},
		{map[string]string{"GITHUB_REF": "refs/heads/main"}, 0, "--pull-request N"},
		{map[string]string{"GITHUB_TOKEN": ""}, 0, "GITHUB_TOKEN is not set"},
		{map[string]string{"GITHUB_REPOSITORY": "o/../r?"}, 0, "owner/name"},
	} {
		env := func(k string) string {
			if v, ok := c.change[k]; ok {
				return v
			}
			return full[k]
		}
		got := ""
		if at, err := FromEnvironment(env, c.number, event); err != nil {
			got = err.Error()
		} else {
			got = fmt.Sprint(at.Number, " ", at.API)
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%v: %s, want %s", c.change, got, c.want)
		}
	}
}
