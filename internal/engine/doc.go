// Package engine runs planvet's line from a config to findings in one call:
//
//  1. the project's root and config;
//  2. migrations, found and replayed into one catalog a database;
//  3. statements out of Go code, query files, function bodies and views;
//  4. the checkers' findings, severities and suppressions applied;
//  5. verdicts, when a planner is asked.
//
// The command line, go vet, and plugins call it; it prints nothing.
package engine
