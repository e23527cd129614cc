package roster

import (
	"slices"

	"rollcall/xmpp/jid"
)

// difference is what two views make different, of whatever owners have both one
// after the other. All lists are sorted. The owners themselves may be in them.
type difference struct {
	shown  []jid.Bare // contacts whose item is another, or there in one view only
	hidden []jid.Bare // contacts that neither shows, and whose seeing the owners is another
	met    []jid.Bare // contacts whom the owners see by one and not by the other
}

var nothingDiffers = &difference{}

// maxDifferences bounds how many differences a directory remembers. Where no two
// people are in the same groups there is one for each of them.
const maxDifferences = 1000

// retire has the directory remember no differences any more: they lead to the one
// before it, and so on to all that ever were.
func (d *Directory) retire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.retired, d.diffs, d.moved = true, nil, moved{}
}

// difference compares two views; after is one of d's. It is computed once for
// each two views, however many owners have them.
func (d *Directory) difference(before, after *View) *difference {
	if before == after {
		return nothingDiffers
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	key := [2]*View{before, after}
	if known := d.diffs[key]; known != nil {
		return known
	}
	diff := &difference{}
	if before != nil && after != nil && before.sameGroups(after) {
		for _, contact := range d.movedSince(before.dir) {
			diff.compare(contact, before.glimpse(before.dir.find(contact)), after.glimpse(d.find(contact)))
		}
	} else {
		diff.compareAll(before, after)
	}
	if d.retired {
		d.moved = moved{}
		return diff
	}
	if len(d.diffs) >= maxDifferences {
		clear(d.diffs)
	}
	d.diffs[key] = diff
	return diff
}

// sameGroups reports whether two views, maybe of two directories, show the same
// groups under the same titles.
func (v *View) sameGroups(w *View) bool {
	same := func(a, b []int32) bool {
		return slices.EqualFunc(a, b, func(i, j int32) bool {
			x, y := &v.dir.groups[i], &w.dir.groups[j]
			return x.name == y.name && x.title == y.title
		})
	}
	return same(v.to, w.to) && same(v.from, w.from)
}

// moved is who differs between a directory and the one before it.
type moved struct {
	since *Directory
	who   []jid.Bare
}

// movedSince returns, in order, the people who are in other groups, or under
// another name, than in an earlier directory. The caller holds mu.
func (d *Directory) movedSince(before *Directory) []jid.Bare {
	if d.moved.since == before {
		return d.moved.who
	}
	now := make([]int32, len(before.groups)) // where the groups are now
	for i := range before.groups {
		now[i] = nobody
		if n, ok := d.group(before.groups[i].name); ok {
			now[i] = int32(n)
		}
	}
	same := func(was, is *person) bool {
		return was.name == is.name && slices.EqualFunc(before.views[was.view].in, d.views[is.view].in,
			func(a, b int32) bool { return now[a] == b })
	}
	var who []jid.Bare
	old := before.people
	for i := range d.people {
		p := &d.people[i]
		for len(old) > 0 && old[0].jid < p.jid {
			who = append(who, old[0].jid)
			old = old[1:]
		}
		if len(old) == 0 || old[0].jid != p.jid {
			who = append(who, p.jid)
			continue
		}
		if !same(&old[0], p) {
			who = append(who, p.jid)
		}
		old = old[1:]
	}
	for i := range old {
		who = append(who, old[i].jid)
	}
	d.moved = moved{before, who}
	return who
}

// compareAll fills in the difference for all whom one of two views is about.
func (diff *difference) compareAll(before, after *View) {
	old, now := before.everybody(), after.everybody()
	for len(old)+len(now) > 0 {
		switch {
		case len(now) == 0 || len(old) > 0 && before.contact(old[0]) < after.contact(now[0]):
			diff.compare(before.contact(old[0]), before.glimpse(old[0]), glimpse{})
			old = old[1:]
		case len(old) == 0 || before.contact(old[0]) > after.contact(now[0]):
			diff.compare(after.contact(now[0]), glimpse{}, after.glimpse(now[0]))
			now = now[1:]
		default:
			diff.compare(after.contact(now[0]), before.glimpse(old[0]), after.glimpse(now[0]))
			old, now = old[1:], now[1:]
		}
	}
}

// everybody returns, in order, all whom a view is about.
func (v *View) everybody() (all []int32) {
	if v == nil {
		return nil
	}
	groups := slices.Concat(v.toAll, v.fromAll)
	slices.Sort(groups)
	v.dir.union(slices.Compact(groups), func(who int32) bool {
		all = append(all, who)
		return true
	})
	return all
}

func (v *View) contact(who int32) jid.Bare { return v.dir.people[who].jid }

// compare notes what is different about a contact, if anything.
func (diff *difference) compare(contact jid.Bare, was, is glimpse) {
	if was.state == is.state && was.name == is.name && slices.Equal(was.titles, is.titles) {
		return
	}
	if (was.state | is.state).Has(To) {
		diff.shown = append(diff.shown, contact)
	} else {
		diff.hidden = append(diff.hidden, contact)
	}
	if was.state.Has(To) != is.state.Has(To) {
		diff.met = append(diff.met, contact)
	}
}

// glimpse is what a view shows of somebody.
type glimpse struct {
	state  State
	name   string
	titles []string
}

func (v *View) glimpse(who int32) (g glimpse) {
	if who == nobody {
		return g
	}
	if g.state = v.state(who); g.state.Has(To) {
		g.name, g.titles = v.dir.people[who].name, v.titles(who)
	}
	return g
}

// Differs compares the roster with the same one as it was under another
// directory. items are the contacts that clients are shown differently, or that
// are there in one of the two only; met are those whom the owner sees by one and
// not by the other. The lists belong to the directory.
func (r *Roster) Differs(before *Roster) (items, met [][]jid.Bare) { return r.differs(before.view) }

func (r *Roster) differs(before *View) (items, met [][]jid.Bare) {
	if r.view == before {
		return nil, nil
	}
	diff := r.dir.difference(before, r.view)
	was := Roster{own: r.own, owner: r.owner, view: before, self: nobody}
	if before != nil {
		was.dir, was.self = before.dir, before.dir.find(r.owner)
	}
	same, seen := []jid.Bare{r.owner}, []jid.Bare{r.owner} // in which the owner's own part makes no difference
	var extra []jid.Bare
	for i := range r.entries {
		contact := r.contact(i)
		_, shown := slices.BinarySearch(diff.shown, contact)
		_, aside := slices.BinarySearch(diff.hidden, contact)
		if !shown && !aside {
			continue
		}
		a, b := was.item(i, was.person(contact)), r.item(i, r.person(contact))
		switch equal := a.looksLike(&b); {
		case shown && equal:
			same = append(same, contact)
		case aside && !equal:
			extra = append(extra, contact)
		}
		if a.State.Has(To) == b.State.Has(To) {
			seen = append(seen, contact)
		}
	}
	items = without(diff.shown, same)
	if len(extra) > 0 {
		items = append(items, extra)
	}
	return items, without(diff.met, seen)
}

// looksLike reports whether clients are shown the same of two items.
func (it *Item) looksLike(other *Item) bool {
	if it.Hidden || other.Hidden {
		return it.Hidden == other.Hidden
	}
	return it.Name == other.Name && it.State.visible() == other.State.visible() && slices.Equal(it.Groups, other.Groups)
}

// without returns a sorted list in parts, between which those are that it is to
// be without.
func without(list []jid.Bare, those []jid.Bare) (parts [][]jid.Bare) {
	slices.Sort(those)
	for _, j := range those {
		at, found := slices.BinarySearch(list, j)
		if !found {
			continue
		}
		if at > 0 {
			parts = append(parts, list[:at])
		}
		list = list[at+1:]
	}
	if len(list) > 0 {
		parts = append(parts, list)
	}
	return parts
}
