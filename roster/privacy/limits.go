package privacy

import (
	"strings"
	"unicode/utf8"

	"rollcall/xmpp/stanza"
)

// Config bounds what an account may keep. A field that is zero has the value
// that [Config.WithDefaults] gives it.
type Config struct {
	MaxLists       int // lists of an account
	MaxItems       int // items of a list
	MaxNameBytes   int // a list's name
	CachedAccounts int // accounts whose lists are kept in memory; of a quarter as many it is remembered that they have none
}

// WithDefaults fills in the fields that are zero.
func (c Config) WithDefaults() Config {
	set := func(field *int, value int) {
		if *field <= 0 {
			*field = value
		}
	}
	set(&c.MaxLists, 20)
	set(&c.MaxItems, 1000)
	set(&c.MaxNameBytes, 1024)
	set(&c.CachedAccounts, 20_000)
	return c
}

// check refuses a change that goes beyond the limits.
func (c Config) check(before *Lists, ch Change) error {
	switch {
	case ch.Put == nil:
		return nil
	case len(ch.Put.items) > c.MaxItems:
		return tooManyItems(c.MaxItems)
	case before.Get(ch.Put.name) == nil && len(before.all) >= c.MaxLists:
		return stanza.Refuse(stanza.ErrPolicyViolation, "an account has at most %d privacy lists", c.MaxLists)
	}
	return nil
}

func tooManyItems(limit int) error {
	return stanza.Refuse(stanza.ErrPolicyViolation, "a privacy list has at most %d items", limit)
}

func (c Config) checkName(name string) error {
	switch {
	case name == "":
		return stanza.Refuse(stanza.ErrBadRequest, "the list has no name")
	case len(name) > c.MaxNameBytes:
		return stanza.Refuse(stanza.ErrNotAcceptable, "the list's name is longer than %d bytes", c.MaxNameBytes)
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return stanza.Refuse(stanza.ErrBadRequest, "the list's name holds control characters")
	}
	return nil
}
