// Package querytrace records what a test sends to PostgreSQL and fails the test where
// n items cause n statements.
//
// A [Tracer] goes where the test makes its connections, once: into pgx's ConnConfig, or
// around a database/sql driver. A [Recorder] gets the statements whose context it made:
//
//	var tracer querytrace.Tracer
//	config.ConnConfig.Tracer = &tracer // pgx and pgxpool, also below pgx's stdlib
//	db := sql.OpenDB(tracer.Connector(inner)) // another database/sql driver
//
//	func TestPlayersAtTable(t *testing.T) {
//		querytrace.Slope(t, []int{2, 20}, func(t testing.TB, n int, rec *querytrace.Recorder) {
//			table := seat(t, n) // the fixture, with a context of its own: not recorded
//			if _, err := store.PlayersAtTable(rec.Context(t.Context()), pool, table); err != nil {
//				t.Fatal(err)
//			}
//		})
//	}
//
// Statements are counted by shape: literals, parameters, comments, white space and the
// lengths of lists do not matter. What counts is round trips: the statements of a
// pgx.Batch are one. Values of parameters are not recorded.
//
// Without a recorder in the context, a tracer costs some nanoseconds a statement.
package querytrace
