// Package pullrequest keeps one comment on a pull request of GitHub up to date: a later run
// replaces what the one before wrote.
package pullrequest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Target is a pull request, and who comments.
type Target struct {
	// API is GitHub's REST API, without a slash at its end; Repository is owner/name.
	API, Repository, Token string
	Number                 int
}

// ErrForbidden is what a token gets that may not comment, as that of a pull request from a
// fork.
var ErrForbidden = errors.New("the token may not comment")

var (
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	pullRef        = regexp.MustCompile(`^refs/pull/(\d+)/`)
)

// FromEnvironment is the pull request that a workflow of GitHub runs for. number is 0, or
// one that the user names. event reads the file of the event.
func FromEnvironment(env func(string) string, number int, event func(path string) ([]byte, error)) (*Target, error) {
	t := &Target{API: strings.TrimSuffix(env("GITHUB_API_URL"), "/"), Repository: env("GITHUB_REPOSITORY"), Token: env("GITHUB_TOKEN"), Number: number}
	if t.API == "" {
		t.API = "https://api.github.com"
	}
	if t.Token == "" {
		return nil, errors.New("GITHUB_TOKEN is not set: a comment needs a token that may write pull requests")
	}
	if !repositoryName.MatchString(t.Repository) {
		return nil, fmt.Errorf("GITHUB_REPOSITORY is %q: a comment needs owner/name", t.Repository)
	}
	if m := pullRef.FindStringSubmatch(env("GITHUB_REF")); t.Number == 0 && m != nil {
		t.Number, _ = strconv.Atoi(m[1])
	}
	if path := env("GITHUB_EVENT_PATH"); t.Number == 0 && path != "" {
		var e struct {
			PullRequest struct{ Number int } `json:"pull_request"`
			Issue       struct{ Number int } `json:"issue"`
		}
		if text, err := event(path); err == nil && json.Unmarshal(text, &e) == nil {
			if t.Number = e.PullRequest.Number; t.Number == 0 {
				t.Number = e.Issue.Number
			}
		}
	}
	if t.Number <= 0 {
		return nil, errors.New("the run is for no pull request: name one by --pull-request N")
	}
	return t, nil
}

type comment struct {
	ID   int64  `json:"id"`
	URL  string `json:"html_url"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"user"`
}

// Comment writes body, which begins with marker, into the comment that begins with it too and
// is the token's own, or into a new one. It returns the comment's address.
func (t *Target) Comment(ctx context.Context, marker, body string) (address string, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	old, err := t.own(ctx, marker)
	if err != nil {
		return "", err
	}
	method, path := http.MethodPost, fmt.Sprintf("/repos/%s/issues/%d/comments", t.Repository, t.Number)
	if old != nil {
		method, path = http.MethodPatch, fmt.Sprintf("/repos/%s/issues/comments/%d", t.Repository, old.ID)
	}
	var written comment
	if err := t.call(ctx, method, path, map[string]string{"body": body}, &written); err != nil {
		return "", fmt.Errorf("writing the comment: %w", err)
	}
	return written.URL, nil
}

// Read returns the comment that begins with marker and is the token's own, "" where there is
// none.
func (t *Target) Read(ctx context.Context, marker string) (body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	old, err := t.own(ctx, marker)
	if old == nil {
		return "", err
	}
	return old.Body, nil
}

// own is the token's own comment that begins with marker, nil where there is none.
func (t *Target) own(ctx context.Context, marker string) (*comment, error) {
	mine, err := t.self(ctx)
	if err != nil {
		return nil, err
	}
	return t.find(ctx, marker, mine)
}

// self tells comments of the token's owner from those of others, into which anybody may
// write a marker. The token of a workflow is no user: its comments are a bot's.
func (t *Target) self(ctx context.Context) (mine func(*comment) bool, err error) {
	var user struct {
		Login string `json:"login"`
	}
	err = t.call(ctx, http.MethodGet, "/user", nil, &user)
	switch {
	case errors.Is(err, ErrForbidden):
		return func(c *comment) bool { return c.User.Type == "Bot" }, nil
	case err != nil:
		return nil, fmt.Errorf("asking who comments: %w", err)
	}
	return func(c *comment) bool { return c.User.Login == user.Login }, nil
}

// maxPages bounds how many comments are looked at, 100 a page.
const maxPages = 50

func (t *Target) find(ctx context.Context, marker string, mine func(*comment) bool) (*comment, error) {
	for page := 1; page <= maxPages; page++ {
		var all []comment
		if err := t.call(ctx, http.MethodGet, fmt.Sprintf("/repos/%s/issues/%d/comments?per_page=100&page=%d", t.Repository, t.Number, page), nil, &all); err != nil {
			return nil, fmt.Errorf("reading the comments: %w", err)
		}
		for i := range all {
			if c := &all[i]; strings.HasPrefix(c.Body, marker) && mine(c) {
				return c, nil
			}
		}
		if len(all) < 100 {
			break
		}
	}
	return nil, nil
}

// call asks the API. A redirect is not followed: it would lead the token elsewhere.
func (t *Target) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, t.API+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+t.Token)
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	req.Header.Set("User-Agent", "planvet")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w: %s", ErrForbidden, said(resp, text))
	case resp.StatusCode/100 != 2:
		return errors.New(said(resp, text))
	}
	return json.Unmarshal(text, out)
}

// said is the API's own word on an answer that is no success.
func said(resp *http.Response, text []byte) string {
	var m struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &m) == nil && m.Message != "" {
		return fmt.Sprintf("status %d, %.200q", resp.StatusCode, m.Message)
	}
	return fmt.Sprintf("status %d", resp.StatusCode)
}
