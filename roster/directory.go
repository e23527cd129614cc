package roster

import (
	"encoding/binary"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"rollcall/xmpp/jid"
)

// Group is a shared group: people whom the operator, or a directory of the
// organisation, puts into each other's rosters.
type Group struct {
	Name      string   // that the operator calls it by
	Title     string   // that people see
	Everybody bool     // all accounts belong to it, besides Members
	Mutual    bool     // its members see one another
	Source    string   // "" for the operator, or what keeps it: "ldap"
	VisibleTo []string // the groups whose members see the members of this one
	Members   []Member
}

// Member is somebody in a group: an account here or any other address.
type Member struct {
	JID  jid.Bare
	Name string // for people; if it is empty the address gives one
}

// Directory is all shared groups at one moment. It never changes, so anybody may
// read it without a lock.
//
// Somebody sees a member of a group if both are members of it and its members
// see one another, or if it is visible to a group of his. What an owner sees
// follows from the groups he belongs to, so all who belong to the same groups
// have one [View] in common: five thousand who see one another are five thousand
// people here, and not twenty-five million items.
type Directory struct {
	groups []group  // sorted by name
	people []person // sorted by address
	views  []View   // one for each set of groups that somebody belongs to

	mu      sync.Mutex               // guards the fields below
	diffs   map[[2]*View]*difference // by the view before and the one here
	moved   moved
	retired bool // it is not in force any more
}

type group struct {
	name, title string
	titles      []string // title alone: where most of its members are shown
	everybody   bool
	mutual      bool
	local       bool    // all its members belong to each group of everybody
	visibleTo   []int32 // into groups, sorted
	members     []int32 // into people, sorted
	mark        uint64  // follows from title and members
}

type person struct {
	jid  jid.Bare
	name string
	view int32 // into views
}

// nobody is the index of who is not in a directory.
const nobody int32 = -1

// NewDirectory returns the directory of the groups. accounts are all local
// accounts, if there is a group of everybody; otherwise they need not be given.
func NewDirectory(groups []Group, accounts []jid.Bare) *Directory {
	groups = slices.SortedFunc(slices.Values(groups), func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	if !slices.ContainsFunc(groups, func(g Group) bool { return g.Everybody }) {
		accounts = nil
	}
	d := &Directory{groups: make([]group, len(groups)), diffs: map[[2]*View]*difference{}}
	index := d.enlist(groups, accounts)
	all := places(index, accounts)
	for i := range groups {
		d.groups[i] = d.enrol(&groups[i], index, all)
	}
	for i := range groups {
		for _, name := range groups[i].VisibleTo {
			if to, ok := d.group(name); ok {
				d.groups[i].visibleTo = append(d.groups[i].visibleTo, int32(to))
			}
		}
		slices.Sort(d.groups[i].visibleTo)
		d.groups[i].mark = d.markOf(&d.groups[i])
	}
	d.assign()
	return d
}

// enlist fills in the people and returns where each is.
func (d *Directory) enlist(groups []Group, accounts []jid.Bare) map[jid.Bare]int32 {
	names := make(map[jid.Bare]string, len(accounts))
	for _, a := range accounts {
		names[a] = ""
	}
	for i := range groups {
		for _, m := range groups[i].Members {
			if known, ok := names[m.JID]; !ok || known == "" { // the first group to name somebody does
				names[m.JID] = m.Name
			}
		}
	}
	d.people = make([]person, 0, len(names))
	for who, name := range names {
		d.people = append(d.people, person{jid: who, name: name, view: nobody})
	}
	slices.SortFunc(d.people, func(a, b person) int { return strings.Compare(string(a.jid), string(b.jid)) })
	index := make(map[jid.Bare]int32, len(d.people))
	for i := range d.people {
		p := &d.people[i]
		if p.name == "" {
			p.name = nameOf(p.jid)
		}
		index[p.jid] = int32(i)
	}
	return index
}

// nameOf makes a name of an address.
func nameOf(who jid.Bare) string {
	local := who.Local()
	if local == "" {
		return string(who)
	}
	first, n := utf8.DecodeRuneInString(local)
	return string(unicode.ToUpper(first)) + local[n:]
}

// places returns where the accounts are, sorted.
func places(index map[jid.Bare]int32, accounts []jid.Bare) []int32 {
	out := make([]int32, len(accounts))
	for i, a := range accounts {
		out[i] = index[a]
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// enrol makes a group of which all are members if it is one of everybody.
func (d *Directory) enrol(g *Group, index map[jid.Bare]int32, all []int32) group {
	out := group{name: g.Name, title: g.Title, everybody: g.Everybody, mutual: g.Mutual, local: true}
	if out.title == "" {
		out.title = g.Name
	}
	out.titles = []string{out.title}
	out.members = make([]int32, len(g.Members), len(g.Members)+len(all))
	for i, m := range g.Members {
		out.members[i] = index[m.JID]
		if _, here := slices.BinarySearch(all, index[m.JID]); !here {
			out.local = false
		}
	}
	if g.Everybody {
		out.members = append(out.members, all...)
	}
	slices.Sort(out.members)
	out.members = slices.Compact(out.members)
	return out
}

// group finds a group by its name.
func (d *Directory) group(name string) (int, bool) {
	return slices.BinarySearchFunc(d.groups, name, func(g group, name string) int { return strings.Compare(g.name, name) })
}

// find returns where somebody is, or nobody.
func (d *Directory) find(who jid.Bare) int32 {
	i := sort.Search(len(d.people), func(i int) bool { return d.people[i].jid >= who })
	if i == len(d.people) || d.people[i].jid != who {
		return nobody
	}
	return int32(i)
}

// assign gives a view to all who belong to the same groups.
func (d *Directory) assign() {
	ends := make([]int32, len(d.people)+1) // of each one's groups in flat
	for i := range d.groups {
		for _, who := range d.groups[i].members {
			ends[who+1]++
		}
	}
	for i := range d.people {
		ends[i+1] += ends[i]
	}
	flat := make([]int32, ends[len(d.people)])
	next := slices.Clone(ends)
	for i := range d.groups {
		for _, who := range d.groups[i].members {
			flat[next[who]] = int32(i)
			next[who]++
		}
	}
	known := map[string]int32{}
	sees := d.inverse()
	var key []byte
	for i := range d.people {
		in := flat[ends[i]:ends[i+1]:ends[i+1]]
		key = key[:0]
		for _, g := range in {
			key = binary.LittleEndian.AppendUint32(key, uint32(g))
		}
		n, ok := known[string(key)]
		if !ok {
			n = int32(len(d.views))
			known[string(key)] = n
			d.views = append(d.views, d.newView(in, sees))
		}
		d.people[i].view = n
	}
}

// inverse returns, for each group, those that are visible to it.
func (d *Directory) inverse() [][]int32 {
	out := make([][]int32, len(d.groups))
	for i := range d.groups {
		for _, to := range d.groups[i].visibleTo {
			out[to] = append(out[to], int32(i))
		}
	}
	return out
}

// of returns an owner's view, and where the owner is. The view is nil if no
// group is of any account to the owner.
func (d *Directory) of(owner jid.Bare) (*View, int32) {
	who := d.find(owner)
	if who == nobody {
		return nil, nobody
	}
	v := &d.views[d.people[who].view]
	if len(v.to)+len(v.from) == 0 {
		return nil, who
	}
	return v, who
}

// union goes through the members of groups, in order, each once.
func (d *Directory) union(groups []int32, yield func(who int32) bool) bool {
	switch len(groups) {
	case 0:
		return true
	case 1:
		for _, who := range d.groups[groups[0]].members {
			if !yield(who) {
				return false
			}
		}
		return true
	}
	var few [16]int
	at := few[:]
	if len(groups) > len(few) {
		at = make([]int, len(groups))
	}
	for {
		next := int32(math.MaxInt32)
		for i, g := range groups {
			if m := d.groups[g].members; at[i] < len(m) {
				next = min(next, m[at[i]])
			}
		}
		if next == math.MaxInt32 {
			return true
		}
		for i, g := range groups {
			if m := d.groups[g].members; at[i] < len(m) && m[at[i]] == next {
				at[i]++
			}
		}
		if !yield(next) {
			return false
		}
	}
}

// markOf computes a group's mark: it is the same for the same title and the same
// members with the same names, at any time.
func (d *Directory) markOf(g *group) uint64 {
	h := fnvStart.text(g.title)
	for _, who := range g.members {
		p := &d.people[who]
		h = h.text(string(p.jid)).text(p.name)
	}
	return uint64(h)
}

// fnv is a hash of FNV-1a.
type fnv uint64

const fnvStart fnv = 14695981039346656037

// text adds a text and its end.
func (h fnv) text(s string) fnv {
	for i := range len(s) {
		h = (h ^ fnv(s[i])) * 1099511628211
	}
	return (h ^ 0xff) * 1099511628211 // which no text in UTF-8 holds
}

// number adds a number.
func (h fnv) number(n uint64) fnv {
	for range 8 {
		h = (h ^ fnv(n&0xff)) * 1099511628211
		n >>= 8
	}
	return h
}
