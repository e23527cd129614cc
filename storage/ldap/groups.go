package ldap

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	lib "github.com/go-ldap/ldap/v3"

	"rollcall/directory"
	"rollcall/xmpp/jid"
)

// people are those who were found, by what a group may call them.
type people struct {
	byDN   map[string]*directory.Person
	byName map[string]*directory.Person

	doubtful map[string]bool
	unnamed  int
}

// gather makes people of entries. A name that several entries have is nobody's.
func (c *Client) gather(entries []*lib.Entry) *people {
	all := &people{
		byDN: make(map[string]*directory.Person, len(entries)), byName: make(map[string]*directory.Person, len(entries)),
		doubtful: map[string]bool{},
	}
	for _, e := range entries {
		p, ok := c.person(e)
		switch {
		case !ok:
			all.unnamed++
			continue
		case all.byName[p.Local] != nil || all.doubtful[p.Local]:
			all.doubtful[p.Local] = true
			delete(all.byName, p.Local)
			continue
		}
		all.byName[p.Local] = &p
		if key, ok := dnKey(e.DN); ok {
			all.byDN[key] = &p
		}
	}
	return all
}

// list returns them in order.
func (all *people) list() []directory.Person {
	out := make([]directory.Person, 0, len(all.byName))
	for _, name := range slices.Sorted(maps.Keys(all.byName)) {
		out = append(out, *all.byName[name])
	}
	return out
}

// named finds somebody by a value of a group: a DN (member, uniqueMember), or a
// login name (memberUid). nil is nobody of whom we know.
func (all *people) named(value, domain string) *directory.Person {
	if key, ok := dnKey(value); ok && all.byDN[key] != nil {
		if p := all.byDN[key]; all.byName[p.Local] == p { // else the name is in doubt
			return p
		}
		return nil
	}
	if local, ok := loginName(value, domain); ok {
		return all.byName[local]
	}
	return nil
}

// groupAttributes are what is read of a group.
func (c *Client) groupAttributes() []string {
	list := []string{c.cfg.Attributes.GroupTitle, c.cfg.Attributes.ID}
	if c.cfg.GroupMemberFilter == "" {
		list = append(list, c.cfg.Attributes.Member)
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// group makes a group of an entry, without its members. It is not ok if it is none
// that is wanted.
func (c *Client) group(e *lib.Entry) (g directory.Group, ok bool) {
	title := firstText(e, c.cfg.Attributes.GroupTitle)
	same := func(s string) bool { return strings.EqualFold(s, title) }
	if title == "" || len(c.cfg.Groups) > 0 && !slices.ContainsFunc(c.cfg.Groups, same) {
		return g, false
	}
	id := entryID(e, c.cfg.Attributes.ID)
	if id == "" {
		if id, ok = dnKey(e.DN); !ok {
			return g, false
		}
	}
	return directory.Group{ID: id, Title: title}, true
}

// listed returns whom the group's own attribute names. Active Directory gives only
// so many values at a time, under another name (MS-ADTS §3.1.1.3.1.3.3): half a
// group is worse than none.
func (c *Client) listed(e *lib.Entry, all *people) ([]*directory.Person, error) {
	var out []*directory.Person
	name := c.cfg.Attributes.Member
	for _, a := range e.Attributes {
		base, option, _ := strings.Cut(a.Name, ";")
		if !strings.EqualFold(base, name) {
			continue
		}
		if strings.HasPrefix(strings.ToLower(option), "range=") {
			return nil, fmt.Errorf("the group %s has more members than the directory tells at once; set directory.group_member_filter", e.DN)
		}
		for _, v := range a.Values {
			if p := all.named(v, c.domain); p != nil {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// members makes members of people, in order and each once.
func (c *Client) members(list []*directory.Person) []directory.Member {
	once := make(map[jid.Bare]directory.Member, len(list))
	for _, p := range list {
		who := jid.Bare(p.Local + "@" + c.domain)
		once[who] = directory.Member{JID: who, Name: p.DisplayName()}
	}
	out := make([]directory.Member, 0, len(once))
	for _, who := range slices.Sorted(maps.Keys(once)) {
		out = append(out, once[who])
	}
	return out
}
