package device

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"rollcall/xmpp/jid"
)

// Picture is all devices at one moment. It never changes, and neither do the
// devices in it, so anybody may read it without a lock.
type Picture struct {
	domain  string
	all     []*Device // sorted by ID
	byID    map[string]*Device
	byUser  map[string]*Device
	numbers map[string][]*Device // each sorted by ID, and replaced when it changes
	owned   map[jid.Bare][]*Device
}

func newPicture(domain string) *Picture {
	return &Picture{
		domain: domain,
		byID:   map[string]*Device{}, byUser: map[string]*Device{}, numbers: map[string][]*Device{}, owned: map[jid.Bare][]*Device{},
	}
}

// Domain is what stands after the @ of the devices' addresses.
func (p *Picture) Domain() string { return p.domain }

// Len is how many devices there are.
func (p *Picture) Len() int { return len(p.all) }

// All goes through the devices in the order of their ids.
func (p *Picture) All() iter.Seq[*Device] { return slices.Values(p.all) }

// After goes through the devices whose ids come after one, in order.
func (p *Picture) After(id string) iter.Seq[*Device] {
	at, found := p.search(id)
	if found {
		at++
	}
	return slices.Values(p.all[at:])
}

// ByID returns the device with an id, or nil.
func (p *Picture) ByID(id string) *Device { return p.byID[id] }

// ByJID returns the device with an address, or nil.
func (p *Picture) ByJID(who jid.Bare) *Device {
	if who.Domain() != p.domain {
		return nil
	}
	return p.byID[who.Local()]
}

// ByUser returns the device that registers as a SIP user, or nil.
func (p *Picture) ByUser(user string) *Device { return p.byUser[user] }

// ByNumber returns the devices that are called by a number in its canonical form,
// in the order of their ids. The list is not to be changed.
func (p *Picture) ByNumber(number string) []*Device { return p.numbers[number] }

// OwnedBy returns the devices that are assigned to somebody, in the order of their
// ids. The list is not to be changed.
func (p *Picture) OwnedBy(who jid.Bare) []*Device { return p.owned[who] }

func (p *Picture) search(id string) (at int, found bool) {
	return slices.BinarySearchFunc(p.all, id, func(d *Device, id string) int { return strings.Compare(d.ID, id) })
}

// with returns a picture in which devices are replaced, and others are not there
// any more.
func (p *Picture) with(put []*Device, gone []string) *Picture {
	q := &Picture{
		domain: p.domain, all: make([]*Device, 0, len(p.all)+len(put)),
		byID: maps.Clone(p.byID), byUser: maps.Clone(p.byUser), numbers: maps.Clone(p.numbers), owned: maps.Clone(p.owned),
	}
	for _, id := range gone {
		q.drop(p.byID[id])
	}
	for _, d := range put {
		q.drop(p.byID[d.ID])
	}
	for _, d := range put {
		q.add(d)
	}
	fresh := slices.SortedFunc(slices.Values(put), byID)
	for _, d := range p.all {
		for len(fresh) > 0 && fresh[0].ID < d.ID {
			q.all = append(q.all, fresh[0])
			fresh = fresh[1:]
		}
		if q.byID[d.ID] == d {
			q.all = append(q.all, d)
		}
	}
	q.all = append(q.all, fresh...)
	return q
}

// add enters a device everywhere but in the list of all.
func (p *Picture) add(d *Device) {
	p.byID[d.ID], p.byUser[d.User] = d, d
	for _, n := range d.Numbers {
		p.numbers[n] = including(p.numbers[n], d)
	}
	if d.Owner != "" {
		p.owned[d.Owner] = including(p.owned[d.Owner], d)
	}
}

// drop takes a device out again; nil is none.
func (p *Picture) drop(d *Device) {
	if d == nil {
		return
	}
	delete(p.byID, d.ID)
	delete(p.byUser, d.User)
	for _, n := range d.Numbers {
		excluding(p.numbers, n, d)
	}
	if d.Owner != "" {
		excluding(p.owned, d.Owner, d)
	}
}

func byID(a, b *Device) int { return cmp.Compare(a.ID, b.ID) }

// including returns a list, which stays as it is, with a device in its place.
func including(list []*Device, d *Device) []*Device {
	at, _ := slices.BinarySearchFunc(list, d, byID)
	return slices.Concat(list[:at], []*Device{d}, list[at:])
}

// excluding takes a device out of a list, which stays as it is.
func excluding[K comparable](of map[K][]*Device, key K, d *Device) {
	at, found := slices.BinarySearchFunc(of[key], d, byID)
	switch {
	case !found:
	case len(of[key]) == 1:
		delete(of, key)
	default:
		of[key] = slices.Concat(of[key][:at], of[key][at+1:])
	}
}
