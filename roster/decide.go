package roster

import (
	"strings"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Result is what came of a change, or of an event that changed nothing.
type Result struct {
	Outcome
	Before   State   // the state before; Outcome.State is the one after
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
	cur, known := r.Lookup(e.Contact)
	if !known && len(r.entries) >= c.MaxItems {
		return step{}, tooMany(c.MaxItems)
	}
	after := cur
	after.Contact, after.Name, after.Hidden = e.Contact, e.Name, false
	after.Groups = make([]string, len(e.Groups))
	for i, g := range e.Groups {
		after.Groups[i] = strings.Clone(g) // not a part of somebody's read buffer
	}
	after.Version = r.version + 1
	return step{
		update: &Update{Contact: e.Contact, Before: r.version, After: after.Version, Floor: r.floor, Item: &after},
		after:  &after,
		result: Result{
			Outcome: Outcome{State: cur.State},
			Before:  cur.State,
			Push:    &Change{Item: after, Version: versionString(r.epoch, after.Version)},
		},
	}, nil
}

// decideRemove decides a roster set that removes an item (RFC 6121 §2.5).
func (c Config) decideRemove(r *Roster, contact jid.Bare) (step, error) {
	cur, known := r.Lookup(contact)
	if !known || cur.Hidden {
		return step{}, errNotInRoster
	}
	u := &Update{
		Contact: contact, Before: r.version, After: r.version + 1, Floor: r.floor,
		Remove: true, DropRequest: cur.PendingIn(),
	}
	if n := len(r.gone) + 1 - c.MaxTombstones; n > 0 {
		u.Floor = r.gone[n-1].Version
	}
	res := Result{Before: cur.State, Farewell: cur.State.Farewell()}
	if cur.State.Has(From) {
		res.Notice = SendUnavailable
	}
	push := removal(Tombstone{Contact: cur.Contact, Version: u.After})
	push.Version = versionString(r.epoch, u.After)
	res.Push = &push
	return step{update: u, result: res}, nil
}

// decideEvent decides a subscription stanza whose outcome in the contact's
// present state is out.
func (c Config) decideEvent(r *Roster, contact jid.Bare, out Outcome, request []byte) (step, error) {
	cur, known := r.Lookup(contact)
	res := Result{Outcome: out, Before: cur.State}
	if out.State == cur.State {
		return step{result: res}, nil
	}
	after := cur
	after.Contact, after.State = contact, out.State
	// RFC 6121 §3.1.3: a request alone adds nothing to the roster.
	after.Hidden = (!known || cur.Hidden) && out.State.visible() == None
	u := &Update{Contact: contact, Before: r.version, After: r.version, Floor: r.floor}
	if err := c.keepRequest(r, u, &after, cur.State, request); err != nil {
		return step{}, err
	}
	if !known && len(r.entries) >= c.MaxItems {
		return step{}, tooMany(c.MaxItems)
	}
	if !after.Hidden && (!known || cur.Hidden || cur.State.visible() != out.State.visible()) {
		u.After++
		after.Version = u.After
		u.Item = &after
		res.Push = &Change{Item: after, Version: versionString(r.epoch, u.After)}
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
		if len(r.requests) >= c.MaxRequests {
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
