package gorm

type DB struct{}

func (db *DB) Raw(sql string, values ...interface{}) *DB        { return db }
func (db *DB) Exec(sql string, values ...interface{}) *DB       { return db }
func (db *DB) Where(query interface{}, args ...interface{}) *DB { return db }
func (db *DB) First(dest interface{}, conds ...interface{}) *DB { return db }
