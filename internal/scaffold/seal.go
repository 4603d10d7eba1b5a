package scaffold

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// A sealed file names the digest of its own text, taken with zeros in the digest's
// place: whether a person changed it can be told without knowing which planvet made it.
const unsealed = "sha256:0000000000000000"

var sealMark = regexp.MustCompile(`sha256:[0-9a-f]{16}`)

// seal puts the digest in its place, the first that there is.
func seal(text string) string { return strings.Replace(text, unsealed, digest(text), 1) }

func digest(text string) string {
	// A checkout may have changed the ends of lines.
	sum := sha256.Sum256([]byte(strings.ReplaceAll(text, "\r\n", "\n")))
	return "sha256:" + hex.EncodeToString(sum[:])[:len(unsealed)-len("sha256:")]
}

// intact reports whether a file is as some planvet made it.
func intact(text string) bool {
	at := sealMark.FindStringIndex(text)
	return at != nil && digest(text[:at[0]]+unsealed+text[at[1]:]) == text[at[0]:at[1]]
}
