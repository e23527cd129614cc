package roster

import (
	"cmp"
	"slices"
	"strings"

	"rollcall/xmpp/jid"
)

// Roster is one account's roster at one moment. It never changes, so anybody
// may read it without a lock; the zero value is an empty one.
//
// All names and contacts of a roster are one string, and an entry is sixteen
// bytes that point into it: fifty items take about 3 KiB.
type Roster struct {
	epoch    int64
	version  uint32
	floor    uint32
	listed   int // entries that are not hidden
	text     string
	entries  []entry // sorted by contact
	groups   [][]string
	requests []request // sorted by contact
	gone     []Tombstone
	watchers []jid.Bare
}

type entry struct {
	at         uint32 // contact and then name, in text
	version    uint32
	contactLen uint16
	nameLen    uint16
	groups     uint16 // index into groups
	state      State
	hidden     bool
}

type request struct {
	contact jid.Bare
	stanza  []byte
}

// New makes a roster of what a store has. It keeps c's tombstones, requests and
// group slices, and copies the rest.
func New(c Contents) *Roster {
	slices.SortFunc(c.Items, func(a, b Item) int { return strings.Compare(string(a.Contact), string(b.Contact)) })
	b := newBuilder(len(c.Items), textSize(c.Items))
	b.r.epoch, b.r.version, b.r.floor, b.r.gone = c.Epoch, c.Version, c.Floor, c.Gone
	for i := range c.Items {
		b.add(&c.Items[i])
	}
	return b.done()
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
		it := r.item(i)
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
	b.r.gone = bury(r.gone, u)
	return b.done()
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
	r     *Roster
	text  strings.Builder
	known map[string]uint16 // group slices by what they hold
	key   []byte
}

func newBuilder(items, text int) *builder {
	b := &builder{r: &Roster{entries: make([]entry, 0, items)}, known: make(map[string]uint16, 8)}
	b.text.Grow(text)
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
		hidden:     it.Hidden,
	})
	b.text.WriteString(string(it.Contact))
	b.text.WriteString(name)
	if it.State.Has(PendingIn) {
		b.r.requests = append(b.r.requests, request{stanza: it.Request})
	}
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

func (b *builder) done() *Roster {
	r := b.r
	r.text = b.text.String()
	n, waiting := 0, 0
	for i := range r.entries {
		if !r.entries[i].hidden {
			r.listed++
		}
		if r.entries[i].state.Has(PendingIn) {
			r.requests[waiting].contact = r.contact(i)
			waiting++
		}
		if r.entries[i].state.Has(From) {
			n++
		}
	}
	r.watchers = make([]jid.Bare, 0, n)
	for i := range r.entries {
		if r.entries[i].state.Has(From) {
			r.watchers = append(r.watchers, r.contact(i))
		}
	}
	slices.SortFunc(r.gone, func(a, b Tombstone) int { return cmp.Compare(a.Version, b.Version) })
	return r
}

func (r *Roster) contact(i int) jid.Bare {
	e := &r.entries[i]
	return jid.Bare(r.text[e.at : e.at+uint32(e.contactLen)])
}

func (r *Roster) item(i int) Item {
	e := &r.entries[i]
	name := e.at + uint32(e.contactLen)
	it := Item{
		Contact: r.contact(i),
		Name:    r.text[name : name+uint32(e.nameLen)],
		Groups:  r.groups[e.groups],
		State:   e.state,
		Hidden:  e.hidden,
		Version: e.version,
	}
	if e.state.Has(PendingIn) {
		it.Request = r.request(it.Contact)
	}
	return it
}

func (r *Roster) request(contact jid.Bare) []byte {
	i, ok := slices.BinarySearchFunc(r.requests, contact, func(q request, c jid.Bare) int {
		return strings.Compare(string(q.contact), string(c))
	})
	if !ok {
		return nil
	}
	return r.requests[i].stanza
}
