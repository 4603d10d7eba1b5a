package mysql

type MySQLDriver struct{}
