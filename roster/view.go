package roster

import "slices"

// View is what shared groups make of the rosters of all who belong to the same
// ones. It never changes. The nil view is of those who see nobody and whom nobody
// sees.
type View struct {
	dir     *Directory
	in      []int32 // the groups that its owners belong to; sorted, as all here
	to      []int32 // those whose members the owners see
	from    []int32 // those whose members see the owners
	toSet   bits
	fromSet bits

	// to and from without those whose members are all in another one: enough
	// where it does not matter which groups somebody is in.
	toAll, fromAll []int32

	// mark follows from what the owners see: a client that knows it knows that.
	mark uint64
}

// bits is a set of small numbers.
type bits []uint64

func newBits(size int, members []int32) bits {
	b := make(bits, (size+63)/64)
	for _, m := range members {
		b[m/64] |= 1 << (m % 64)
	}
	return b
}

func (b bits) has(n int32) bool { return b[n/64]&(1<<(n%64)) != 0 }

// newView makes the view of those who are in the given groups. sees has, for each
// group, those that are visible to it.
func (d *Directory) newView(in []int32, sees [][]int32) View {
	v := View{dir: d, in: in}
	for _, g := range in {
		if d.groups[g].mutual {
			v.to, v.from = append(v.to, g), append(v.from, g)
		}
		v.to = append(v.to, sees[g]...)
		v.from = append(v.from, d.groups[g].visibleTo...)
	}
	slices.Sort(v.to)
	slices.Sort(v.from)
	v.to, v.from = slices.Compact(v.to), slices.Compact(v.from)
	v.toSet, v.fromSet = newBits(len(d.groups), v.to), newBits(len(d.groups), v.from)
	v.toAll, v.fromAll = d.enough(v.to), d.enough(v.from)
	h := fnvStart
	for _, g := range v.to {
		h = h.number(d.groups[g].mark)
	}
	h = h.number(0)
	for _, g := range v.from {
		h = h.number(d.groups[g].mark)
	}
	v.mark = max(uint64(h), 1)
	return v
}

// enough leaves out groups whose members are all in another one of the list,
// where that is easily seen.
func (d *Directory) enough(list []int32) []int32 {
	i := slices.IndexFunc(list, func(g int32) bool { return d.groups[g].everybody })
	if i < 0 {
		return list
	}
	all := list[i]
	return slices.DeleteFunc(slices.Clone(list), func(g int32) bool { return g != all && d.groups[g].local })
}

// groupsOf returns the groups that somebody is in.
func (d *Directory) groupsOf(who int32) []int32 { return d.views[d.people[who].view].in }

// markOrNone identifies what the view shows; 0 is that of nothing.
func (v *View) markOrNone() uint64 {
	if v == nil {
		return 0
	}
	return v.mark
}

// seen and watching are the groups to go through for whom the owners see, and who
// sees them.
func (v *View) seen() []int32 {
	if v == nil {
		return nil
	}
	return v.toAll
}

// state is what the groups give the owners, of the subscription with somebody.
func (v *View) state(who int32) State {
	s := None
	for _, g := range v.dir.groupsOf(who) {
		if v.toSet.has(g) {
			s |= To
		}
		if v.fromSet.has(g) {
			s |= From
		}
	}
	return s
}

// titles are the groups that the owners see somebody in, as people call them.
func (v *View) titles(who int32) (titles []string) {
	for _, g := range v.dir.groupsOf(who) {
		if !v.toSet.has(g) {
			continue
		}
		switch of := &v.dir.groups[g]; {
		case titles == nil:
			titles = of.titles // which belongs to the group
		case !slices.Contains(titles, of.title):
			titles = append(titles[:len(titles):len(titles)], of.title)
		}
	}
	return titles
}
