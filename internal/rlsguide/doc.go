// Package rlsguide runs the pairs of Supabase's guide to the performance of row
// security, slow form and fast form, on a throwaway server, and compares what they
// gain with the guide's own figures. It uses the sessions of internal/live and the
// servers of internal/shadow, as any measurement of planvet's does.
package rlsguide
