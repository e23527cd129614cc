// Package staff tests the whole server with a real directory of people beside it:
// who can log in and how, what happens to whom when the directory changes, and
// when it is away.
package staff
