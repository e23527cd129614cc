package roster

import (
	"cmp"
	"errors"
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

	// partly: the client knows some of what groups show by mark, and the rest as
	// they show it by next.
	partly bool
	next   uint64
}

// NoVersion is the version of a client that has to be told everything the next
// time, because nobody can say what it knows.
const NoVersion = "~"

// String makes the version that clients see. The epoch lets one who registers a
// removed name again never have an old cache taken for a new one.
func (v version) String() string {
	b := make([]byte, 0, 56)
	b = strconv.AppendInt(b, v.epoch, 36)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(v.own), 36)
	if v.mark != 0 || v.partly {
		b = append(b, '-')
		b = strconv.AppendUint(b, v.mark, 36)
	}
	if v.partly {
		b = append(b, '-')
		b = strconv.AppendUint(b, v.next, 36)
	}
	return string(b)
}

// parseVersion reads a version; false if it is not one that we made.
func parseVersion(s string) (v version, ok bool) {
	parts := strings.SplitN(s, "-", 5)
	if len(parts) < 2 || len(parts) > 4 {
		return version{}, false
	}
	var errs [4]error
	v.epoch, errs[0] = strconv.ParseInt(parts[0], 36, 64)
	own, err := strconv.ParseUint(parts[1], 36, 32)
	v.own, errs[1] = uint32(own), err
	if len(parts) > 2 {
		v.mark, errs[2] = strconv.ParseUint(parts[2], 36, 64)
	}
	if len(parts) > 3 {
		v.partly = true
		v.next, errs[3] = strconv.ParseUint(parts[3], 36, 64)
	}
	if errors.Join(errs[:]...) != nil || v.String() != s {
		return version{}, false
	}
	return v, true
}

// at is the roster's version with another count of the owner's own changes.
func (r *Roster) at(own uint32) string {
	return version{epoch: r.epoch, own: own, mark: r.view.markOrNone()}.String()
}

// Version is the roster's version as clients see it. It is opaque to them.
func (r *Roster) Version() string { return r.at(r.version) }

// Partly is the version of a client that knew before, and has been told some and
// not all of what is different now because of groups. It is not that of before:
// if everything was as it was then once more, the client would have to be told
// again.
func (r *Roster) Partly(before *Roster) string {
	return version{
		epoch: r.epoch, own: before.version, mark: before.view.markOrNone(), partly: true, next: r.view.markOrNone(),
	}.String()
}

// Since lists what a client that has version ver must still learn: at most one
// change for each contact, in the order it happened if that is known (RFC 6121
// §2.6.3). past are directories that were in force before, by which it may know
// the groups. When ok is false, ver is unknown or too old, and the client gets
// the whole roster.
//
// Each change has a version that is true of a client that has the changes up to
// it and no more.
func (r *Roster) Since(ver string, past ...*Directory) (changes []Change, ok bool) {
	v, ok := parseVersion(ver)
	if !ok || v.epoch != r.epoch || v.own < r.floor || v.own > r.version {
		return nil, false
	}
	if !v.partly && v.mark == r.view.markOrNone() {
		return r.sinceOwn(v.own), true
	}
	marks := []uint64{v.mark}
	if v.partly {
		marks = append(marks, v.next)
	}
	changes = r.sinceOwn(v.own)
	known := make(map[jid.Bare]bool, len(changes))
	for i := range changes {
		known[changes[i].Item.Contact] = true
	}
	for _, mark := range marks {
		view, ok := r.recall(mark, past)
		if !ok {
			return nil, false
		}
		shown, _ := r.differs(view)
		for _, contact := range slices.Concat(shown...) {
			if !known[contact] {
				known[contact] = true
				changes = append(changes, r.change(contact))
			}
		}
	}
	until := NoVersion
	if !v.partly {
		until = version{epoch: r.epoch, own: v.own, mark: v.mark, partly: true, next: r.view.markOrNone()}.String()
	}
	for i := range changes {
		changes[i].Version = until
	}
	if n := len(changes); n > 0 {
		changes[n-1].Version = r.Version()
	}
	return changes, true
}

// recall finds the view of the owner's that had a mark.
func (r *Roster) recall(mark uint64, past []*Directory) (*View, bool) {
	if mark == r.view.markOrNone() {
		return r.view, true
	}
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
	for _, t := range r.few().gone {
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
