//go:build !race

package server

// garbage is how many allocations a message may make on its way: none.
const garbage = 0
