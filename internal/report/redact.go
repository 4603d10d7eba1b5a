package report

import "regexp"

var (
	// The password of a URL runs to the last @ of the word: it may hold one itself.
	urlPassword = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://[^\s:/?#@]*):\S*@`)
	// key=value of a DSN or a URL's query; quoted values may hold spaces.
	keyPassword = regexp.MustCompile(`(?i)\b((?:pg|ssl)?password|passwd|pwd|passfile|sslkey|secret|token|apikey|api_key)(\s*=\s*)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s&"']+)`)
	jsonSecret  = regexp.MustCompile(`(?i)("(?:password|passwd|secret|token|apikey|api_key)"\s*:\s*)"(?:[^"\\]|\\.)*"`)
)

// Redact masks passwords in connection strings, URLs and JSON anywhere in a text.
// It would rather mask too much than leave a password: use it on every error that
// may hold what a user passed in.
func Redact(s string) string {
	s = urlPassword.ReplaceAllString(s, "$1:***@")
	s = keyPassword.ReplaceAllString(s, "$1$2***")
	return jsonSecret.ReplaceAllString(s, `$1"***"`)
}
