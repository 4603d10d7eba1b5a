package gclplugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds what is hashed of one file, as the engine bounds what it reads.
const maxFile = 16 << 20

// hashSQL hashes the .sql files below root, which Go code may embed. Hidden folders and
// node_modules hold none of it; what cannot be read cannot be embedded either.
func hashSQL(root string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil //nolint:nilerr // see above
		case d.IsDir():
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || !strings.EqualFold(filepath.Ext(path), ".sql"):
			return nil
		}
		if st, err := d.Info(); err != nil || st.Size() > maxFile {
			return nil //nolint:nilerr // see above
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil //nolint:nilerr // see above
		}
		fmt.Fprintf(h, "%s\x00%d\x00", path, len(text))
		h.Write(text)
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}
