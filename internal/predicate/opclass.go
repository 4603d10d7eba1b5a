package predicate

import (
	"strings"

	"github.com/planvet/planvet/catalog"
)

// keyServes reports whether an index key serves a conjunct: the same key, and an
// operator of the key's class.
func (b *Block) keyServes(rel *Rel, x *catalog.Index, k catalog.IndexKey, c *Conjunct) bool {
	if !c.Sargable {
		return false
	}
	if k.Column == "" && c.Column != "" {
		k.Column = b.resolver.relabelled(rel, k.Expr)
	}
	if k.Column != "" {
		if k.Column != c.Column {
			return false
		}
	} else if k.Expr == "" || k.Expr != c.KeyExpr {
		return false
	}
	prefix := c.Pattern == PrefixPattern && (x.Method == "btree" || x.Method == "")
	if !collated(rel, k, c.collation) && !prefix && c.Op != "is null" && c.Op != "is not null" {
		return false
	}
	class := k.OpClass
	if i := strings.LastIndexByte(class, '.'); i >= 0 {
		class = class[i+1:]
	}
	if class == "" && c.typ == "" && x.Method != "btree" && x.Method != "hash" && x.Method != "" {
		return true // the class is the type's default, and we do not know the type
	}
	switch x.Method {
	case "btree", "":
		return btree(b, rel, k, class, c)
	case "hash":
		return c.Op == "="
	case "gin":
		return gin(class, c)
	case "gist", "spgist":
		return gist(class, c)
	case "brin":
		return compares(c.Op) || c.Op == "is null" || contains(c.Op)
	}
	return true // a method of an extension: we know nothing against it
}

func compares(op string) bool {
	switch op {
	case "=", "<", "<=", ">", ">=":
		return true
	}
	return false
}

func contains(op string) bool {
	switch op {
	case "@>", "<@", "&&", "@@", "@?", "<<", ">>", "&<", "&>", "-|-", "~=":
		return true
	}
	return false
}

func matches(op string) bool {
	switch op {
	case "~~", "~~*", "~", "~*", "%", "<%", "%>":
		return true
	}
	return false
}

// btree: comparisons; LIKE with a known prefix by a pattern class or collation C, and
// of bytes, which have none.
// A pattern class knows = but not < of the usual order.
func btree(b *Block, rel *Rel, k catalog.IndexKey, class string, c *Conjunct) bool {
	patternClass := strings.HasSuffix(class, "_pattern_ops")
	switch c.Op {
	case "=", "is null", "true", "false":
		return true
	case "<", "<=", ">", ">=":
		return !patternClass
	case "~~", "~":
		if c.Pattern == ExactPattern {
			return true
		}
		if c.Pattern == InfixPattern {
			return false
		}
		name := keyCollation(rel, k)
		return patternClass || c.typ == "bytea" || name == "C" || name == "POSIX" || plainType(c.typ) == "name"
	}
	return false
}

// gin: by class where one is named, else by the type of the key.
func gin(class string, c *Conjunct) bool {
	switch class {
	case "gin_trgm_ops":
		return matches(c.Op) || c.Op == "="
	case "jsonb_path_ops":
		return c.Op == "@>" || c.Op == "@?" || c.Op == "@@"
	case "":
	default:
		return contains(c.Op) || compares(c.Op) || strings.HasPrefix(c.Op, "?")
	}
	switch {
	case c.typ == "jsonb":
		return c.Op == "@>" || strings.HasPrefix(c.Op, "?") || c.Op == "@?" || c.Op == "@@"
	case c.typ == "tsvector":
		return c.Op == "@@" || c.Op == "@@@"
	case strings.HasSuffix(c.typ, "[]"):
		return c.Op == "@>" || c.Op == "<@" || c.Op == "&&" || c.Op == "=" && !c.Array
	}
	return compares(c.Op) // btree_gin, without which the index could not be
}

// gist and spgist: by class where it is one of pg_trgm's; a scalar key means
// btree_gist; for the rest every operator of containment and order counts.
func gist(class string, c *Conjunct) bool {
	if strings.Contains(class, "trgm") {
		return matches(c.Op) || c.Op == "="
	}
	if contains(c.Op) || compares(c.Op) || c.Op == "is null" {
		return true
	}
	return (c.Op == "~~" || c.Op == "~") && c.Pattern == PrefixPattern
}
