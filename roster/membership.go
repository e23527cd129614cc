package roster

import "rollcall/xmpp/jid"

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
