package embedsql

import (
	"github.com/planvet/planvet/analyzers/program"
)

// Summary is what callers need to know of a function in another package. It is
// small and free of maps, so that its encoding is stable.
type Summary struct {
	// Key is the function's.
	Key string
	// Wraps are the texts that the function sends, with its parameters in them.
	Wraps []Wrap
}

// Wrap is a text with parameters.
type Wrap struct {
	Call                      string
	Parts                     []Part
	Sure, Named, Trips, Guess bool
}

// Part is a run of a wrapped text: a parameter's number, or -1 with Text, or -2 for
// a hole.
type Part struct {
	Param int
	Text  string
}

func (x *extraction) imported(key string) *Summary {
	if x.o.Imported == nil {
		return nil
	}
	return x.o.Imported(key)
}

// addWrapper remembers a text with parameters for the packages that import this one.
func (x *extraction) addWrapper(f *program.Func, s *sink, t text) {
	if f.Lit != nil || x.o.Imported == nil {
		return
	}
	w := Wrap{Call: s.call, Sure: s.sure, Named: s.named, Trips: s.trips, Guess: t.how&guessed != 0}
	for _, p := range t.pieces {
		switch {
		case p.kind == pieceText:
			w.Parts = append(w.Parts, Part{-1, p.text})
		case p.kind == pieceParam && p.fn == f:
			w.Parts = append(w.Parts, Part{Param: p.param})
		default:
			w.Parts = append(w.Parts, Part{Param: -2})
		}
	}
	sum := x.wrappers[f.Key]
	if sum == nil {
		sum = &Summary{Key: f.Key}
		x.wrappers[f.Key] = sum
	}
	if len(sum.Wraps) < 8 {
		sum.Wraps = append(sum.Wraps, w)
	}
}

// emitImported resolves the calls of wrappers in other packages.
func (x *extraction) emitImported(w *walked, top *program.Func) {
	if x.o.Imported == nil {
		return
	}
	for _, f := range x.prog.Funcs {
		if f.Top() != top {
			continue
		}
		for _, c := range f.Calls {
			o := program.Target(f.Pkg.Info, c)
			if o == nil || o.Pkg() == nil || x.prog.Own(o.Pkg().Path()) {
				continue
			}
			sum := x.imported(x.prog.Key(o))
			if sum == nil {
				continue
			}
			for _, wr := range sum.Wraps {
				s := &sink{arg: -1, call: wr.Call, sure: wr.Sure, named: wr.Named, trips: wr.Trips}
				v := plain("")
				for _, p := range wr.Parts {
					switch {
					case p.Param == -1:
						v = concat(v, plain(p.Text))
					case p.Param >= 0:
						v = concat(v, w.args[c][p.Param])
					default:
						v = concat(v, hole(holeAny, "a value that is not followed"))
					}
				}
				h := byWrapper
				if wr.Guess {
					h |= guessed
				}
				x.resolve(program.Site{In: f, Call: c}, s, v.with(h), 1, map[string]bool{})
			}
		}
	}
}
