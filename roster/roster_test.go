package roster

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"rollcall/xmpp/jid"
)

func fifty() Contents {
	c := Contents{Epoch: 1, Version: 50}
	for i := range 50 {
		c.Items = append(c.Items, Item{
			Contact: jid.Bare(fmt.Sprintf("colleague%02d@example.org", (i*7)%50)),
			Name:    fmt.Sprintf("Colleague %d", i),
			Groups:  [][]string{{"Friends"}, {"Work", "Lunch"}, nil}[i%3],
			State:   []State{Both, To, From, PendingOut, None}[i%5],
			Version: uint32(i + 1),
		})
	}
	return c
}

func TestLookup(t *testing.T) {
	c := fifty()
	want := slices.Clone(c.Items)
	r := New(c)
	if r.Len() != 50 {
		t.Fatalf("%d items", r.Len())
	}
	for _, it := range want {
		got, ok := r.Lookup(it.Contact)
		if !ok || got.Name != it.Name || !slices.Equal(got.Groups, it.Groups) || got.State != it.State || got.Version != it.Version {
			t.Errorf("%+v comes back as %+v, %v", it, got, ok)
		}
		if r.State(it.Contact) != it.State {
			t.Errorf("the state of %s is %s", it.Contact, r.State(it.Contact))
		}
	}
	for _, stranger := range []jid.Bare{"", "a@x", "colleague@example.org", "z@z"} {
		if it, ok := r.Lookup(stranger); ok || r.State(stranger) != None {
			t.Errorf("%q is known as %+v", stranger, it)
		}
	}
	var order []jid.Bare
	for it := range r.Items() {
		order = append(order, it.Contact)
	}
	if !slices.IsSorted(order) || len(order) != 50 {
		t.Errorf("the order is %v", order)
	}
}

func TestZeroRoster(t *testing.T) {
	var r Roster
	if _, ok := r.Lookup("a@x"); ok || r.Len() != 0 || len(slices.Collect(r.Subscribers())) != 0 {
		t.Error("the zero roster knows somebody")
	}
	for range r.Items() {
		t.Error("the zero roster has an item")
	}
}

func TestWhoSeesWhom(t *testing.T) {
	r := New(Contents{Items: []Item{
		{Contact: "both@x", State: Both}, {Contact: "to@x", State: To}, {Contact: "from@x", State: From | PendingOut},
		{Contact: "none@x", State: PendingOut}, {Contact: "waits@x", State: PendingIn, Hidden: true, Request: []byte("<r/>")},
	}})
	for what, c := range map[string]struct{ got, want []jid.Bare }{
		"subscribers":   {slices.Collect(r.Subscribers()), []jid.Bare{"both@x", "from@x"}},
		"subscriptions": {slices.Collect(r.Subscriptions()), []jid.Bare{"both@x", "to@x"}},
		"asked":         {slices.Collect(r.Asked()), []jid.Bare{"from@x", "none@x"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s are %v, not %v", what, c.got, c.want)
		}
	}
	if r.Len() != 4 {
		t.Errorf("clients see %d items", r.Len())
	}
}

// RFC 6121 §2.6.3.
func TestSince(t *testing.T) {
	ctx := t.Context()
	b := NewBook(newStore("ada@x"), Config{MaxTombstones: 2})
	ver := func() string { return mustOf(t, b, "ada@x").Version() }
	set := func(c jid.Bare, name string) {
		t.Helper()
		if _, err := b.Set(ctx, "ada@x", Edit{Contact: c, Name: name}, nil); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(c jid.Bare) {
		t.Helper()
		if _, err := b.Remove(ctx, "ada@x", c, nil); err != nil {
			t.Fatal(err)
		}
	}
	since := func(ver, want string) {
		t.Helper()
		changes, ok := mustOf(t, b, "ada@x").Since(ver)
		var got []string
		for _, c := range changes {
			mark := "+"
			if c.Removed {
				mark = "-"
			}
			got = append(got, mark+string(c.Item.Contact)+" "+c.Item.Name)
		}
		if !ok {
			got = []string{"all"}
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("since %s: %q, not %q", ver, s, want)
		}
		if n := len(changes); n > 0 && changes[n-1].Version != mustOf(t, b, "ada@x").Version() {
			t.Errorf("the last change has version %s, the roster %s", changes[n-1].Version, mustOf(t, b, "ada@x").Version())
		}
	}
	empty := ver()
	since(empty, "")
	set("a@x", "1")
	set("b@x", "1")
	v2 := ver()
	set("a@x", "2")
	set("a@x", "3") // condensed: only the last counts
	remove("b@x")
	since(v2, "+a@x 3; -b@x ")
	since(empty, "+a@x 3; -b@x ")
	since(ver(), "")
	set("b@x", "back")
	since(v2, "+a@x 3; +b@x back")
	v6 := ver()
	remove("b@x")
	set("c@x", "")
	remove("c@x")
	since(v6, "-b@x ; -c@x ")
	set("d@x", "")
	remove("d@x")    // the third tombstone: the oldest is forgotten
	since(v6, "all") // b@x's removal is not known any more
	for _, unknown := range []string{"", "ver14", "1-", "-1", "2-1", "1-zz", "1--1", "1-1-1"} {
		since(unknown, "all")
	}
}

// Pending requests are no roster modification; asking and approving are.
func TestVersionOfEvents(t *testing.T) {
	ctx := t.Context()
	b := NewBook(newStore("ada@x"), Config{})
	for _, c := range []struct {
		what  string
		apply func() (Result, error)
		push  bool
	}{
		{"asked by a stranger", func() (Result, error) { return b.Inbound(ctx, "ada@x", "b@x", Subscribe, nil, nil) }, false},
		{"asking", func() (Result, error) { return b.Outbound(ctx, "ada@x", "b@x", Subscribe, nil) }, true},
		{"asking again", func() (Result, error) { return b.Outbound(ctx, "ada@x", "b@x", Subscribe, nil) }, false},
		{"approving", func() (Result, error) { return b.Outbound(ctx, "ada@x", "b@x", Subscribed, nil) }, true},
		{"approved", func() (Result, error) { return b.Inbound(ctx, "ada@x", "b@x", Subscribed, nil, nil) }, true},
		{"approved again", func() (Result, error) { return b.Inbound(ctx, "ada@x", "b@x", Subscribed, nil, nil) }, false},
		{"left", func() (Result, error) { return b.Inbound(ctx, "ada@x", "b@x", Unsubscribe, nil, nil) }, true},
		{"asked by a contact", func() (Result, error) { return b.Inbound(ctx, "ada@x", "b@x", Subscribe, []byte("x"), nil) }, false},
		{"refusing", func() (Result, error) { return b.Outbound(ctx, "ada@x", "b@x", Unsubscribed, nil) }, false},
	} {
		before := mustOf(t, b, "ada@x").Version()
		res, err := c.apply()
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if moved := mustOf(t, b, "ada@x").Version() != before; (res.Push != nil) != c.push || moved != c.push {
			t.Errorf("%s: push %v, version moved %v", c.what, res.Push, moved)
		}
	}
	wantRoster(t, mustOf(t, b, "ada@x"), `b@x "" [] To`)
}

// What a roster takes in memory is what thousands of idle sessions cost.
func TestRosterIsSmall(t *testing.T) {
	const copies = 2000
	rosters := make([]*Roster, copies)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range rosters {
		rosters[i] = New(fifty())
	}
	each := (heap() - before) / copies
	runtime.KeepAlive(rosters)
	if each > 4<<10 {
		t.Errorf("a roster of 50 takes %d bytes", each)
	}
	t.Logf("a roster of 50 takes %d bytes", each)
}

func TestReadingDoesNotAllocate(t *testing.T) {
	b := NewBook(newStore("ada@x"), Config{})
	b.Set(t.Context(), "ada@x", Edit{Contact: "bob@x", Groups: []string{"a"}}, nil)
	pin, err := b.Pin(t.Context(), "ada@x")
	if err != nil {
		t.Fatal(err)
	}
	defer pin.Release()
	n := testing.AllocsPerRun(100, func() {
		r := pin.Roster()
		if it, ok := r.Lookup("bob@x"); !ok || len(it.Groups) != 1 || len(slices.Collect(r.Subscribers())) != 0 {
			t.Error("the roster is not what it was")
		}
		if _, err := b.Of(t.Context(), "ada@x"); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	c := fifty()
	for b.Loop() {
		New(c)
	}
}

func BenchmarkLookup(b *testing.B) {
	r := New(fifty())
	b.ReportAllocs()
	for b.Loop() {
		r.Lookup("colleague17@example.org")
	}
}

func BenchmarkItems(b *testing.B) {
	r := New(fifty())
	b.ReportAllocs()
	for b.Loop() {
		for it := range r.Items() {
			_ = it
		}
	}
}

func BenchmarkOf(b *testing.B) {
	book := NewBook(newStore("ada@x"), Config{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := book.Of(b.Context(), "ada@x"); err != nil {
			b.Fatal(err)
		}
	}
}
