package roster

import (
	"slices"
	"strings"
	"unicode"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// GroupConfig bounds the shared groups. A field that is zero has the value that
// [GroupConfig.WithDefaults] gives it.
type GroupConfig struct {
	MaxGroups  int // shared groups in all
	MaxMembers int // members of one that are named, or accounts for one of everybody
}

// WithDefaults fills in the fields that are zero.
func (c GroupConfig) WithDefaults() GroupConfig {
	if c.MaxGroups <= 0 {
		c.MaxGroups = 1000
	}
	if c.MaxMembers <= 0 {
		c.MaxMembers = 10_000
	}
	return c
}

const (
	maxGroupName  = 64  // bytes
	maxGroupTitle = 255 // bytes
	maxMemberName = 255 // bytes
)

// checkGroupName refuses what cannot be the name of a group.
func checkGroupName(name string) error {
	switch {
	case name == "":
		return stanza.Refuse(stanza.ErrNotAcceptable, "a group needs a name")
	case len(name) > maxGroupName:
		return stanza.Refuse(stanza.ErrNotAcceptable, "a group's name has at most %d bytes", maxGroupName)
	case !printable(name):
		return stanza.Refuse(stanza.ErrNotAcceptable, "a group's name is what can be printed on one line, with no blanks around it")
	}
	return nil
}

// checkTitle refuses what cannot be the title of a group.
func checkTitle(title string) error {
	switch {
	case len(title) > maxGroupTitle:
		return stanza.Refuse(stanza.ErrNotAcceptable, "a group's title has at most %d bytes", maxGroupTitle)
	case !printable(title):
		return stanza.Refuse(stanza.ErrNotAcceptable, "a group's title is what can be printed on one line, with no blanks around it")
	}
	return nil
}

// checkMember refuses who cannot be a member of a group.
func checkMember(m Member) error {
	switch who, err := jid.Parse(string(m.JID)); {
	case err != nil || who.IsFull() || who.Bare() != m.JID:
		return stanza.Refuse(stanza.ErrMalformedJID, "%q is not the address of anybody", m.JID)
	case len(m.Name) > maxMemberName:
		return stanza.Refuse(stanza.ErrNotAcceptable, "the name of %s has more than %d bytes", m.JID, maxMemberName)
	case !printable(m.Name):
		return stanza.Refuse(stanza.ErrNotAcceptable, "the name of %s is not what can be printed on one line, with no blanks around it", m.JID)
	}
	return nil
}

// printable wants one line of text.
func printable(s string) bool {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	return strings.IndexFunc(s, odd) < 0 && strings.TrimSpace(s) == s
}

// checkMembers refuses a list of members, and returns it in order otherwise: the
// last word on each counts.
func (c GroupConfig) checkMembers(group string, list []Member) ([]Member, error) {
	for _, m := range list {
		if err := checkMember(m); err != nil {
			return nil, err
		}
	}
	list = slices.Clone(list)
	slices.Reverse(list)
	slices.SortStableFunc(list, compareMembers)
	list = slices.CompactFunc(list, func(a, b Member) bool { return a.JID == b.JID })
	if len(list) > c.MaxMembers {
		return nil, stanza.Refuse(stanza.ErrPolicyViolation, "the group %s would have %d members, and a group has at most %d", group, len(list), c.MaxMembers)
	}
	return list, nil
}

func compareMembers(a, b Member) int { return strings.Compare(string(a.JID), string(b.JID)) }

func noGroup(name string) error {
	return stanza.Refuse(stanza.ErrItemNotFound, "there is no group %s", name)
}

// kept refuses to change by hand what is kept by something else.
func kept(g *Group) error {
	return stanza.Refuse(stanza.ErrNotAllowed, "the group %s is kept by %s; change it there", g.Name, g.Source)
}
