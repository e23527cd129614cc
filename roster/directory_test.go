package roster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rollcall/xmpp/jid"
)

func members(who ...jid.Bare) (list []Member) {
	for _, j := range who {
		list = append(list, Member{JID: j})
	}
	return list
}

// bound is an owner's roster with nothing but what groups say.
func bound(d *Directory, owner jid.Bare) *Roster { return New(Contents{}).bind(owner, d) }

func TestDirectory(t *testing.T) {
	d := NewDirectory([]Group{
		{Name: "nurses", Title: "Nurses", Mutual: true, Members: members("ada@x", "bob@x")},
		{Name: "doors", Title: "Doors", VisibleTo: []string{"nurses", "no such"}, Members: []Member{{"door-1@phones.x", "The front door"}, {"door-2@phones.x", ""}}},
		{Name: "night", Title: "Night shift", Mutual: true, Members: []Member{{"bob@x", "Robert"}, {"x", ""}}},
		{Name: "empty", Mutual: true},
	}, []jid.Bare{"who@x", "is@x", "not@x", "in@x"})
	wantRoster(t, bound(d, "ada@x"),
		`bob@x "Robert" [Nurses] Both`, `door-1@phones.x "The front door" [Doors] To`, `door-2@phones.x "Door-2" [Doors] To`)
	wantRoster(t, bound(d, "bob@x"),
		`ada@x "Ada" [Nurses] Both`, `door-1@phones.x "The front door" [Doors] To`, `door-2@phones.x "Door-2" [Doors] To`, `x "x" [Night shift] Both`)
	wantRoster(t, bound(d, "who@x"))
	door := bound(d, "door-1@phones.x")
	wantRoster(t, door)
	if got := slices.Collect(door.Subscribers()); !slices.Equal(got, []jid.Bare{"ada@x", "bob@x"}) {
		t.Errorf("the door is seen by %v", got)
	}
	if it, ok := door.Lookup("ada@x"); !ok || !it.Hidden || it.State != From || it.Shared != From {
		t.Errorf("who sees the door is %+v, %v", it, ok)
	}
	for _, stranger := range []jid.Bare{"door-2@phones.x", "door-1@phones.x", "eve@x", "who@x"} {
		if it, ok := door.Lookup(stranger); ok || door.State(stranger) != None {
			t.Errorf("the door knows %s: %+v", stranger, it)
		}
	}
	if got := slices.Collect(d.Watchers("door-1@phones.x")); !slices.Equal(got, []jid.Bare{"ada@x", "bob@x"}) {
		t.Errorf("the door is watched by %v", got)
	}
	if got := slices.Collect(d.Watchers("bob@x")); !slices.Equal(got, []jid.Bare{"ada@x", "x"}) {
		t.Errorf("bob is watched by %v", got)
	}
	for pair, want := range map[[2]jid.Bare]bool{
		{"ada@x", "door-1@phones.x"}: true, {"x", "door-1@phones.x"}: false, {"door-1@phones.x", "ada@x"}: false,
		{"ada@x", "bob@x"}: true, {"bob@x", "bob@x"}: false, {"ada@x", "x"}: false, {"eve@x", "bob@x"}: false, {"bob@x", "eve@x"}: false,
	} {
		if d.Sees(pair[0], pair[1]) != want {
			t.Errorf("%s sees %s: %v", pair[0], pair[1], !want)
		}
	}
	if bound(d, "ada@x").Len() != 3 || door.Len() != 0 {
		t.Errorf("%d and %d items", bound(d, "ada@x").Len(), door.Len())
	}
}

// Names of groups sort the groups, titles are what is shown, and one that two
// groups have is shown once.
func TestTitles(t *testing.T) {
	d := NewDirectory([]Group{
		{Name: "b", Title: "Beta", Mutual: true, Members: members("ada@x", "bob@x", "cy@x")},
		{Name: "a", Title: "Alpha", Mutual: true, Members: members("ada@x", "bob@x")},
		{Name: "c", Title: "Alpha", Mutual: true, Members: members("ada@x", "bob@x", "cy@x")},
		{Name: "d", Title: "Not hers", Mutual: true, Members: members("bob@x", "cy@x")},
		{Name: "e", Mutual: true, Members: members("ada@x", "cy@x")},
	}, nil)
	wantRoster(t, bound(d, "ada@x"), `bob@x "Bob" [Alpha Beta] Both`, `cy@x "Cy" [Beta Alpha e] Both`)
}

func TestEverybody(t *testing.T) {
	groups := []Group{
		{Name: "all", Title: "All", Everybody: true, Mutual: true, Members: []Member{{"bob@x", "Bobby"}, {"lift@y", ""}}},
		{Name: "few", Title: "Few", Mutual: true, Members: members("ada@x", "bob@x")},
	}
	d := NewDirectory(groups, []jid.Bare{"cy@x", "ada@x", "bob@x", "ada@x"})
	wantRoster(t, bound(d, "ada@x"), `bob@x "Bobby" [All Few] Both`, `cy@x "Cy" [All] Both`, `lift@y "Lift" [All] Both`)
	wantRoster(t, bound(d, "cy@x"), `ada@x "Ada" [All] Both`, `bob@x "Bobby" [All] Both`, `lift@y "Lift" [All] Both`)
	if v, _ := d.of("ada@x"); len(v.seen()) != 1 || len(v.to) != 2 {
		t.Errorf("%d groups are gone through for %d", len(v.seen()), len(v.to))
	}
	// Whoever has no account is a member of nothing for being there.
	wantRoster(t, bound(d, "dee@x"))
}

// Five thousand people who see one another share one view.
func TestOneView(t *testing.T) {
	d := NewDirectory([]Group{{Name: "all", Everybody: true, Mutual: true}}, accounts(5000))
	if len(d.views) != 1 {
		t.Errorf("%d views", len(d.views))
	}
	if n := bound(d, account(17)).Len(); n != 4999 {
		t.Errorf("%d items", n)
	}
}

func account(i int) jid.Bare { return jid.Bare(fmt.Sprintf("person%04d@example.org", i)) }

func accounts(n int) []jid.Bare {
	all := make([]jid.Bare, n)
	for i := range all {
		all[i] = account(i)
	}
	return all
}

// chance makes groups of a few people at random.
type chance struct{ *rand.Rand }

var (
	chancePeople = []jid.Bare{"ada@x", "bob@x", "cy@x", "dee@x", "eve@x", "lift@y", "z"}
	chanceGroups = []string{"a", "b", "c", "d"}
)

func (c chance) person() jid.Bare { return chancePeople[c.IntN(len(chancePeople))] }
func (c chance) half() bool       { return c.IntN(2) == 0 }

func (c chance) groups() (all []Group) {
	for _, name := range chanceGroups {
		if c.IntN(4) > 0 {
			all = append(all, c.group(name))
		}
	}
	return all
}

func (c chance) group(name string) Group {
	g := Group{Name: name, Title: []string{"One", "Two", "Three"}[c.IntN(3)], Mutual: c.half(), Everybody: c.IntN(5) == 0}
	for _, to := range chanceGroups {
		if to != name && c.IntN(4) == 0 {
			g.VisibleTo = append(g.VisibleTo, to)
		}
	}
	for range c.IntN(5) {
		g.Members = append(g.Members, Member{c.person(), []string{"", "", "Somebody"}[c.IntN(3)]})
	}
	slices.SortFunc(g.Members, compareMembers)
	g.Members = slices.CompactFunc(g.Members, func(a, b Member) bool { return a.JID == b.JID })
	return g
}

// sees is the rule as it is said: a group that one is a member of is visible to a
// group of the other's, or both are members and it is mutual.
func sees(groups []Group, local []jid.Bare, a, b jid.Bare) (titles []string) {
	in := func(g *Group, who jid.Bare) bool {
		return g.Everybody && slices.Contains(local, who) || slices.ContainsFunc(g.Members, func(m Member) bool { return m.JID == who })
	}
	for i := range groups {
		g := &groups[i]
		visible := g.Mutual && in(g, a)
		for j := range groups {
			visible = visible || slices.Contains(g.VisibleTo, groups[j].Name) && in(&groups[j], a)
		}
		if visible && in(g, b) && a != b && !slices.Contains(titles, g.Title) {
			titles = append(titles, g.Title)
		}
	}
	return titles
}

// A directory is the rule, for all and at once.
func TestDirectoryIsTheRule(t *testing.T) {
	c := chance{rand.New(rand.NewPCG(1, 2))}
	local := chancePeople[:5]
	for range 300 {
		groups := c.groups()
		d := NewDirectory(groups, local)
		for _, owner := range chancePeople {
			checkRule(t, groups, local, owner, bound(d, owner))
		}
		if t.Failed() {
			t.Fatalf("the groups are %+v", groups)
		}
	}
}

func checkRule(t *testing.T, groups []Group, local []jid.Bare, owner jid.Bare, r *Roster) {
	t.Helper()
	items := map[jid.Bare]Item{}
	for it := range r.Items() {
		items[it.Contact] = it
	}
	watchers, watched := slices.Collect(r.Subscribers()), slices.Collect(r.Subscriptions())
	for _, contact := range chancePeople {
		titles := sees(groups, local, owner, contact)
		want := None
		if titles != nil {
			want |= To
		}
		if sees(groups, local, contact, owner) != nil {
			want |= From
		}
		it, shown := items[contact]
		switch {
		case r.State(contact) != want, r.Shared(contact) != want:
			t.Errorf("%s has %q with %s, not %q", owner, r.State(contact), contact, want)
		case shown != want.Has(To), shown && !slices.Equal(it.Groups, titles), shown && it.State != want:
			t.Errorf("%s is shown %s as %+v, %v", owner, contact, it, shown)
		case slices.Contains(watchers, contact) != want.Has(From), slices.Contains(watched, contact) != want.Has(To):
			t.Errorf("%s is seen by %v and sees %v", owner, watchers, watched)
		}
	}
	if len(watchers) != len(slices.Compact(slices.Clone(watchers))) || !slices.IsSorted(watchers) || len(items) != r.Len() {
		t.Errorf("%s is seen by %v and has %d items of %d", owner, watchers, len(items), r.Len())
	}
}

// What is said to differ between two directories is what differs, and no more.
func TestDifferenceIsWhatDiffers(t *testing.T) {
	c := chance{rand.New(rand.NewPCG(3, 4))}
	local := chancePeople[:5]
	for range 300 {
		groups := c.groups()
		before := NewDirectory(groups, local)
		if c.half() && len(groups) > 0 { // something small
			i := c.IntN(len(groups))
			groups[i] = c.group(groups[i].Name)
		} else {
			groups = c.groups()
		}
		now := NewDirectory(groups, local[:c.IntN(6)])
		own := c.own()
		for _, owner := range chancePeople {
			checkDifference(t, New(own).bind(owner, before), New(own).bind(owner, now))
		}
		if t.Failed() {
			t.Fatalf("the own part is %+v", own)
		}
	}
}

// own is a roster of one's own at random.
func (c chance) own() (own Contents) {
	states := allStates()
	for _, who := range chancePeople {
		it := Item{Contact: who, Name: []string{"", "Mine"}[c.IntN(2)], State: states[c.IntN(len(states))]}
		switch c.IntN(5) {
		case 0:
			it.Groups = []string{"One", "Own"}[:1+c.IntN(2)]
		case 1:
			it.Left = []string{"Two"}
		case 2:
			it.Noted, it.State = true, None
		default:
			continue
		}
		own.Items = append(own.Items, it)
	}
	return own
}

func checkDifference(t *testing.T, before, now *Roster) {
	t.Helper()
	lists, mets := now.Differs(before)
	items, met := slices.Concat(lists...), slices.Concat(mets...)
	for _, contact := range chancePeople {
		a, _ := before.Lookup(contact)
		b, _ := now.Lookup(contact)
		a.Hidden, b.Hidden = a.Hidden || a.Contact == "", b.Hidden || b.Contact == ""
		if said, is := slices.Contains(items, contact), !a.looksLike(&b); said != is {
			t.Errorf("%s: %s differs: %v, and it is said: %v\n%+v\n%+v", now.owner, contact, is, said, a, b)
		}
		if said, is := slices.Contains(met, contact), a.State.Has(To) != b.State.Has(To); said != is {
			t.Errorf("%s: %s is met or left: %v, and it is said: %v", now.owner, contact, is, said)
		}
	}
	slices.Sort(items)
	if n := len(slices.Compact(slices.Clone(items))); n != len(items) || slices.Contains(items, now.owner) {
		t.Errorf("%s hears of %v", now.owner, items)
	}
}

// The same groups have the same mark, and others have others.
func TestMarks(t *testing.T) {
	mark := func(groups ...Group) uint64 {
		v, _ := NewDirectory(groups, nil).of("ada@x")
		return v.markOrNone()
	}
	staff := Group{Name: "staff", Title: "Staff", Mutual: true, Members: members("ada@x", "bob@x")}
	titled, named, joined, quiet := staff, staff, staff, staff
	titled.Title = "The staff"
	named.Members = []Member{{"ada@x", ""}, {"bob@x", "Robert"}}
	joined.Members = members("ada@x", "bob@x", "cy@x")
	quiet.Mutual = false
	other := Group{Name: "other", Mutual: true, Members: members("cy@x", "dee@x")}
	want := mark(staff)
	if want == 0 || mark(staff) != want || mark(other, staff) != want {
		t.Error("the mark is not that of what is seen")
	}
	if mark(quiet) != 0 || mark() != 0 {
		t.Error("there is a mark of nothing")
	}
	for _, g := range []Group{titled, named, joined} {
		if mark(g) == want {
			t.Errorf("%+v has the mark of another", g)
		}
	}
}
