package storage

// OnEach runs a test on each kind of database, for tests of other packages that
// live here to have both.
var OnEach = onEach
