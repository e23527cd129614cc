package privacy

import (
	"slices"
	"strings"

	"rollcall/xmpp/stanza"
)

// Lists are all privacy lists of an account at one moment. They never change;
// the zero value is those of somebody who has none.
type Lists struct {
	version uint32
	def     string  // name of the default list, or ""
	all     []*List // sorted by name
}

// New makes the picture of what a store has. It keeps c's lists.
func New(c Contents) *Lists {
	all := slices.Clone(c.Lists)
	slices.SortFunc(all, func(a, b *List) int { return strings.Compare(a.name, b.name) })
	return &Lists{version: c.Version, def: c.Default, all: all}
}

// All returns the lists, sorted by name. The slice belongs to the picture.
func (l *Lists) All() []*List { return l.all }

// Get returns the list of that name, or nil.
func (l *Lists) Get(name string) *List {
	i, found := slices.BinarySearchFunc(l.all, name, func(x *List, name string) int { return strings.Compare(x.name, name) })
	if !found {
		return nil
	}
	return l.all[i]
}

// Default returns the default list, or nil.
func (l *Lists) Default() *List {
	if l.def == "" {
		return nil
	}
	return l.Get(l.def)
}

// Change is what becomes of somebody's lists. One that changes nothing is not
// written.
type Change struct {
	Put     *List  // a new list, or in place of the one of that name
	Remove  string // the name of one to remove
	Default string // the name of the default list from now on; "" for none
}

var errNoList = stanza.Refuse(stanza.ErrItemNotFound, "there is no such list")

func (l *Lists) nothing() Change { return Change{Default: l.def} }

// Put adds a list or replaces the one of that name (XEP-0016 §2.6, §2.7).
func (l *Lists) Put(list *List) (Change, error) { return Change{Put: list, Default: l.def}, nil }

// Remove removes a list (XEP-0016 §2.8). If it is the default list, there is
// none any more. Whether somebody uses it is for the caller to find out.
func (l *Lists) Remove(name string) (Change, error) {
	if l.Get(name) == nil {
		return Change{}, errNoList
	}
	c := Change{Remove: name, Default: l.def}
	if name == l.def {
		c.Default = ""
	}
	return c, nil
}

// MakeDefault makes a list the default one (XEP-0016 §2.5).
func (l *Lists) MakeDefault(name string) (Change, error) {
	if l.Get(name) == nil {
		return Change{}, errNoList
	}
	return Change{Default: name}, nil
}

// DeclineDefault leaves no default list (XEP-0016 §2.5).
func (l *Lists) DeclineDefault() (Change, error) { return Change{}, nil }

// with returns the lists after a change.
func (l *Lists) with(c Change) *Lists {
	after := &Lists{version: l.version + 1, def: c.Default}
	for _, x := range l.all {
		if x.name != c.Remove && (c.Put == nil || x.name != c.Put.name) {
			after.all = append(after.all, x)
		}
	}
	if c.Put != nil {
		i, _ := slices.BinarySearchFunc(after.all, c.Put.name, func(x *List, name string) int { return strings.Compare(x.name, name) })
		after.all = slices.Insert(after.all, i, c.Put)
	}
	return after
}

// Changed returns the names of the lists whose definitions differ: those that
// XEP-0016 §2.2, rule 10, has told to all connected resources.
func Changed(before, after *Lists) []string {
	var names []string
	for _, x := range before.all {
		if after.Get(x.name) != x {
			names = append(names, x.name)
		}
	}
	for _, x := range after.all {
		if before.Get(x.name) == nil {
			names = append(names, x.name)
		}
	}
	return names
}
