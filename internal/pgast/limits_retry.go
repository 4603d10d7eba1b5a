package pgast

import (
	"math"
	"strings"
)

const (
	// retryBase and retryShare bound how many tokens a parser that tries alternatives
	// may read again: so many in all, and so many for each token of the text. A token
	// costs about half a microsecond.
	retryBase, retryShare = 1 << 20, 4
	// peekCost is how many parentheses are looked past, and failCost how many bytes are
	// counted to place a fault, in the time of one token.
	peekCost, failCost = 128, 256
)

// selectWords begin a query in parentheses; retriedWords are functions whose arguments
// are read as the standard's form first, and again as plain arguments.
var (
	selectWords  = map[string]bool{"select": true, "values": true, "table": true, "with": true}
	retriedWords = map[string]bool{"substring": true, "overlay": true, "json_object": true}
)

// measureRetries refuses a statement that a recursive descent parser with trials would
// read for hours: 300 bytes of them are enough.
//
//  1. k parentheses in a row before SELECT are tried as a subquery from each one, so
//     what they hold is read up to k times; substring(, overlay( and json_object( read
//     their arguments twice. Nested, the factors multiply.
//  2. Each of k parentheses in a row looks past those after it: k²/2 in all.
//  3. Each alternative that fails counts the characters up to its fault.
//  4. The cost is that of (2) and (3) and one for each token, times the factors of (1)
//     around them.
//
// It is never too low; linear in sql.
func measureRetries(sql string) *Error {
	l := newLexer(sql)
	var (
		stack  []int64 // the factor around each open parenthesis
		factor = int64(1)
		cost   int64
		tokens int64
		run    int // parentheses just opened, in a row
		before string
	)
	for t := l.code(); t.kind != tokEOF; t = l.code() {
		tokens++
		word := ""
		if t.kind == tokWord && t.end-t.start <= 11 {
			word = strings.ToLower(sql[t.start:t.end])
		}
		if t.kind == tokPunct && sql[t.start] == '(' {
			stack = append(stack, factor)
			if retriedWords[before] {
				factor = times(factor, 2)
				cost += times(int64(t.start/failCost), factor)
			}
			run++
			before = ""
			cost += factor
			continue
		}
		if run > 0 {
			cost += times(int64(run)*int64(run)/peekCost, factor)
			if selectWords[word] {
				cost += times(times(int64(run-1), int64(t.start/failCost)), factor)
				factor = times(factor, int64(run))
				for i := len(stack) - run + 1; i < len(stack); i++ {
					stack[i] = factor // until the first of the run is closed
				}
			}
			run = 0
		}
		if t.kind == tokPunct && sql[t.start] == ')' && len(stack) > 0 {
			factor = stack[len(stack)-1]
			stack = stack[:len(stack)-1]
		}
		before = word
		cost += factor
		if cost > retryBase+retryShare*tokens {
			return &Error{Offset: t.start, Msg: "statement too complex: its nested parentheses would have to be read too often"}
		}
	}
	return nil
}

func times(a, b int64) int64 {
	if b > 0 && a > math.MaxInt32/b {
		return math.MaxInt32
	}
	return a * b
}
