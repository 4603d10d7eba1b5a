package pq

func Array(a interface{}) interface{}    { return nil }
func QuoteIdentifier(name string) string { return "" }

func CopyIn(table string, columns ...string) string { return "" }
