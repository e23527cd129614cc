package roster

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"rollcall/xmpp/jid"
)

// Roster is one account's roster at one moment: what is the owner's own, and the
// part of a [Directory] that the owner sees. It never changes, so anybody may
// read it without a lock; the zero value is an empty one.
type Roster struct {
	own
	owner jid.Bare // with a view
	dir   *Directory
	view  *View // nil: no group is of any account to the owner
	self  int32 // the owner's index in dir, or nobody
}

// own is what is the owner's own in a roster, and kept in the store.
//
// All names and contacts are one string, and an entry is sixteen bytes that
// point into it: fifty items take about 3 KiB.
type own struct {
	epoch    int64
	version  uint32
	floor    uint32
	listed   int // entries that clients see whatever groups there are
	text     string
	entries  []entry // sorted by contact
	groups   [][]string
	watchers []jid.Bare
	scarce   *scarce // nil for most people
}

// scarce is what few rosters have. It is apart since everybody who is online has a
// roster.
type scarce struct {
	requests []request // sorted by contact
	parted   []parting // sorted by contact
	gone     []Tombstone
}

// few returns what the roster has of that.
func (r *own) few() scarce {
	if r.scarce == nil {
		return scarce{}
	}
	return *r.scarce
}

type entry struct {
	at         uint32 // contact and then name, in text
	version    uint32
	contactLen uint16
	nameLen    uint16
	groups     uint16 // index into groups
	state      State
	marks      marks
}

type marks uint8

const (
	hidden marks = 1 << iota // see Item.Hidden
	noted                    // see Item.Noted
	parted                   // the owner took the contact out of shared groups
)

type request struct {
	contact jid.Bare
	stanza  []byte
}

// parting is a contact whom the owner took out of shared groups. There are few.
type parting struct {
	contact jid.Bare
	left    []string
}

// New makes a roster of what a store has, with no shared groups. It keeps c's
// tombstones, requests and group slices, and copies the rest.
func New(c Contents) *Roster {
	slices.SortFunc(c.Items, func(a, b Item) int { return strings.Compare(string(a.Contact), string(b.Contact)) })
	b := newBuilder(len(c.Items), textSize(c.Items))
	b.r.epoch, b.r.version, b.r.floor, b.few.gone = c.Epoch, c.Version, c.Floor, c.Gone
	for i := range c.Items {
		b.add(&c.Items[i])
	}
	return &Roster{own: b.done(), self: nobody}
}

func textSize(items []Item) (n int) {
	for i := range items {
		n += len(items[i].Contact) + len(items[i].Name)
	}
	return n
}

// with returns the roster after u.
func (r *Roster) with(u Update, after *Item) *Roster {
	extra := 0
	if after != nil {
		extra = len(after.Contact) + len(after.Name)
	}
	b := newBuilder(len(r.entries)+1, len(r.text)+extra)
	b.r.epoch, b.r.version, b.r.floor = r.epoch, u.After, u.Floor
	for i := range r.entries {
		it := r.ownItem(i)
		if after != nil && it.Contact >= after.Contact {
			b.add(after)
			after = nil
		}
		if it.Contact != u.Contact {
			b.add(&it)
		}
	}
	if after != nil {
		b.add(after)
	}
	b.few.gone = bury(r.few().gone, u)
	return &Roster{own: b.done(), owner: r.owner, dir: r.dir, view: r.view, self: r.self}
}

// bury returns the tombstones after u, oldest first.
func bury(gone []Tombstone, u Update) []Tombstone {
	if !u.Remove && u.Item == nil && (len(gone) == 0 || gone[0].Version > u.Floor) {
		return gone
	}
	out := make([]Tombstone, 0, len(gone)+1)
	for _, t := range gone {
		if t.Contact != u.Contact && t.Version > u.Floor {
			out = append(out, t)
		}
	}
	if u.Remove {
		// Cloned, lest it hold a whole old text in memory.
		out = append(out, Tombstone{Contact: jid.Bare(strings.Clone(string(u.Contact))), Version: u.After})
	}
	return out
}

// builder packs items that come in the order of their contacts.
type builder struct {
	r     own
	few   scarce
	text  strings.Builder
	known map[string]uint16 // group slices by what they hold; nil before the first
	key   []byte
}

func newBuilder(items, text int) *builder {
	b := &builder{}
	if items > 0 {
		b.r.entries, b.known = make([]entry, 0, items), make(map[string]uint16, 8)
		b.text.Grow(text)
	}
	return b
}

func (b *builder) add(it *Item) {
	name := it.Name[:min(len(it.Name), maxNameBytes)]
	b.r.entries = append(b.r.entries, entry{
		at:         uint32(b.text.Len()),
		version:    it.Version,
		contactLen: uint16(len(it.Contact)),
		nameLen:    uint16(len(name)),
		groups:     b.groupSet(it.Groups),
		state:      it.State,
		marks:      marksOf(it),
	})
	b.text.WriteString(string(it.Contact))
	b.text.WriteString(name)
	if it.State.Has(PendingIn) {
		b.few.requests = append(b.few.requests, request{stanza: it.Request})
	}
	if len(it.Left) > 0 {
		b.few.parted = append(b.few.parted, parting{left: it.Left})
	}
}

func marksOf(it *Item) (m marks) {
	if it.Hidden {
		m |= hidden
	}
	if it.Noted {
		m |= noted
	}
	if len(it.Left) > 0 {
		m |= parted
	}
	return m
}

// groupSet finds the one slice that all items in the same groups share.
func (b *builder) groupSet(groups []string) uint16 {
	b.key = b.key[:0]
	for _, g := range groups {
		b.key = append(append(b.key, g...), 0)
	}
	if n, ok := b.known[string(b.key)]; ok {
		return n
	}
	n := uint16(len(b.r.groups))
	b.r.groups = append(b.r.groups, groups)
	b.known[string(b.key)] = n
	return n
}

func (b *builder) done() own {
	r := b.r
	r.text = b.text.String()
	n, waiting, parts := 0, 0, 0
	for i := range r.entries {
		e := &r.entries[i]
		if e.marks&(hidden|noted) == 0 {
			r.listed++
		}
		if e.marks&parted != 0 {
			b.few.parted[parts].contact = r.contact(i)
			parts++
		}
		if e.state.Has(PendingIn) {
			b.few.requests[waiting].contact = r.contact(i)
			waiting++
		}
		if e.state.Has(From) {
			n++
		}
	}
	if n > 0 {
		r.watchers = make([]jid.Bare, 0, n)
	}
	for i := range r.entries {
		if r.entries[i].state.Has(From) {
			r.watchers = append(r.watchers, r.contact(i))
		}
	}
	slices.SortFunc(b.few.gone, func(a, b Tombstone) int { return cmp.Compare(a.Version, b.Version) })
	if waiting+parts+len(b.few.gone) > 0 {
		few := b.few
		r.scarce = &few
	}
	return r
}

func (r *own) contact(i int) jid.Bare {
	e := &r.entries[i]
	return jid.Bare(r.text[e.at : e.at+uint32(e.contactLen)])
}

// ownItem is an entry as the store has it.
func (r *own) ownItem(i int) Item {
	e := &r.entries[i]
	name := e.at + uint32(e.contactLen)
	it := Item{
		Contact: r.contact(i),
		Name:    r.text[name : name+uint32(e.nameLen)],
		Groups:  r.groups[e.groups],
		State:   e.state,
		Hidden:  e.marks&hidden != 0,
		Noted:   e.marks&noted != 0,
		Version: e.version,
	}
	if e.state.Has(PendingIn) {
		it.Request = r.request(it.Contact)
	}
	if e.marks&parted != 0 {
		it.Left = r.left(it.Contact)
	}
	return it
}

// lookup finds what the store has of a contact.
func (r *own) lookup(contact jid.Bare) (Item, bool) {
	if i := r.find(contact); i >= 0 {
		return r.ownItem(i), true
	}
	return Item{}, false
}

func (r *own) find(contact jid.Bare) int {
	i := sort.Search(len(r.entries), func(i int) bool { return r.contact(i) >= contact })
	if i == len(r.entries) || r.contact(i) != contact {
		return -1
	}
	return i
}

func (r *own) request(contact jid.Bare) []byte {
	all := r.few().requests
	i, ok := slices.BinarySearchFunc(all, contact, func(q request, c jid.Bare) int {
		return strings.Compare(string(q.contact), string(c))
	})
	if !ok {
		return nil
	}
	return all[i].stanza
}

func (r *own) left(contact jid.Bare) []string {
	all := r.few().parted
	i, ok := slices.BinarySearchFunc(all, contact, func(p parting, c jid.Bare) int {
		return strings.Compare(string(p.contact), string(c))
	})
	if !ok {
		return nil
	}
	return all[i].left
}
