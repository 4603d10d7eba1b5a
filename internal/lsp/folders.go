package lsp

import (
	"cmp"
	"go/build"
	"os"
	"path/filepath"
	"slices"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/rules"
)

// projectOfFolder is the project that planvet check would judge in a folder, made where
// it is not known; nil where it cannot be told.
func (s *Server) projectOfFolder(folder string) *project {
	root, _ := engine.Find(folder)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.projectAt(root, folder)
}

// projectAt is the project of a root; mu is held.
func (s *Server) projectAt(root, folder string) *project {
	p := s.projects[root]
	if p == nil {
		p = &project{root: root, folder: folder, published: map[string]bool{}, verdicts: map[string]rules.Verdict{}}
		s.projects[root] = p
	}
	return p
}

// projectOf is the project whose findings a file shows: of a folder of the workspace,
// or of a planvet.yaml nearer to the file. A file that stands in no folder has the
// project that planvet check would find, unless it is Go's own or a dependency's.
// nil where there is none.
func (s *Server) projectOf(path string) *project {
	s.mu.Lock()
	defer s.mu.Unlock()
	root, file := engine.Find(filepath.Dir(path))
	outer := ""
	for _, f := range s.folders {
		if r, _ := engine.Find(f); (within(path, f) || within(path, r)) && len(r) > len(outer) {
			outer = r
		}
	}
	switch {
	case outer != "" && (file == "" || !within(root, outer)):
		return s.projectAt(outer, outer)
	case outer != "":
		return s.projectAt(root, root)
	case foreign(path):
		return nil
	case file == "" && root == filepath.Dir(path) && !marked(root):
		return nil // a file of no project: a scratch pad, or a script in a home folder
	}
	return s.projectAt(root, root)
}

func marked(dir string) bool {
	for _, name := range []string{"go.work", "go.mod", ".git"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// foreign reports whether a file is Go's own, or in the cache of modules.
func foreign(path string) bool {
	c := build.Default
	for _, dir := range append(filepath.SplitList(c.GOPATH), c.GOROOT) {
		if dir == c.GOROOT && dir != "" && within(path, dir) || dir != "" && within(path, filepath.Join(dir, "pkg", "mod")) {
			return true
		}
	}
	cache := os.Getenv("GOMODCACHE")
	return cache != "" && within(path, cache)
}

// allProjects are in the order of their roots; mu is held.
func (s *Server) allProjects() []*project {
	out := make([]*project, 0, len(s.projects))
	for _, p := range s.projects {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *project) int { return cmp.Compare(a.root, b.root) })
	return out
}

// ownerOf is the project with the deepest root that a file is in; mu is held.
func (s *Server) ownerOf(path string) *project {
	var owner *project
	for _, p := range s.projects {
		if within(path, p.root) && (owner == nil || len(p.root) > len(owner.root)) {
			owner = p
		}
	}
	return owner
}

func (s *Server) didChangeFolders(p *struct {
	Event struct {
		Added   []folder `json:"added"`
		Removed []folder `json:"removed"`
	} `json:"event"`
},
) (any, error) {
	var added []string
	s.mu.Lock()
	for _, f := range p.Event.Removed {
		if path, ok := pathOf(f.URI); ok {
			s.folders = slices.DeleteFunc(s.folders, func(f string) bool { return f == path })
		}
	}
	for _, f := range p.Event.Added {
		if path, ok := pathOf(f.URI); ok && !slices.Contains(s.folders, path) {
			s.folders, added = append(s.folders, path), append(added, path)
		}
	}
	kept := slices.Clone(s.folders)
	s.mu.Unlock()
	s.leaveOthers(kept)
	for _, f := range added {
		s.judge(s.projectOfFolder(f))
	}
	return nil, nil
}

// leaveOthers drops the projects that no folder and no open file is in any more.
func (s *Server) leaveOthers(folders []string) {
	var roots []string
	for _, f := range folders {
		root, _ := engine.Find(f)
		roots = append(roots, root)
	}
	s.mu.Lock()
	var gone []*project
	for _, p := range s.allProjects() {
		needed := slices.ContainsFunc(roots, func(r string) bool { return within(p.root, r) })
		for path := range s.docs {
			needed = needed || within(path, p.root)
		}
		if !needed {
			gone = append(gone, p)
		}
	}
	s.mu.Unlock()
	for _, p := range gone {
		s.leave(p)
	}
}

// leave forgets a project, and takes its diagnostics back.
func (s *Server) leave(p *project) {
	s.mu.Lock()
	p.stop()
	p.result, p.problem, p.left = nil, nil, true
	delete(s.projects, p.root)
	s.mu.Unlock()
	s.publish(p)
}
