package shadow

import (
	"math"
	"slices"
)

// unsized is an index that was built on an empty table.
type unsized struct {
	oid, method, schema, table, tableOID string
	// rows are in it, heap are the table's blocks.
	rows, heap float64
	// where is a partial index's predicate; unique and including say what keeps equal
	// keys apart.
	where             string
	unique, including bool
	keys              []unsizedKey
}

type unsizedKey struct {
	// expr is "" for a column.
	expr  string
	width int
	// distinct is as pg_statistic has it, 0 where nothing is known.
	distinct float64
	// trigram is set where the key is a text's trigrams, shared where equal keys may
	// share a tuple of a B-tree.
	trigram, shared bool
}

// pages is the size in blocks that the index has when it was just built. GIN and BRIN
// are rough: a posting takes some two bytes, and a text has a trigram a byte, another
// value an element in eight.
func (x unsized) pages() int64 {
	const page = 8192 - 24 - 16
	width := 0
	for _, k := range x.keys {
		width += k.width
	}
	switch x.method {
	case "gin":
		elements := 0.0
		for _, k := range x.keys {
			if k.trigram {
				elements += float64(k.width)
			} else {
				elements += max(float64(k.width)/8, 1)
			}
		}
		return 3 + int64(math.Ceil(x.rows*elements*2/page))
	case "brin":
		const pagesPerRange = 128
		return 3 + int64(math.Ceil(x.heap/pagesPerRange*float64(8+2*width)/page))
	case "hash":
		const fill = 0.75
		return 3 + int64(math.Ceil(x.rows*20/(page*fill)))
	}
	return x.tree(width, page)
}

// tree is the size of a B-tree, and about that of GiST. A tuple has a header of 8
// bytes and a line pointer of 4, and is rounded up to 8 (index_form_tuple in
// PostgreSQL's indextuple.c). Equal keys share a tuple with a list of up to a sixth
// of a page of row pointers, 6 bytes each (nbtdedup.c), where the index is not unique
// and the types say that equal is the same.
// Leaves are filled to 90 %.
func (x unsized) tree(width int, page float64) int64 {
	const pointer, fill, upper = 6, 0.9, 0.7
	tuple := float64(aligned(8+width) + 4)
	bytes := x.rows * tuple
	if equal := x.rows / x.combinations(); x.method == "btree" && !x.unique && !x.including && equal >= 2 && !slices.ContainsFunc(x.keys, func(k unsizedKey) bool { return !k.shared }) {
		tuples := x.rows / min(equal, page/6/pointer)
		bytes = min(bytes, tuples*tuple+x.rows*pointer)
	}
	leaves := math.Ceil(bytes / (page * fill))
	total := leaves
	for level := leaves; level > 1; {
		level = math.Ceil(level * tuple / (page * upper))
		total += level
	}
	return 1 + int64(max(total, 1))
}

// combinations is how many different keys there are, as if columns had nothing to do
// with each other.
func (x unsized) combinations() float64 {
	n := 1.0
	for _, k := range x.keys {
		switch {
		case k.distinct > 0:
			n *= k.distinct
		case k.distinct < 0:
			n *= -k.distinct * x.rows
		default:
			return max(x.rows, 1)
		}
	}
	return max(min(n, x.rows), 1)
}
