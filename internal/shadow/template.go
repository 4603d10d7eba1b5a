package shadow

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Template is a filled server that is kept in the user's cache, so that the next one
// like it starts as a copy:
//
//  1. the key is what the content follows from, beside the server's version and locale;
//  2. a server that is stopped is copied, into a folder of another name that is then
//     renamed: who reads sees all of it or none, and of two writers one wins;
//  3. a copy that lacks something, or does not start, is thrown away with its original
//     and made anew;
//  4. the oldest go where there are more than a few, or they are large.
//
// It must hold no long sparse files: copies would be real.
type Template struct {
	// Key tells contents apart.
	Key string
	// Make fills a new server; its note comes back with each copy, in Server.Note.
	Make func(ctx context.Context, s *Server) (note []byte, err error)
}

// The bounds of the cache.
const (
	mostTemplates     = 12
	mostTemplateBytes = 2 << 30
)

// manifest is what a kept template has beside its data.
type manifest struct {
	Files, Bytes int64
	Note         []byte
}

// templates is the folder of the user's cache; "" where there is none.
func templates() string {
	c, err := cacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(c, "templates")
}

func (t *Template) path(bin binaries) string {
	dir := templates()
	if dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(bin.banner + "\x00" + strings.Join(locales, " ") + "\x00" + strings.Join(initArgs, " ") + "\x00" + t.Key))
	return filepath.Join(dir, bin.version+"-"+hex.EncodeToString(sum[:8]))
}

// fromTemplate starts a server from a kept template; false where there is none, or it
// is broken.
func (s *Server) fromTemplate(ctx context.Context, o Options, who account) bool {
	kept := o.Template.path(s.bin)
	if kept == "" {
		return false
	}
	text, err := os.ReadFile(filepath.Join(kept, "manifest.json"))
	if err != nil {
		return false
	}
	var m, got manifest
	err = json.Unmarshal(text, &m)
	if err == nil {
		err = copyTree(filepath.Join(kept, "d"), s.data(), 0o700, got.count(copyFile))
	}
	if err == nil && (got.Files != m.Files || got.Bytes != m.Bytes) {
		err = errors.New("files are missing")
	}
	if err == nil {
		err = who.ownAll(s.data())
	}
	if err == nil {
		err = s.run(ctx, o, who)
	}
	if err == nil {
		now := time.Now()
		os.Chtimes(filepath.Join(kept, "manifest.json"), now, now)
		s.Note = m.Note
		return true
	}
	if ctx.Err() == nil {
		o.say("the cached schema is broken and made anew")
		os.RemoveAll(kept)
	}
	s.halt(syscall.SIGQUIT)
	os.RemoveAll(s.data())
	return false
}

// makeTemplate fills the running server and keeps a copy of it. That it could not be
// kept costs only time later.
func (s *Server) makeTemplate(ctx context.Context, o Options, who account) (err error) {
	if s.Note, err = o.Template.Make(ctx, s); err != nil {
		return err
	}
	kept := o.Template.path(s.bin)
	if kept == "" {
		return nil
	}
	// A fast shutdown writes a checkpoint: a copy needs no recovery.
	s.halt(syscall.SIGINT)
	s.keepAs(kept)
	prune(filepath.Dir(kept))
	return s.run(ctx, o, who)
}

func (s *Server) keepAs(kept string) {
	if os.MkdirAll(filepath.Dir(kept), 0o700) != nil {
		return
	}
	tmp, err := os.MkdirTemp(filepath.Dir(kept), unfinished)
	if err != nil {
		return
	}
	defer os.RemoveAll(tmp)
	m := manifest{Note: s.Note}
	if copyTree(s.data(), filepath.Join(tmp, "d"), 0o700, m.count(copyFile)) != nil {
		return
	}
	text, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(filepath.Join(tmp, "manifest.json"), text, 0o600)
	}
	if err == nil {
		os.Rename(tmp, kept) // one that is there stays
	}
}

// count counts the files that a copy makes.
func (m *manifest) count(file func(from, to string) error) func(from, to string) error {
	return func(from, to string) error {
		st, err := os.Lstat(from)
		if err != nil {
			return err
		}
		m.Files++
		m.Bytes += st.Size()
		return file(from, to)
	}
}

// halt stops the server's process and keeps its files.
func (s *Server) halt(signal syscall.Signal) {
	if s.proc == nil {
		return
	}
	s.proc.Process.Signal(signal)
	select {
	case <-s.done:
	case <-time.After(30 * time.Second):
		s.proc.Process.Kill()
		<-s.done
	}
	s.proc = nil
}

// prune removes the templates that were not used for longest, and what a writer that
// was killed left.
func prune(dir string) {
	sweep(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	type template struct {
		path  string
		used  time.Time
		bytes int64
	}
	var all []template
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		var m manifest
		text, err := os.ReadFile(filepath.Join(path, "manifest.json"))
		if err != nil || json.Unmarshal(text, &m) != nil {
			if !errors.Is(err, fs.ErrNotExist) || e.IsDir() {
				os.RemoveAll(path)
			}
			continue
		}
		st, err := os.Stat(filepath.Join(path, "manifest.json"))
		if err == nil {
			all = append(all, template{path, st.ModTime(), m.Bytes})
		}
	}
	slices.SortFunc(all, func(a, b template) int { return cmp.Compare(b.used.UnixNano(), a.used.UnixNano()) })
	total := int64(0)
	for i, t := range all {
		if total += t.bytes; i >= mostTemplates || i > 0 && total > mostTemplateBytes {
			os.RemoveAll(t.path)
		}
	}
}

// KeyOf makes a template's key of the texts that its content follows from.
func KeyOf(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil))
}
