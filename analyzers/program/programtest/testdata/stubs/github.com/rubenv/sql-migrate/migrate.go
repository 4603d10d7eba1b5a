package migrate

type Migration struct {
	Id   string
	Up   []string
	Down []string
}

type MemoryMigrationSource struct{ Migrations []*Migration }
