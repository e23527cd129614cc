// Package slapd is a real OpenLDAP for tests: a private server on loopback with
// its own directory, certificates and people, gone afterwards.
//
// The variable ROLLCALL_TEST_LDAP names the program, /usr/sbin/slapd on Debian;
// scripts/test.sh installs it and sets the variable. Without it the tests that
// need it cannot run, and say so.
package slapd
