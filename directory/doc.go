// Package directory is who works here, as a directory such as LDAP or Active
// Directory tells: it makes accounts of the people in there, checks their
// passwords with it, and hands on their groups.
//
// A [Directory] does three things. Run reads the directory at the start, from
// time to time and when it is told to, and brings the accounts in line: [Decide]
// says how. CheckPassword is asked at a login. And whoever takes shared groups of
// contacts gets those of the directory.
//
// An account is either ours, made here and with a password here, or theirs: it
// has no password here, and the directory says whether it may be used. An account
// that is ours stays so when somebody of its name turns up in the directory.
//
// The directory itself is a [Source], which somebody else implements.
package directory
