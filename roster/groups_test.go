package roster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"weak"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// groupShelf is a small store of groups in memory.
type groupShelf struct {
	mu    sync.Mutex
	saves int
	fail  error
	all   map[string]*Group
}

// LoadGroups implements GroupStore.
func (s *groupShelf) LoadGroups(context.Context) (all []Group, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.all {
		x := *g
		x.Members, x.VisibleTo = slices.Clone(g.Members), slices.Clone(g.VisibleTo)
		all = append(all, x)
	}
	return all, s.fail
}

// SaveGroups implements GroupStore.
func (s *groupShelf) SaveGroups(_ context.Context, changes []GroupUpdate) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.saves++
	for _, u := range changes {
		if u.Remove {
			delete(s.all, u.Name)
			for _, g := range s.all {
				g.VisibleTo = minus(g.VisibleTo, []string{u.Name})
			}
			continue
		}
		g := s.all[u.Name]
		if g == nil {
			g = &Group{Name: u.Name}
			s.all[u.Name] = g
		}
		if p := u.Put; p != nil {
			g.Title, g.Everybody, g.Mutual, g.Source = p.Title, p.Everybody, p.Mutual, p.Source
		}
		g.Members = slices.DeleteFunc(g.Members, func(m Member) bool {
			return slices.Contains(u.Leave, m.JID) || slices.ContainsFunc(u.Join, func(n Member) bool { return n.JID == m.JID })
		})
		g.Members = append(g.Members, u.Join...)
		g.VisibleTo = append(minus(g.VisibleTo, u.Unshow), u.Show...)
	}
	return nil
}

// village is groups and the rosters of those who live there.
type village struct {
	*Groups
	store *groupShelf
	book  *Book
	local []jid.Bare
}

func newVillage(cfg GroupConfig, local ...jid.Bare) *village {
	v := &village{store: &groupShelf{all: map[string]*Group{}}, book: NewBook(newStore(local...), Config{}), local: local}
	v.Groups = NewGroups(GroupParts{
		Store: v.store, Book: v.book, Log: slog.New(slog.DiscardHandler),
		Accounts: func(context.Context) ([]jid.Bare, error) { return slices.Clone(v.local), nil },
	}, cfg)
	return v
}

func (v *village) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	// What is in force is what is stored.
	fresh := newVillage(GroupConfig{}, v.local...)
	fresh.store.all = v.store.all
	if err := fresh.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, who := range v.local {
		if got, want := describe(mustOf(t, v.book, who)), describe(mustOf(t, fresh.book, who)); got != want {
			t.Errorf("%s has\n%s\nand after a new start\n%s", who, got, want)
		}
	}
}

func TestGroups(t *testing.T) {
	v := newVillage(GroupConfig{}, "ada@x", "bob@x", "cy@x")
	ctx := t.Context()
	ada := func(lines ...string) { t.Helper(); wantRoster(t, mustOf(t, v.book, "ada@x"), lines...) }
	yes, no, title := true, false, "The staff"
	v.must(t, v.Load(ctx))
	v.must(t, v.Add(ctx, Group{Name: "staff", Mutual: true, Members: members("bob@x", "ada@x")}))
	ada(`bob@x "Bob" [staff] Both`)
	v.must(t, v.Join(ctx, "staff", Member{"bob@x", "Robert"}, Member{"cy@x", ""}))
	ada(`bob@x "Robert" [staff] Both`, `cy@x "Cy" [staff] Both`)
	v.must(t, v.Leave(ctx, "staff", "cy@x"))
	v.must(t, v.Set(ctx, "staff", GroupChange{Title: &title}))
	ada(`bob@x "Robert" [The staff] Both`)
	v.must(t, v.Set(ctx, "staff", GroupChange{Mutual: &no}))
	ada()
	v.must(t, v.Add(ctx, Group{Name: "desk", Members: members("ada@x")}))
	v.must(t, v.SetVisible(ctx, "staff", "desk", true))
	ada(`bob@x "Robert" [The staff] To`)
	v.must(t, v.Set(ctx, "staff", GroupChange{Everybody: &yes}))
	ada(`bob@x "Robert" [The staff] To`, `cy@x "Cy" [The staff] To`)
	v.must(t, v.SetVisible(ctx, "staff", "desk", false))
	v.must(t, v.SetMembers(ctx, "desk", members("ada@x", "cy@x")))
	v.must(t, v.Set(ctx, "desk", GroupChange{Mutual: &yes}))
	ada(`cy@x "Cy" [desk] Both`)
	v.must(t, v.SetVisible(ctx, "desk", "staff", true))
	v.must(t, v.Remove(ctx, "staff"))
	ada(`cy@x "Cy" [desk] Both`)
	if g, err := v.Get(ctx, "desk"); err != nil || len(g.VisibleTo) != 0 || len(g.Members) != 2 || g.Title != "desk" {
		t.Errorf("the group is %+v, %v", g, err)
	}
	saves := v.store.saves
	v.must(t, v.SetMembers(ctx, "desk", members("cy@x", "ada@x")))
	v.must(t, v.Join(ctx, "desk", members("cy@x")...))
	v.must(t, v.Set(ctx, "desk", GroupChange{Mutual: &yes}))
	if v.store.saves != saves {
		t.Error("what changes nothing is stored")
	}
	if list, err := v.List(ctx); err != nil || len(list) != 1 {
		t.Errorf("there are %+v, %v", list, err)
	}
}

func TestGroupsRefuse(t *testing.T) {
	v := newVillage(GroupConfig{MaxGroups: 3, MaxMembers: 2}, "ada@x", "bob@x", "cy@x")
	ctx := t.Context()
	long := strings.Repeat("x", 300)
	v.must(t, v.Add(ctx, Group{Name: "staff", Members: members("ada@x")}))
	v.must(t, v.Sync(ctx, "ldap", []Group{{Name: "kept", Title: "Kept", Members: members("ada@x")}}))
	yes, empty, bad := true, "", "two\nlines"
	saves := v.store.saves
	for what, c := range map[string]struct {
		err  error
		want *stanza.Error
	}{
		"a group without a name":     {v.Add(ctx, Group{}), stanza.ErrNotAcceptable},
		"a long name":                {v.Add(ctx, Group{Name: long[:65]}), stanza.ErrNotAcceptable},
		"a name of two lines":        {v.Add(ctx, Group{Name: bad}), stanza.ErrNotAcceptable},
		"blanks around a name":       {v.Add(ctx, Group{Name: " staff"}), stanza.ErrNotAcceptable},
		"a name that is no text":     {v.Add(ctx, Group{Name: "a\xff"}), stanza.ErrNotAcceptable},
		"a group that is there":      {v.Add(ctx, Group{Name: "staff"}), stanza.ErrConflict},
		"a long title":               {v.Add(ctx, Group{Name: "new", Title: long}), stanza.ErrNotAcceptable},
		"a title of two lines":       {v.Set(ctx, "staff", GroupChange{Title: &bad}), stanza.ErrNotAcceptable},
		"a long name of a member":    {v.Join(ctx, "staff", Member{"bob@x", long}), stanza.ErrNotAcceptable},
		"a bad name of a member":     {v.Join(ctx, "staff", Member{"bob@x", bad}), stanza.ErrNotAcceptable},
		"a member who is no address": {v.Join(ctx, "staff", members("bob@")...), stanza.ErrMalformedJID},
		"one client of a member":     {v.Join(ctx, "staff", members("bob@x/home")...), stanza.ErrMalformedJID},
		"a member in capitals":       {v.Join(ctx, "staff", members("Bob@x")...), stanza.ErrMalformedJID},
		"too many members":           {v.Join(ctx, "staff", members("bob@x", "cy@x")...), stanza.ErrPolicyViolation},
		"too many accounts":          {v.Set(ctx, "staff", GroupChange{Everybody: &yes}), stanza.ErrPolicyViolation},
		"one who is not a member":    {v.Leave(ctx, "staff", "bob@x"), stanza.ErrItemNotFound},
		"no such group to join":      {v.Join(ctx, "what", members("bob@x")...), stanza.ErrItemNotFound},
		"no such group to remove":    {v.Remove(ctx, "what"), stanza.ErrItemNotFound},
		"no such group to set":       {v.Set(ctx, "what", GroupChange{}), stanza.ErrItemNotFound},
		"no such group to show":      {v.SetVisible(ctx, "what", "staff", true), stanza.ErrItemNotFound},
		"no such group to show to":   {v.SetVisible(ctx, "staff", "what", true), stanza.ErrItemNotFound},
		"a group shown to itself":    {v.SetVisible(ctx, "staff", "staff", true), stanza.ErrNotAcceptable},
		"to join what is kept":       {v.Join(ctx, "kept", members("bob@x")...), stanza.ErrNotAllowed},
		"to leave what is kept":      {v.Leave(ctx, "kept", "ada@x"), stanza.ErrNotAllowed},
		"to fill what is kept":       {v.SetMembers(ctx, "kept", nil), stanza.ErrNotAllowed},
		"to call what is kept":       {v.Set(ctx, "kept", GroupChange{Title: &empty}), stanza.ErrNotAllowed},
		"to keep what is there":      {v.Sync(ctx, "ldap", []Group{{Name: "staff"}}), stanza.ErrConflict},
		"to keep what others keep":   {v.Sync(ctx, "other", []Group{{Name: "kept"}}), stanza.ErrConflict},
		"to keep one twice":          {v.Sync(ctx, "ldap", []Group{{Name: "kept"}, {Name: "kept"}}), stanza.ErrConflict},
		"to keep it in no name":      {v.Sync(ctx, "", nil), stanza.ErrNotAcceptable},
		"too many groups":            {v.Sync(ctx, "ldap", []Group{{Name: "kept"}, {Name: "b"}, {Name: "c"}}), stanza.ErrPolicyViolation},
	} {
		var refusal *stanza.Error
		if !errors.Is(c.err, c.want) || !errors.As(c.err, &refusal) || refusal.Text == "" {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	if v.store.saves != saves {
		t.Error("what was refused is stored")
	}
	if _, err := v.Get(ctx, "what"); !errors.Is(err, stanza.ErrItemNotFound) {
		t.Errorf("no such group to get: %v", err)
	}
	v.must(t, v.Add(ctx, Group{Name: "third"})) // and nothing is in the way of what is right
}

// A directory says who is in its groups and what they are called; who sees whom by
// them is the operator's to say.
func TestSync(t *testing.T) {
	v := newVillage(GroupConfig{}, "ada@x", "bob@x", "cy@x")
	ctx := t.Context()
	no := false
	v.must(t, v.Add(ctx, Group{Name: "own", Members: members("cy@x")}))
	v.must(t, v.Sync(ctx, "ldap", []Group{
		{Name: "sales", Title: "Sales", Mutual: true, Members: members("ada@x", "bob@x")}, {Name: "old", Mutual: true, Members: members("ada@x", "cy@x")},
	}))
	wantRoster(t, mustOf(t, v.book, "ada@x"), `bob@x "Bob" [Sales] Both`, `cy@x "Cy" [old] Both`)
	v.must(t, v.Set(ctx, "sales", GroupChange{Mutual: &no}))
	v.must(t, v.SetVisible(ctx, "sales", "own", true))
	saves := v.store.saves
	v.must(t, v.Sync(ctx, "ldap", []Group{{Name: "sales", Title: "The sales", Mutual: true, Members: members("ada@x", "cy@x")}}))
	if v.store.saves != saves+1 {
		t.Errorf("%d steps", v.store.saves-saves)
	}
	wantRoster(t, mustOf(t, v.book, "ada@x"))
	wantRoster(t, mustOf(t, v.book, "cy@x"), `ada@x "Ada" [The sales] To`)
	v.must(t, v.Sync(ctx, "other", nil))
	v.must(t, v.Remove(ctx, "sales")) // when there is no directory any more
	if list, err := v.List(ctx); err != nil || len(list) != 1 || list[0].Source != "" {
		t.Errorf("left are %+v, %v", list, err)
	}
}

func TestAccountsComeAndGo(t *testing.T) {
	v := newVillage(GroupConfig{}) // nobody yet
	ctx := t.Context()
	v.must(t, v.Load(ctx))
	v.must(t, v.Add(ctx, Group{Name: "all", Everybody: true, Mutual: true}))
	v.must(t, v.Add(ctx, Group{Name: "few", Mutual: true, Members: members("ada@x", "bob@x")}))
	seen := func(who jid.Bare, lines ...string) {
		t.Helper()
		wantRoster(t, bound(v.book.Directory(), who), lines...)
	}
	for _, who := range []jid.Bare{"bob@x", "ada@x", "ada@x"} {
		if err := v.AccountAdded(ctx, who); err != nil {
			t.Fatal(err)
		}
	}
	seen("ada@x", `bob@x "Bob" [all few] Both`)
	same := v.book.Directory()
	if err := v.AccountRemoved(ctx, "eve@x"); err != nil || v.book.Directory() != same {
		t.Errorf("somebody unknown makes a difference, %v", err)
	}
	if err := v.AccountRemoved(ctx, "bob@x"); err != nil {
		t.Fatal(err)
	}
	seen("ada@x")
	if err := v.AccountAdded(ctx, "bob@x"); err != nil {
		t.Fatal(err)
	}
	seen("ada@x", `bob@x "Bob" [all] Both`) // another one, and not of the few
}

// What a store could not make is read again: it may have been made.
func TestGroupsOfABadStore(t *testing.T) {
	v := newVillage(GroupConfig{}, "ada@x", "bob@x")
	ctx := t.Context()
	v.must(t, v.Add(ctx, Group{Name: "staff", Mutual: true, Members: members("ada@x", "bob@x")}))
	boom := errors.New("boom")
	v.store.fail = boom
	if err := v.Remove(ctx, "staff"); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if _, err := v.List(ctx); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	wantRoster(t, mustOf(t, v.book, "ada@x"), `bob@x "Bob" [staff] Both`)
	v.store.fail = nil
	v.store.all = map[string]*Group{} // it had been made
	if list, err := v.List(ctx); err != nil || len(list) != 0 {
		t.Errorf("there are %+v, %v", list, err)
	}
}

// A change of groups reaches rosters in memory without one being read again, and
// each owner once.
func TestAdopt(t *testing.T) {
	v := newVillage(GroupConfig{}, "ada@x", "bob@x", "cy@x")
	ctx := t.Context()
	var told []string
	v.book.OnDifference(func(owner jid.Bare, before, now *Roster) {
		items, _ := now.Differs(before)
		for _, list := range items {
			for _, contact := range list {
				told = append(told, string(owner)+" of "+string(contact))
			}
		}
	})
	met := 0
	v.OnMet(func(before, now *Directory) {
		met++
		if len(told) == 0 || len(v.book.Met("ada@x", before, now)) == 0 {
			t.Errorf("they meet before they are told, or not at all: %v", told)
		}
	})
	pin, err := v.book.Pin(ctx, "ada@x")
	if err != nil {
		t.Fatal(err)
	}
	defer pin.Release()
	mustOf(t, v.book, "bob@x")
	loads := v.book.store.(*shelfStore).loads
	if err := v.Add(ctx, Group{Name: "staff", Mutual: true, Members: members("ada@x", "bob@x", "cy@x")}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(told)
	if got := strings.Join(told, ", "); got != "ada@x of bob@x, ada@x of cy@x, bob@x of ada@x, bob@x of cy@x" || met != 1 {
		t.Errorf("told are %s; %d times they meet", got, met)
	}
	if r := pin.Roster(); r.Len() != 2 || v.book.Peek("ada@x") != r || v.book.Peek("cy@x") != nil {
		t.Errorf("the pin has %d items", r.Len())
	}
	if got := v.book.store.(*shelfStore).loads; got != loads {
		t.Errorf("%d rosters were read", got-loads)
	}
	if v.book.Met("nobody@x", v.book.Directory(), v.book.Directory()) != nil {
		t.Error("nobody meets somebody")
	}
}

// What is changed in a roster after the groups have changed is told after it,
// whoever is faster.
func TestToldInOrder(t *testing.T) {
	v := newVillage(GroupConfig{}, "ada@x", "bob@x")
	ctx := t.Context()
	var said []string
	v.book.OnDifference(func(owner jid.Bare, before, now *Roster) {
		if owner == "ada@x" {
			said = append(said, before.Version()+" to "+now.Version())
		}
	})
	mustOf(t, v.book, "ada@x")
	d := NewDirectory([]Group{{Name: "staff", Mutual: true, Members: members("ada@x", "bob@x")}}, nil)
	v.book.dir.Store(d) // and nobody has gone through the rosters yet
	if got := mustOf(t, v.book, "ada@x").Len(); got != 1 {
		t.Errorf("%d items", got)
	}
	push := func(r Result) { said = append(said, "push "+r.Push.Version) }
	if _, err := v.book.Set(ctx, "ada@x", Edit{Contact: "eve@y"}, push); err != nil {
		t.Fatal(err)
	}
	mark := d.views[0].mark
	old, now, next := version{epoch: 1}.String(), version{epoch: 1, mark: mark}.String(), version{epoch: 1, own: 1, mark: mark}.String()
	if want := []string{old + " to " + now, "push " + next}; !slices.Equal(said, want) {
		t.Errorf("said is %q, not %q", said, want)
	}
}

func TestPastIsBounded(t *testing.T) {
	v := newVillage(GroupConfig{}, "ada@x")
	for range 3 * remembered {
		if err := v.book.Adopt(t.Context(), NewDirectory(nil, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(v.book.Past()); n != remembered {
		t.Errorf("%d are remembered", n)
	}
}

// Directories that are not remembered any more leave nothing in memory, however
// often the groups change and whoever is connected all the time.
func TestDirectoriesAreForgotten(t *testing.T) {
	v := newVillage(GroupConfig{}, "ada@x", "bob@x", "cy@x")
	ctx := t.Context()
	v.book.OnDifference(func(_ jid.Bare, before, now *Roster) { now.Differs(before) })
	v.OnMet(func(before, now *Directory) { v.book.Met("ada@x", before, now) })
	pin, err := v.book.Pin(ctx, "ada@x")
	if err != nil {
		t.Fatal(err)
	}
	defer pin.Release()
	if err := v.Add(ctx, Group{Name: "staff", Mutual: true, Members: members("ada@x", "bob@x")}); err != nil {
		t.Fatal(err)
	}
	var all []weak.Pointer[Directory]
	for i := range 3 * remembered {
		all = append(all, weak.Make(v.book.Directory()))
		err := v.Join(ctx, "staff", Member{"cy@x", fmt.Sprint("Cy the ", i)})
		if err != nil {
			t.Fatal(err)
		}
		mustOf(t, v.book, "ada@x").Since("1-0", v.book.Past()...)
	}
	runtime.GC()
	runtime.GC()
	alive := 0
	for _, w := range all {
		if w.Value() != nil {
			alive++
		}
	}
	if alive > remembered {
		t.Errorf("%d of %d directories are in memory still", alive, len(all))
	}
	if len(v.book.Directory().diffs) > maxDifferences {
		t.Errorf("%d differences are remembered", len(v.book.Directory().diffs))
	}
}
