// Package companion installs the objects of the SQL extension planvet as a schema, for
// who may not put files on a server: the same scripts, without superuser. It never
// touches what it did not make, and it tells others whether the objects are there, in
// either form.
package companion
