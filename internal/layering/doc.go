// Package layering tests the plan of the house: which room may know which,
// and how large a thing may grow before it is two things.
//
// The arrows are a table (arrows.go), the habits are a few small checks over
// the syntax of every Go file (habits.go, budgets.go, documented.go). Its one
// test reads the whole module and fails the build when something is crossed;
// the other tests feed it crossings, so that it is known to be able to fail.
package layering
