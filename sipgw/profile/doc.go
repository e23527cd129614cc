// Package profile knows the makes of phones: what each wants of the documents that
// it is sent, by the User-Agent that it says.
//
// What is known stands in profiles.toml, which is built in. An operator's own
// profiles are looked at first, and one with the name of a built-in one takes its
// place.
package profile
