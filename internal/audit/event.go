package audit

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"regexp"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// Version is the version of the lines that this package writes.
const Version = 1

// Event is one line: who measured what, when, of which code, with which result. It
// holds no values of a database's rows and no secrets; what was seen goes in by its
// hash.
type Event struct {
	Version int `json:"v"`
	// ID is the correlation id: the same for all events of a run, and for whatever
	// else carries it.
	ID   string    `json:"id"`
	Time time.Time `json:"ts"`
	// Actor is who ran it, Commit the code's revision; "" where not known.
	Actor  string `json:"actor,omitempty"`
	Commit string `json:"commit,omitempty"`
	// Command is the command without its arguments: explain, monitor …
	Command string `json:"cmd"`
	// Kind is what happened: step, finding, verdict, measurement, slo …; Subject what
	// it is about: a heuristic and its object, a service and its operation.
	Kind    string `json:"kind"`
	Subject string `json:"subject"`
	// Metric names Value with its unit: execution_ms, shared_blocks. Target is what it
	// is held against; nil for none.
	Metric string   `json:"metric,omitempty"`
	Value  *float64 `json:"value,omitempty"`
	Target *float64 `json:"target,omitempty"`
	// Verdict is the result in the command's own words.
	Verdict string `json:"verdict,omitempty"`
	// Evidence is the SHA-256 of what it rests on, a plan or a report, in hex.
	Evidence string `json:"evidence,omitempty"`
	// Previous is the SHA-256 of the line before, without its newline; of a file's
	// first line it is empty.
	Previous string `json:"prev"`
}

// Evidence is the hash of a document, for Event.Evidence.
func Evidence(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

// NewID makes a correlation id: a ULID, which sorts by time.
func NewID() string { return ulid.Make().String() }

var goodID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$`)

// CheckID refuses what would not survive as a header, an application_name and a
// file's name alike.
func CheckID(id string) error {
	if !goodID.MatchString(id) {
		return fmt.Errorf("correlation id %.80q: use up to 64 letters, digits and . _ : / -, a letter or digit first", id)
	}
	return nil
}

// Origin is who runs planvet and of which commit, from the environment of the usual
// CI systems, else from the machine and from git in dir. PLANVET_ACTOR overrides.
func Origin(dir string) (actor, commit string) {
	actor = cmp.Or(os.Getenv("PLANVET_ACTOR"), os.Getenv("GITHUB_ACTOR"), os.Getenv("GITLAB_USER_LOGIN"))
	if actor == "" {
		if u, err := user.Current(); err == nil {
			actor = u.Username
		}
	}
	commit = cmp.Or(os.Getenv("GITHUB_SHA"), os.Getenv("CI_COMMIT_SHA"))
	if commit == "" {
		if out, err := exec.Command("git", "-C", cmp.Or(dir, "."), "rev-parse", "--verify", "HEAD").Output(); err == nil {
			commit = strings.TrimSpace(string(out))
		}
	}
	return actor, commit
}

// TraceParent is the W3C traceparent header of one request under a correlation id:
// the trace is the id's hash, so that who knows the id finds the trace.
func TraceParent(id string) string {
	trace := sha256.Sum256([]byte(id))
	var span [8]byte
	rand.Read(span[:])
	return fmt.Sprintf("00-%x-%x-01", trace[:16], span)
}
