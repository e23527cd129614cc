package roster

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"rollcall/xmpp/jid"
)

// version is what a client knows of a roster.
type version struct {
	epoch int64  // differs for each life of the account
	own   uint32 // of what is the owner's own
	mark  uint64 // of what groups show; 0 for nothing
}

// String makes the version that clients see. The epoch lets one who registers a
// removed name again never have an old cache taken for a new one.
func (v version) String() string {
	b := make([]byte, 0, 40)
	b = strconv.AppendInt(b, v.epoch, 36)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(v.own), 36)
	if v.mark != 0 {
		b = append(b, '-')
		b = strconv.AppendUint(b, v.mark, 36)
	}
	return string(b)
}

// parseVersion reads a version; false if it is not one that we made.
func parseVersion(s string) (v version, ok bool) {
	epoch, rest, ok1 := strings.Cut(s, "-")
	own, mark, ok2 := strings.Cut(rest, "-")
	e, err1 := strconv.ParseInt(epoch, 36, 64)
	o, err2 := strconv.ParseUint(own, 36, 32)
	if !ok1 || err1 != nil || err2 != nil {
		return version{}, false
	}
	v = version{epoch: e, own: uint32(o)}
	if ok2 {
		var err error
		if v.mark, err = strconv.ParseUint(mark, 36, 64); err != nil {
			return version{}, false
		}
	}
	return v, v.String() == s
}

// at is the roster's version with another count of the owner's own changes.
func (r *Roster) at(own uint32) string {
	return version{r.epoch, own, r.view.markOrNone()}.String()
}

// Version is the roster's version as clients see it. It is opaque to them.
func (r *Roster) Version() string { return r.at(r.version) }

// Since lists what a client that has version ver must still learn: at most one
// change for each contact, in the order it happened if that is known (RFC 6121
// §2.6.3). past are directories that were in force before, by which it may know
// the groups. When ok is false, ver is unknown or too old, and the client gets
// the whole roster.
//
// A client that has some of the changes and no more has the version of the last
// of them, or one from which it is told of all again.
func (r *Roster) Since(ver string, past ...*Directory) (changes []Change, ok bool) {
	v, ok := parseVersion(ver)
	if !ok || v.epoch != r.epoch || v.own < r.floor || v.own > r.version {
		return nil, false
	}
	if v.mark == r.view.markOrNone() {
		return r.sinceOwn(v.own), true
	}
	view, ok := r.recall(v.mark, past)
	if !ok {
		return nil, false
	}
	changes = r.sinceOwn(v.own)
	known := make(map[jid.Bare]bool, len(changes))
	for i := range changes {
		known[changes[i].Item.Contact] = true
	}
	shown, _ := r.differs(view)
	for _, list := range shown {
		for _, contact := range list {
			if !known[contact] {
				changes = append(changes, r.change(contact))
			}
		}
	}
	for i := range changes {
		changes[i].Version = ver
	}
	if n := len(changes); n > 0 {
		changes[n-1].Version = r.Version()
	}
	return changes, true
}

// recall finds the view of the owner's that had a mark.
func (r *Roster) recall(mark uint64, past []*Directory) (*View, bool) {
	for _, d := range past {
		if v, _ := d.of(r.owner); v.markOrNone() == mark {
			return v, true
		}
	}
	return nil, false
}

// sinceOwn lists what has changed in the owner's own part since a version.
func (r *Roster) sinceOwn(since uint32) (changes []Change) {
	if since == r.version {
		return nil
	}
	for i := range r.entries {
		if e := &r.entries[i]; e.version > since {
			if it := r.item(i, r.person(r.contact(i))); !it.Hidden {
				changes = append(changes, Change{Item: it})
			}
		}
	}
	for _, t := range r.gone {
		if t.Version > since {
			c := r.change(t.Contact)
			c.Item.Version = t.Version
			changes = append(changes, c)
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Item.Version, b.Item.Version) })
	for i := range changes {
		changes[i].Version = r.at(changes[i].Item.Version)
	}
	return changes
}

// change is a contact's entry as clients have to be told of it: as it is, or that
// it is not there.
func (r *Roster) change(contact jid.Bare) Change {
	it, ok := r.Lookup(contact)
	if !ok || it.Hidden {
		return Change{Item: Item{Contact: contact}, Removed: true}
	}
	return Change{Item: it}
}

// Change is a contact's entry as clients have to be told of it: as it is now, or
// that it is not there. ver is the version that they have with it.
func (r *Roster) Change(contact jid.Bare, ver string) Change {
	c := r.change(contact)
	c.Version = ver
	return c
}
