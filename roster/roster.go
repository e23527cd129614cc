package roster

import (
	"cmp"
	"iter"
	"slices"
	"sort"
	"strconv"
	"strings"

	"rollcall/xmpp/jid"
)

// Len is the number of items that clients see.
func (r *Roster) Len() int { return r.listed }

// Version is the roster's version as clients see it. It is opaque to them.
func (r *Roster) Version() string { return versionString(r.epoch, r.version) }

// Items goes through the items that clients see, sorted by contact.
func (r *Roster) Items() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for i := range r.entries {
			if !r.entries[i].hidden && !yield(r.item(i)) {
				return
			}
		}
	}
}

// Lookup finds the entry of a contact, hidden or not. It does not allocate.
func (r *Roster) Lookup(contact jid.Bare) (Item, bool) {
	i := r.find(contact)
	if i < 0 {
		return Item{}, false
	}
	return r.item(i), true
}

// State is the subscription with a contact; "None" with a stranger.
func (r *Roster) State(contact jid.Bare) State {
	i := r.find(contact)
	if i < 0 {
		return None
	}
	return r.entries[i].state
}

func (r *Roster) find(contact jid.Bare) int {
	i := sort.Search(len(r.entries), func(i int) bool { return r.contact(i) >= contact })
	if i == len(r.entries) || r.contact(i) != contact {
		return -1
	}
	return i
}

// Subscribers are the contacts who see the owner's presence: subscription
// "from" or "both". The slice belongs to the roster.
func (r *Roster) Subscribers() []jid.Bare { return r.watchers }

// Subscriptions goes through the contacts whose presence the owner sees:
// subscription "to" or "both".
func (r *Roster) Subscriptions() iter.Seq[jid.Bare] { return r.contacts(To) }

// Asked goes through the contacts who have not answered the owner yet.
func (r *Roster) Asked() iter.Seq[jid.Bare] { return r.contacts(PendingOut) }

func (r *Roster) contacts(part State) iter.Seq[jid.Bare] {
	return func(yield func(jid.Bare) bool) {
		for i := range r.entries {
			if r.entries[i].state.Has(part) && !yield(r.contact(i)) {
				return
			}
		}
	}
}

// Requests goes through the subscription requests that wait for the owner's
// answer, as stored; each available resource gets them (RFC 6121 §3.1.3).
func (r *Roster) Requests() iter.Seq2[jid.Bare, []byte] {
	return func(yield func(jid.Bare, []byte) bool) {
		for _, q := range r.requests {
			if !yield(q.contact, q.stanza) {
				return
			}
		}
	}
}

// Since lists what a client that has version ver must still learn, in the order
// it happened: at most one change for each contact (RFC 6121 §2.6.3). When ok is
// false, ver is unknown or too old, and the client gets the whole roster.
func (r *Roster) Since(ver string) (changes []Change, ok bool) {
	since, ok := r.parseVersion(ver)
	if !ok {
		return nil, false
	}
	if since == r.version {
		return nil, true
	}
	for i := range r.entries {
		if e := &r.entries[i]; e.version > since && !e.hidden {
			changes = append(changes, Change{Item: r.item(i)})
		}
	}
	for _, t := range r.gone {
		if t.Version > since {
			changes = append(changes, removal(t))
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Item.Version, b.Item.Version) })
	for i := range changes {
		changes[i].Version = versionString(r.epoch, changes[i].Item.Version)
	}
	return changes, true
}

func removal(t Tombstone) Change {
	return Change{Item: Item{Contact: t.Contact, Version: t.Version}, Removed: true}
}

func (r *Roster) parseVersion(ver string) (uint32, bool) {
	epoch, version, found := strings.Cut(ver, "-")
	e, err1 := strconv.ParseInt(epoch, 36, 64)
	v, err2 := strconv.ParseUint(version, 36, 32)
	if !found || err1 != nil || err2 != nil || e != r.epoch || ver != versionString(e, uint32(v)) {
		return 0, false // not one that we made
	}
	return uint32(v), uint32(v) >= r.floor && uint32(v) <= r.version
}
