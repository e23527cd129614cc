package roster

import (
	"slices"
	"strings"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Result is what came of a change, or of an event that changed nothing.
type Result struct {
	Outcome
	Before   State   // the state in force before; Outcome.State is the one after
	Push     *Change // what the owner's interested resources get, if anything
	Farewell []Event // what the contact gets after a removal, in this order
}

// step is a decision: what to write, what the entry becomes, what to tell.
type step struct {
	update *Update // nil: nothing changes
	after  *Item   // nil: the entry goes away
	result Result
}

// decideSet decides a roster set that adds or updates an item.
func (c Config) decideSet(r *Roster, e Edit) (step, error) {
	cur, known := r.lookup(e.Contact)
	if !known && len(r.entries) >= c.MaxItems {
		return step{}, tooMany(c.MaxItems)
	}
	after := cur
	after.Contact, after.Name, after.Hidden = e.Contact, e.Name, false
	after.Groups = make([]string, len(e.Groups))
	for i, g := range e.Groups {
		after.Groups[i] = strings.Clone(g) // not a part of somebody's read buffer
	}
	if who := r.person(e.Contact); who != nobody && r.view.state(who).Has(To) {
		after.Noted = !known || cur.Hidden || cur.Noted
		if cur.Name == "" && e.Name == r.dir.people[who].name {
			after.Name = "" // it is not the owner who calls the contact that
		}
		after.Groups, after.Left = regroup(after.Groups, r.view.titles(who), cur.Groups, cur.Left)
	} else {
		after.Noted = false
		after.Left = minus(cur.Left, after.Groups)
	}
	after.Version = r.version + 1
	state := cur.State.with(r.Shared(e.Contact))
	return step{
		update: &Update{Contact: e.Contact, Before: r.version, After: after.Version, Floor: r.floor, Item: &after},
		after:  &after,
		result: Result{
			Outcome: Outcome{State: state},
			Before:  state,
			Push:    &Change{Item: r.shown(after), Version: r.at(after.Version)},
		},
	}, nil
}

// regroup says in which groups of his own an owner has a contact, and out of
// which shared ones he took it, when he sets the groups to be sent and the shared
// groups of the contact have the given titles. own and left are from before.
//
// What is not said of a shared group stays true of it: one that is not there at
// the moment is still left when it comes back.
func regroup(sent, titles, own, left []string) (groups, now []string) {
	for _, g := range sent {
		if !slices.Contains(titles, g) || slices.Contains(own, g) {
			groups = append(groups, g)
		}
	}
	now = minus(minus(left, titles), sent)
	return groups, append(now, minus(titles, sent)...)
}

// minus returns what is in a and not in b.
func minus(a, b []string) (out []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

// decideRemove decides a roster set that removes an item (RFC 6121 §2.5).
func (c Config) decideRemove(r *Roster, contact jid.Bare) (step, error) {
	if who := r.person(contact); who != nobody && r.view.state(who).Has(To) {
		return step{}, stanza.Refuse(stanza.ErrNotAllowed,
			"the contact comes with the group %s and stays as long as that does; you can give it another name and other groups", strings.Join(r.view.titles(who), ", "))
	}
	cur, known := r.lookup(contact)
	if !known || cur.Hidden || cur.Noted {
		return step{}, errNotInRoster
	}
	u := &Update{
		Contact: contact, Before: r.version, After: r.version + 1, Floor: r.floor,
		Remove: true, DropRequest: cur.PendingIn(),
	}
	gone := r.few().gone
	if n := len(gone) + 1 - c.MaxTombstones; n > 0 {
		u.Floor = gone[n-1].Version
	}
	shared := r.Shared(contact)
	res := Result{Outcome: Outcome{State: None.with(shared)}, Before: cur.State.with(shared), Farewell: cur.State.Farewell()}
	if cur.State.Has(From) && !shared.Has(From) {
		res.Notice = SendUnavailable
	}
	res.Push = &Change{Item: Item{Contact: cur.Contact, Version: u.After}, Removed: true, Version: r.at(u.After)}
	return step{update: u, result: res}, nil
}

// decideEvent decides a subscription stanza. decide gives its outcome in the
// owner's own state with the contact, beside what groups give.
func (c Config) decideEvent(r *Roster, contact jid.Bare, request []byte, decide func(own, shared State) Outcome) (step, error) {
	cur, known := r.lookup(contact)
	shared := r.Shared(contact)
	out := decide(cur.State, shared)
	res := Result{Outcome: out, Before: cur.State.with(shared)}
	res.State = out.State.with(shared)
	if out.State == cur.State {
		return step{result: res}, nil
	}
	after := cur
	after.Contact, after.State = contact, out.State
	// RFC 6121 §3.1.3: a request alone adds nothing to the roster.
	after.Hidden = (!known || cur.Hidden) && out.State.visible() == None
	after.Noted = cur.Noted && out.State.visible() == None
	u := &Update{Contact: contact, Before: r.version, After: r.version, Floor: r.floor}
	if err := c.keepRequest(r, u, &after, cur.State, request); err != nil {
		return step{}, err
	}
	if !known && len(r.entries) >= c.MaxItems {
		return step{}, tooMany(c.MaxItems)
	}
	if !after.Hidden && (!known || cur.Hidden || cur.State.visible() != out.State.visible()) {
		u.Item = &after
		before, now := Item{Contact: contact, Hidden: true}, r.shown(after)
		if known || shared != None {
			before, _ = r.Lookup(contact)
		}
		if !before.looksLike(&now) {
			u.After++
			after.Version = u.After
			now.Version = u.After
			res.Push = &Change{Item: now, Version: r.at(u.After)}
		}
	}
	if after.Hidden && out.State == None {
		return step{update: u, result: res}, nil
	}
	return step{update: u, after: &after, result: res}, nil
}

// keepRequest says in u what becomes of the contact's waiting request.
func (c Config) keepRequest(r *Roster, u *Update, after *Item, before State, stanzaBytes []byte) error {
	switch had, has := before.Has(PendingIn), after.State.Has(PendingIn); {
	case had && !has:
		u.DropRequest = true
		after.Request = nil
	case has && !had:
		// RFC 6121 §3.1.3, second security warning.
		if len(stanzaBytes) > c.MaxRequestBytes {
			return stanza.Refuse(stanza.ErrPolicyViolation, "the request is larger than %d bytes", c.MaxRequestBytes)
		}
		if len(r.few().requests) >= c.MaxRequests {
			return stanza.Refuse(stanza.ErrPolicyViolation, "too many requests wait for an answer")
		}
		u.Request = append([]byte{}, stanzaBytes...)
		after.Request = u.Request
	}
	return nil
}

func tooMany(limit int) error {
	return stanza.Refuse(stanza.ErrPolicyViolation, "a roster has at most %d items", limit)
}
