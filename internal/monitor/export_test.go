package monitor

// Trails is how many statements a view remembers.
func Trails(v *View) int {
	n := 0
	for i := range v.targets {
		n += len(v.targets[i].trails)
	}
	return n
}

// Outline is what statements that differ in lists have in common.
var Outline = outline
