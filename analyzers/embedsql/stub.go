package embedsql

type extraction struct{}

// Summary is what callers need to know of a function in another package.
type Summary struct{}

func extract([]*Package, Options) *Result { return &Result{x: &extraction{}} }
