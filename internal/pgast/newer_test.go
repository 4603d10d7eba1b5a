package pgast

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
)

// What PostgreSQL 17 and 18 added becomes the node that its fields say, and its text
// parses to the same tree again; the older grammar refuses all of it.
func TestConvertNewer(t *testing.T) {
	src, err := os.ReadFile("testdata/convert18.sql")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range ParseFile(string(src)) {
		if GrammarMajor() < 18 {
			if p.Err == nil {
				t.Errorf("%s: the grammar of PostgreSQL %d takes it", p.Text, GrammarMajor())
			}
			continue
		}
		if p.Err != nil {
			t.Errorf("%s: %v", p.Text, p.Err)
			continue
		}
		fmt.Fprintf(&b, "%s\n    %s\n", p.Text, dump(reflect.ValueOf(p.Stmt)))
		if text := Format(p.Stmt); text != "" {
			if again, diff := roundTrip(p.Stmt); diff != "" {
				t.Errorf("%s\n%s\n%s", p.Text, again, diff)
			}
		}
	}
	if GrammarMajor() >= 18 {
		casetest.Golden(t, "testdata/convert18.golden", b.String())
	}
}

// The hash of a statement is the same whatever parser read it.
func TestFingerprintsAreEqualOnEveryParser(t *testing.T) {
	src, err := os.ReadFile("testdata/convert.sql")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, p := range ParseFile(string(src)) {
		texts = append(texts, p.Text)
	}
	texts = append(texts, formatCases...)
	for _, s := range NormalExprs {
		texts = append(texts, "select "+s+" from docs")
	}
	var b strings.Builder
	for _, text := range texts {
		s, err := Parse(text)
		if err != nil {
			fmt.Fprintf(&b, "%-16s %s\n", "-", clip(strings.Join(strings.Fields(text), " "), 100))
			continue
		}
		fmt.Fprintf(&b, "%s %s\n", Fingerprint(s), clip(strings.Join(strings.Fields(text), " "), 100))
	}
	casetest.Golden(t, "testdata/fingerprints.golden", b.String())
}
