package pgast

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	// maxFile bounds a text, in bytes.
	maxFile = 16 << 20
	// maxDepth bounds the depth of a statement's tree as measureDepth estimates it.
	// The C parser's protobuf packer recurses once a level and overflows at about
	// 1,400 levels on a 512 KB stack (secondary threads of macOS); 23,000 on 8 MB.
	maxDepth = 1000
)

// stackDepth is the bound of measureDepth for this process.
var stackDepth = sync.OnceValue(depthLimit)

// checkBytes refuses what the C parser would cut short or choke on: NUL bytes, and
// invalid UTF-8 outside comments.
func checkBytes(src string) *Error {
	if i := strings.IndexByte(src, 0); i >= 0 {
		return &Error{Offset: i, Msg: "a NUL byte stands in the text; the rest would be ignored"}
	}
	if utf8.ValidString(src) {
		return nil
	}
	l := newLexer(src)
	for t := l.next(); t.kind != tokEOF; t = l.next() {
		if t.kind == tokComment {
			continue
		}
		for i := t.start; i < t.end; {
			r, n := utf8.DecodeRuneInString(src[i:t.end])
			if r == utf8.RuneError && n <= 1 {
				return &Error{Offset: i, Msg: fmt.Sprintf("byte 0x%02x is not valid UTF-8", src[i])}
			}
			i += n
		}
	}
	return nil
}

// frame is a nesting level under measurement: parentheses, brackets or CASE.
type frame struct {
	// ops counts the links of the chain under way; joins those of FROM and UNION
	// chains, which no comma ends; inner is the deepest operand; seg the deepest
	// chain that has ended.
	ops, joins, inner, seg int
	isCase                 bool
}

func (f *frame) depth() int { return max(f.seg, f.ops+f.inner) + f.joins + 1 }

func (f *frame) endSegment() {
	f.seg = max(f.seg, f.ops+f.inner)
	f.ops, f.inner = 0, 0
}

// chainWords are the keywords that make an operand deeper; segmentWords begin a new
// operand, so that lists and AND/OR of any length pass.
var (
	chainWords = map[string]bool{"not": true, "is": true, "isnull": true, "notnull": true, "in": true,
		"like": true, "ilike": true, "similar": true, "between": true, "collate": true, "at": true,
		"overlaps": true, "escape": true}
	joinWords    = map[string]bool{"join": true, "union": true, "intersect": true, "except": true}
	segmentWords = map[string]bool{"and": true, "or": true, "select": true, "from": true, "where": true,
		"when": true, "then": true, "else": true, "on": true, "set": true, "values": true, "having": true}
)

// measureDepth refuses a statement whose tree would be deeper than maxDepth.
//
//  1. A chain of n operators, casts or postfix keywords is a left-deep tree of n
//     levels over its deepest operand.
//  2. A comma, AND, OR or a clause's keyword begins a new operand beside the others.
//  3. JOIN and UNION are left-deep over all of their level.
//  4. Parentheses, brackets and CASE … END are one level over what they hold.
//
// An unclosed quote and comments nested too deeply are refused here too. The
// estimate is never too low by more than a small factor; linear in sql.
func measureDepth(sql string) *Error {
	limit := stackDepth()
	l := newLexer(sql)
	stack := make([]frame, 1, 16)
	for t := l.code(); t.kind != tokEOF; t = l.code() {
		top := &stack[len(stack)-1]
		switch t.kind {
		case tokOp, tokCast:
			top.ops++
		case tokPunct:
			stack = measurePunct(stack, sql[t.start])
		case tokWord:
			stack = measureWord(stack, sql[t.start:t.end])
		}
		top = &stack[len(stack)-1]
		if len(stack) > limit || top.ops+top.inner+top.joins > limit {
			return tooComplex(t.start, limit)
		}
	}
	if l.err != nil {
		return l.err
	}
	for i := len(stack) - 1; i > 0; i-- {
		stack = closeFrame(stack)
	}
	if stack[0].depth() > limit {
		return tooComplex(0, limit)
	}
	return nil
}

func tooComplex(off, limit int) *Error {
	return &Error{Offset: off, Msg: fmt.Sprintf("statement too complex: more than %d nested or chained operators", limit)}
}

func measurePunct(stack []frame, c byte) []frame {
	top := &stack[len(stack)-1]
	switch c {
	case '(', '[':
		return append(stack, frame{})
	case ')', ']':
		for len(stack) > 1 && stack[len(stack)-1].isCase {
			stack = closeFrame(stack)
		}
		if len(stack) > 1 {
			stack = closeFrame(stack)
		}
	case ',', ';':
		top.endSegment()
	}
	return stack
}

func measureWord(stack []frame, word string) []frame {
	if len(word) > 9 {
		return stack
	}
	top := &stack[len(stack)-1]
	switch w := strings.ToLower(word); {
	case w == "case":
		return append(stack, frame{isCase: true})
	case w == "end" && top.isCase:
		return closeFrame(stack)
	case joinWords[w]:
		top.joins++
		top.endSegment()
	case chainWords[w]:
		top.ops++
	case segmentWords[w]:
		top.endSegment()
	}
	return stack
}

func closeFrame(stack []frame) []frame {
	d := stack[len(stack)-1].depth()
	stack = stack[:len(stack)-1]
	top := &stack[len(stack)-1]
	top.inner = max(top.inner, d)
	return stack
}
