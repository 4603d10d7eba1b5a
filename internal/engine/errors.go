package engine

import (
	"errors"
	"fmt"
)

// Kind says whose fault an error is, and so which exit code it gets.
type Kind int

// The kinds of error.
const (
	// Usage: flags, arguments or config are wrong; exit 2.
	Usage Kind = iota + 1
	// Unfinished: the work could not be done; exit 3.
	Unfinished
)

// Error is an error with its kind. Its text is one line that says what to do.
type Error struct {
	Kind Kind
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns an error's kind; Unfinished where it has none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unfinished
}

func usagef(format string, a ...any) error { return &Error{Usage, fmt.Errorf(format, a...)} }

func unfinishedf(format string, a ...any) error {
	return &Error{Unfinished, fmt.Errorf(format, a...)}
}
