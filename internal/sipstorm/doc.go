// Package sipstorm tests the whole server where telephones go wrong by the thousand:
// some ask for the same thing again and again, and after a power cut all come at once.
// Whoever does nothing wrong notices nothing of it, and in the end all is as it should
// be.
//
// The phones are real ones as far as the server can tell, each at a loopback address of
// its own. Nothing here depends on how quick the machine is; how quick it was is
// reported by the benchmarks.
package sipstorm
