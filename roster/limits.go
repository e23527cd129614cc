package roster

import (
	"strings"
	"unicode/utf8"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Config bounds what an account may keep. A field that is zero has the value
// that [Config.WithDefaults] gives it.
type Config struct {
	MaxItems        int // entries in a roster, waiting requests included
	MaxGroups       int // groups of an item
	MaxNameBytes    int // an item's name
	MaxGroupBytes   int // a group's name
	MaxRequests     int // subscription requests that wait for an answer
	MaxRequestBytes int // one such request, whole
	MaxTombstones   int // removed items remembered for roster versioning
	CachedRosters   int // rosters kept in memory of accounts that are not online
}

// Lengths, and the places of group lists, take 16 bits in memory.
const (
	maxNameBytes = 1<<16 - 1
	maxItems     = 1<<16 - 2
)

// WithDefaults fills in the fields that are zero.
func (c Config) WithDefaults() Config {
	set := func(field *int, value int) {
		if *field <= 0 {
			*field = value
		}
	}
	set(&c.MaxItems, 5000)
	set(&c.MaxGroups, 64)
	set(&c.MaxNameBytes, 1023)
	set(&c.MaxGroupBytes, 1023)
	set(&c.MaxRequests, 500)
	set(&c.MaxRequestBytes, 8<<10)
	set(&c.MaxTombstones, 200)
	set(&c.CachedRosters, 2000)
	c.MaxItems = min(c.MaxItems, maxItems)
	c.MaxNameBytes = min(c.MaxNameBytes, maxNameBytes)
	return c
}

// Edit is what an owner says about a contact in a roster set.
type Edit struct {
	Contact jid.Bare
	Name    string
	Groups  []string
}

// Check applies the rules of RFC 6121 §2.3.3 to a roster set's item. That the
// set has exactly one item is for whoever parses it.
func (c Config) Check(owner jid.Bare, e Edit) error {
	c = c.WithDefaults()
	switch {
	case e.Contact == "":
		return stanza.Refuse(stanza.ErrBadRequest, "the item has no address")
	case e.Contact == owner:
		// RFC 6121 §2.3.3, interoperability note.
		return stanza.Refuse(stanza.ErrNotAllowed, "nobody is in their own roster")
	case len(e.Name) > c.MaxNameBytes:
		return stanza.Refuse(stanza.ErrNotAcceptable, "the name is longer than %d bytes", c.MaxNameBytes)
	case len(e.Groups) > c.MaxGroups:
		return stanza.Refuse(stanza.ErrNotAcceptable, "the item is in more than %d groups", c.MaxGroups)
	case !storable(e.Name):
		return stanza.Refuse(stanza.ErrBadRequest, "the name holds control characters")
	}
	seen := make(map[string]bool, len(e.Groups))
	for _, g := range e.Groups {
		if err := c.checkGroup(g, seen); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) checkGroup(g string, seen map[string]bool) error {
	switch {
	case g == "":
		return stanza.Refuse(stanza.ErrNotAcceptable, "a group has no name")
	case len(g) > c.MaxGroupBytes:
		return stanza.Refuse(stanza.ErrNotAcceptable, "a group's name is longer than %d bytes", c.MaxGroupBytes)
	case !storable(g):
		return stanza.Refuse(stanza.ErrBadRequest, "a group's name holds control characters")
	}
	key := g
	if prepared, err := jid.Resource(g); err == nil {
		key = prepared // compared as RFC 6121 §2.3.3 proposes
	}
	if seen[key] {
		return stanza.Refuse(stanza.ErrBadRequest, "the item is twice in one group")
	}
	seen[key] = true
	return nil
}

// storable refuses what XML cannot carry: stores may use control characters as
// separators.
func storable(s string) bool {
	control := func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }
	return utf8.ValidString(s) && strings.IndexFunc(s, control) < 0
}
