package roster

import (
	"iter"

	"rollcall/xmpp/jid"
)

// InGroup reports whether somebody is in the group of that name.
func (d *Directory) InGroup(who jid.Bare, name string) bool {
	g, ok := d.group(name)
	if !ok {
		return false
	}
	i := d.find(who)
	if i == nobody {
		return false
	}
	for _, of := range d.groupsOf(i) {
		if of == int32(g) {
			return true
		}
	}
	return false
}

// ShareGroup reports whether two are in one group; groups of everybody do not count.
func (d *Directory) ShareGroup(a, b jid.Bare) bool {
	i, j := d.find(a), d.find(b)
	if i == nobody || j == nobody {
		return false
	}
	mine, theirs := d.groupsOf(i), d.groupsOf(j)
	for len(mine) > 0 && len(theirs) > 0 {
		switch {
		case mine[0] < theirs[0]:
			mine = mine[1:]
		case mine[0] > theirs[0]:
			theirs = theirs[1:]
		case d.groups[mine[0]].everybody:
			mine, theirs = mine[1:], theirs[1:]
		default:
			return true
		}
	}
	return false
}

// Sees reports whether groups show one address to another.
func (d *Directory) Sees(watcher, of jid.Bare) bool {
	v, _ := d.of(of)
	i := d.find(watcher)
	if v == nil || i == nobody || watcher == of {
		return false
	}
	for _, g := range d.groupsOf(i) {
		if v.fromSet.has(g) {
			return true
		}
	}
	return false
}

// Watchers goes through all to whom groups show an address, in order.
func (d *Directory) Watchers(of jid.Bare) iter.Seq[jid.Bare] {
	return func(yield func(jid.Bare) bool) {
		v, self := d.of(of)
		if v == nil {
			return
		}
		d.union(v.fromAll, func(who int32) bool { return who == self || yield(d.people[who].jid) })
	}
}
