package vetunit

import (
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stamp is a file as it was when it was hashed.
type stamp struct {
	Path string
	Size int64
	Time time.Time
}

// index says which encoded schema belongs to a root.
type index struct {
	Config string
	Self   string
	Files  []stamp
	Key    string
}

// printVersion prints the line that go vet takes as the tool's identity. Its
// third field is devel, and so only the last field counts, from its last slash.
func printVersion(o Options, w io.Writer) error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	root, config := o.Find(wd)
	x, err := refresh(o, root, config)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "planvet version devel %s buildID=%s\n", o.Version, x.Key)
	return err
}

// cached returns the encoded schema of a root, from the cache when its files are
// as they were.
func cached(o Options, root, config string) ([]byte, error) {
	if x, ok := readIndex(root); ok && x.fresh(root, config) {
		if b, err := os.ReadFile(schemaFile(x.Key)); err == nil {
			return b, nil
		}
	}
	x, err := refresh(o, root, config)
	if err != nil {
		return nil, err
	}
	if b, err := os.ReadFile(schemaFile(x.Key)); err == nil {
		return b, nil
	}
	return o.Build(root, config) // no cache can be written here
}

// Schema is what a root's packages are judged against.
type Schema struct {
	Root, Config string
	// Key changes with planvet, the root, the config and every file of the schema.
	Key string
	// Encoded is what Options.Build returned.
	Encoded []byte
}

// Fresh is the schema of the root that dir is in, as its files are now.
func Fresh(o Options, dir string) (*Schema, error) {
	root, config := o.Find(dir)
	x, err := refresh(o, root, config)
	if err != nil {
		return nil, err
	}
	s := &Schema{Root: root, Config: config, Key: x.Key}
	if s.Encoded, err = os.ReadFile(schemaFile(x.Key)); err != nil {
		s.Encoded, err = o.Build(root, config) // no cache can be written here
	}
	return s, err
}

// refresh hashes the schema's files and makes sure that the schema they give is in
// the cache. A cache that cannot be written costs time, never correctness.
func refresh(o Options, root, config string) (*index, error) {
	files, err := o.Files(root, config)
	if err != nil {
		return nil, err
	}
	self, err := selfHash()
	if err != nil {
		return nil, err
	}
	x := &index{Config: config, Self: self}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00", self, root)
	if config != "" {
		files = append(files, config)
	}
	for _, f := range files {
		p := f
		if !filepath.IsAbs(p) {
			p = filepath.Join(root, f)
		}
		st, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(h, "%s\x00%d\x00", f, len(b))
		h.Write(b)
		x.Files = append(x.Files, stamp{f, st.Size(), st.ModTime()})
	}
	x.Key = hex.EncodeToString(h.Sum(nil)[:16])
	if _, err := os.Stat(schemaFile(x.Key)); err != nil {
		b, err := o.Build(root, config)
		if err != nil {
			return nil, err
		}
		_ = writeFile(schemaFile(x.Key), b)
	}
	var buf strings.Builder
	if err := gob.NewEncoder(&buf).Encode(x); err == nil {
		_ = writeFile(indexFile(root), []byte(buf.String()))
	}
	return x, nil
}

func readIndex(root string) (*index, bool) {
	f, err := os.Open(indexFile(root))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	var x index
	if gob.NewDecoder(f).Decode(&x) != nil {
		return nil, false
	}
	return &x, true
}

// fresh reports whether the files that an index knows are as they were. A file
// that came new is not noticed here: go vet has just run -V=full, which does.
func (x *index) fresh(root, config string) bool {
	if self, err := selfHash(); err != nil || self != x.Self || x.Config != config {
		return false
	}
	for _, s := range x.Files {
		p := s.Path
		if !filepath.IsAbs(p) {
			p = filepath.Join(root, p)
		}
		st, err := os.Stat(p)
		if err != nil || st.Size() != s.Size || !st.ModTime().Equal(s.Time) {
			return false
		}
	}
	return true
}

// cacheDir is where schemas are kept between the calls of go vet.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "planvet", "vet", "v1")
}

func schemaFile(key string) string { return filepath.Join(cacheDir(), key+".gob") }

func indexFile(root string) string {
	sum := sha256.Sum256([]byte(root))
	return filepath.Join(cacheDir(), "root-"+hex.EncodeToString(sum[:16])+".gob")
}

// writeFile writes by renaming, because packages are vetted in parallel.
func writeFile(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(b); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// selfHash identifies the running binary by its size and time as well as its
// path: hashing its megabytes for each package would cost more than the analysis.
func selfHash() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	st, err := os.Stat(exe)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", exe, st.Size(), st.ModTime().UnixNano()))
	return hex.EncodeToString(sum[:8]), nil
}
