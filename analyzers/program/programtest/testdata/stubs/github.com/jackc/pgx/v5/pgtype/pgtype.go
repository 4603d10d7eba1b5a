package pgtype

type Int8 struct {
	Int64 int64
	Valid bool
}
