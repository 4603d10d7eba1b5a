// Package dashboard shows on one page what a system does: endpoints under a benchmark,
// the database over time, flows of users, and objectives. What was not measured is said
// to be so, with the command that would measure it.
package dashboard
