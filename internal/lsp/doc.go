// Package lsp is planvet's language server, over standard input and output.
//
// A project, the folder that planvet check would take for a root, is judged whole by
// internal/engine: when it is first seen, when a file of it is saved, and when one
// changes outside. Nothing is judged while a person types; positions of what was judged
// are carried through unsaved edits, since the judgement is on what is on disk.
//
//	messages ──► Handle ──► documents, settings, folders
//	                │ save, change, command
//	                ▼
//	            project.work: one goroutine a project, one run at a time
//	                │ findings, verdicts
//	                ▼
//	            publish: diagnostics, for files that are not open too
//
// The structs of the protocol are written by hand, as far as they are needed.
package lsp
