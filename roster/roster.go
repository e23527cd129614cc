package roster

import (
	"iter"
	"slices"

	"rollcall/xmpp/jid"
)

// bind returns the roster with what a directory says to its owner.
func (r *Roster) bind(owner jid.Bare, d *Directory) *Roster {
	bound := &Roster{own: r.own}
	bound.look(owner, d)
	return bound
}

// look has a roster that nobody else knows yet look at a directory.
func (r *Roster) look(owner jid.Bare, d *Directory) {
	r.owner, r.dir = owner, d
	r.view, r.self = d.of(owner)
}

// GroupsOf returns the roster with what groups say in another picture of it.
func (r *Roster) GroupsOf(other *Roster) *Roster {
	if r.dir == other.dir {
		return r
	}
	return &Roster{own: r.own, owner: other.owner, dir: other.dir, view: other.view, self: other.self}
}

// Len is the number of items that clients see.
func (r *Roster) Len() (n int) {
	if r.view == nil {
		return r.listed
	}
	r.merged(r.view.seen(), func(i int, who int32) bool {
		if who != nobody || r.entries[i].marks&(hidden|noted) == 0 {
			n++
		}
		return true
	})
	return n
}

// Items goes through the items that clients see, sorted by contact.
func (r *Roster) Items() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		r.merged(r.view.seen(), func(i int, who int32) bool {
			if r.view != nil && who == nobody {
				who = r.person(r.contact(i)) // who may see the owner
			}
			it := r.item(i, who)
			return it.Hidden || yield(it)
		})
	}
}

// Lookup finds the entry of a contact, hidden or not: as clients see it, with
// what shared groups say.
func (r *Roster) Lookup(contact jid.Bare) (Item, bool) {
	i, who := r.find(contact), r.person(contact)
	if who != nobody && i < 0 && r.view.state(who) == None {
		who = nobody
	}
	if i < 0 && who == nobody {
		return Item{}, false
	}
	return r.item(i, who), true
}

// Own goes through the entries as the owner made them, without what shared groups
// say: what the owner and each contact have agreed on between themselves. Hidden
// ones are among them.
func (r *Roster) Own() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for i := range r.entries {
			if !yield(r.ownItem(i)) {
				return
			}
		}
	}
}

// State is the subscription with a contact that is in force; "None" with a
// stranger.
func (r *Roster) State(contact jid.Bare) State {
	s := None
	if i := r.find(contact); i >= 0 {
		s = r.entries[i].state
	}
	if shared := r.Shared(contact); shared != None {
		return s.with(shared)
	}
	return s
}

// Shared is the part of the subscription with a contact that groups give.
func (r *Roster) Shared(contact jid.Bare) State {
	who := r.person(contact)
	if who == nobody {
		return None
	}
	return r.view.state(who)
}

// person finds a contact among the people whom groups may show to the owner.
func (r *Roster) person(contact jid.Bare) int32 {
	if r.view == nil {
		return nobody
	}
	who := r.dir.find(contact)
	if who == r.self {
		return nobody
	}
	return who
}

// Subscribers goes through the contacts who see the owner's presence:
// subscription "from" or "both". It does not allocate for them.
func (r *Roster) Subscribers() iter.Seq[jid.Bare] {
	return func(yield func(jid.Bare) bool) {
		own := r.watchers
		if r.view != nil && !r.dir.union(r.view.fromAll, func(who int32) bool {
			contact := r.dir.people[who].jid
			for len(own) > 0 && own[0] < contact {
				next := own[0]
				own = own[1:]
				if !yield(next) {
					return false
				}
			}
			if len(own) > 0 && own[0] == contact {
				own = own[1:]
			}
			return who == r.self || yield(contact)
		}) {
			return
		}
		for _, contact := range own {
			if !yield(contact) {
				return
			}
		}
	}
}

// Subscriptions goes through the contacts whose presence the owner sees:
// subscription "to" or "both".
func (r *Roster) Subscriptions() iter.Seq[jid.Bare] {
	return func(yield func(jid.Bare) bool) {
		r.merged(r.view.seen(), func(i int, who int32) bool {
			switch {
			case who != nobody:
				return yield(r.dir.people[who].jid)
			case r.entries[i].state.Has(To):
				return yield(r.contact(i))
			}
			return true
		})
	}
}

// Asked goes through the contacts who have not answered the owner yet.
func (r *Roster) Asked() iter.Seq[jid.Bare] {
	return func(yield func(jid.Bare) bool) {
		for i := range r.entries {
			contact := r.contact(i)
			if r.entries[i].state.Has(PendingOut) && r.State(contact).Has(PendingOut) && !yield(contact) {
				return
			}
		}
	}
}

// Requests goes through the subscription requests that wait for the owner's
// answer, as stored; each available resource gets them (RFC 6121 §3.1.3).
func (r *Roster) Requests() iter.Seq2[jid.Bare, []byte] {
	return func(yield func(jid.Bare, []byte) bool) {
		for _, q := range r.few().requests {
			if r.Shared(q.contact).Has(From) {
				continue // nothing to wait for, as long as the group is there
			}
			if !yield(q.contact, q.stanza) {
				return
			}
		}
	}
}

// merged goes through the owner's entries and the members of groups together, in
// the order of contacts. i is an entry, who is in the directory; one of them may
// be nobody.
func (r *Roster) merged(groups []int32, yield func(i int, who int32) bool) {
	next := 0
	if len(groups) > 0 && !r.dir.union(groups, func(who int32) bool {
		if who == r.self {
			return true
		}
		contact := r.dir.people[who].jid
		for next < len(r.entries) && r.contact(next) < contact {
			next++
			if !yield(next-1, nobody) {
				return false
			}
		}
		if next < len(r.entries) && r.contact(next) == contact {
			next++
			return yield(next-1, who)
		}
		return yield(int(nobody), who)
	}) {
		return
	}
	for ; next < len(r.entries); next++ {
		if !yield(next, nobody) {
			return
		}
	}
}

// item is an entry as clients see it; i or who may be nobody.
func (r *Roster) item(i int, who int32) Item {
	var it Item
	if i >= 0 {
		it = r.ownItem(i)
	} else {
		it = Item{Contact: r.dir.people[who].jid, Hidden: true}
	}
	if who == nobody {
		it.Hidden = it.Hidden || it.Noted
		return it
	}
	return r.merge(it, who)
}

// merge returns the owner's own part of an entry together with what groups say.
// The owner's name goes before the groups', and the groups are those of both but
// for what the owner took the contact out of.
func (r *Roster) merge(it Item, who int32) Item {
	it.Shared = r.view.state(who)
	it.State = it.State.with(it.Shared)
	it.Hidden = (it.Hidden || it.Noted) && !it.Shared.Has(To)
	if !it.State.Has(PendingIn) {
		it.Request = nil
	}
	if !it.Shared.Has(To) {
		return it
	}
	if it.Name == "" {
		it.Name = r.dir.people[who].name
	}
	titles := r.view.titles(who)
	if len(it.Groups) == 0 && len(it.Left) == 0 {
		it.Groups = titles
		return it
	}
	groups := it.Groups[:len(it.Groups):len(it.Groups)]
	for _, t := range titles {
		if !slices.Contains(it.Left, t) && !slices.Contains(groups, t) {
			groups = append(groups, t)
		}
	}
	it.Groups = groups
	return it
}

// merged again with another own part: for what a change makes of an entry.
func (r *Roster) shown(it Item) Item {
	who := r.person(it.Contact)
	if who == nobody {
		it.Hidden = it.Hidden || it.Noted
		return it
	}
	return r.merge(it, who)
}
