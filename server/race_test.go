//go:build race

package server

// garbage is how many allocations a message may make on its way. The race
// detector has pools drop some of what is put back.
const garbage = 20
