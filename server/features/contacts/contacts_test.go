package contacts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

type everybody struct{}

// Lookup implements server.Accounts: everybody has an account.
func (everybody) Lookup(context.Context, jid.Bare) (int64, bool, error) { return 1, true, nil }

// fifty is a store of rosters with that many items.
type fifty struct{}

// LoadRoster implements roster.Store.
func (fifty) LoadRoster(context.Context, jid.Bare) (roster.Contents, error) {
	c := roster.Contents{Epoch: 1790000000, Version: 50}
	for i := range 50 {
		c.Items = append(c.Items, roster.Item{
			Contact: jid.Bare(fmt.Sprintf("colleague%02d@example.org", i)), Name: fmt.Sprintf("Colleague the %dth", i),
			Groups: []string{"Colleagues"}, State: roster.Both, Version: uint32(i + 1),
		})
	}
	return c, nil
}

// SaveRoster implements roster.Store; nothing is changed here.
func (fifty) SaveRoster(context.Context, jid.Bare, roster.Update) error { panic("not called") }

// nowhere is a connection that takes everything.
type nowhere struct{}

// Write implements server.Transport.
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) Close() error                { return nil }
func (nowhere) Abort()                      {}
func (nowhere) HangUp(*stream.Fault)        {}

type hidden struct{}

// Show implements Presence.
func (hidden) Show(_, _ jid.Bare) {}

// Hide implements Presence.
func (hidden) Hide(_, _ jid.Bare) {}

// Refresh implements Presence.
func (hidden) Refresh(*server.Session, []jid.Bare) {}

// BenchmarkRosterGet is a roster of 50 items, from the bytes of the request to
// those of the result in the outbox.
func BenchmarkRosterGet(b *testing.B) {
	f := New(roster.NewBook(fifty{}, roster.Config{}), hidden{})
	srv := server.New(b.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 64 << 20},
		Accounts: everybody{}, Features: []server.Feature{f},
	})
	s, err := srv.Bind(b.Context(), server.NewAccount("ada@x", 1), "desk", nowhere{})
	if err != nil {
		b.Fatal(err)
	}
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	b.ReportAllocs()
	for b.Loop() {
		sc.Filled(copy(sc.Space(), "<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>"))
		st, err := sc.Next()
		if err == nil {
			err = srv.Handle(b.Context(), s, st)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func parse(t testing.TB, raw string) *stanza.Element {
	t.Helper()
	e, err := stanza.Parse([]byte(raw), stanza.NSClient, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestParseSet(t *testing.T) {
	const open, end = "<query xmlns='jabber:iq:roster'>", "</query>"
	for inside, want := range map[string]*stanza.Error{
		"":                                      stanza.ErrBadRequest,
		"<item/>":                               stanza.ErrBadRequest,
		"<item jid=''/>":                        stanza.ErrMalformedJID,
		"<item jid='a@b/c'/>":                   stanza.ErrBadRequest,
		"<item jid='a@b'/><item jid='a@b'/>":    stanza.ErrBadRequest,
		"<item xmlns='urn:other' jid='a@b'/>":   stanza.ErrBadRequest,
		"<item jid='a@@b'/>":                    stanza.ErrMalformedJID,
		"<item jid='a@b'/><x xmlns='urn:y'/>":   nil,
		"<item jid='b' subscription='remove'/>": nil,
	} {
		_, remove, err := parseSet(parse(t, open+inside+end))
		if want == nil && err != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, not %v", inside, err, want)
		}
		if remove != strings.Contains(inside, "remove") {
			t.Errorf("%s: remove is %v", inside, remove)
		}
	}
	e, _, err := parseSet(parse(t, open+"<item jid='Ada@X' name='a &amp; b' subscription='both'><group>1</group><group xmlns='urn:z'>2</group><group/></item>"+end))
	if err != nil || e.Contact != "ada@x" || e.Name != "a & b" || !slices.Equal(e.Groups, []string{"1", ""}) {
		t.Errorf("%+v, %v", e, err)
	}
}

// What a client sets is what it gets: an item that passes the checks comes back
// as the same item.
func FuzzRosterSet(f *testing.F) {
	f.Add("bob@x", "Bob", "Work", "Play & <fun>")
	f.Add("BOB@x", "'\"", "\u00e9", "")
	f.Fuzz(func(t *testing.T, address, name, g1, g2 string) {
		raw := stanza.AppendAttr([]byte("<query xmlns='jabber:iq:roster'><item"), "jid", address)
		raw = append(stanza.AppendAttr(raw, "name", name), '>')
		raw = append(stanza.AppendText(append(raw, "<group>"...), g1), "</group>"...)
		raw = append(stanza.AppendText(append(raw, "<group>"...), g2), "</group></item></query>"...)
		e, _, err := parseSet(parse(t, string(raw)))
		if err != nil || (roster.Config{}).Check("ada@x", e) != nil {
			return
		}
		it := roster.Item{Contact: e.Contact, Name: e.Name, Groups: e.Groups}
		out := append(appendItem([]byte("<query xmlns='jabber:iq:roster'>"), &it), "</query>"...)
		again, _, err := parseSet(parse(t, string(out)))
		if err != nil || again.Contact != e.Contact || again.Name != e.Name || !slices.Equal(again.Groups, e.Groups) {
			t.Errorf("%s\nbecomes %+v, %v\nnot %+v", out, again, err, e)
		}
	})
}

// memory is a store that a test can look into.
type memory map[jid.Bare]*roster.Contents

// LoadRoster implements roster.Store.
func (m memory) LoadRoster(_ context.Context, owner jid.Bare) (roster.Contents, error) {
	c := m[owner]
	if c == nil {
		return roster.Contents{}, roster.ErrNoAccount
	}
	return roster.Contents{Epoch: 1, Version: c.Version, Items: slices.Clone(c.Items)}, nil
}

// SaveRoster implements roster.Store.
func (m memory) SaveRoster(_ context.Context, owner jid.Bare, u roster.Update) error {
	c := m[owner]
	c.Version = u.After
	c.Items = slices.DeleteFunc(c.Items, func(it roster.Item) bool { return it.Contact == u.Contact })
	if u.Item != nil {
		c.Items = append(c.Items, *u.Item)
	}
	return nil
}

// When an account is removed its contacts are told, as if it had removed each of
// them; nothing of it stays in memory.
func TestRemoved(t *testing.T) {
	m := memory{
		"ada@x": {Items: []roster.Item{
			{Contact: "bob@x", State: roster.Both}, {Contact: "carol@x", State: roster.PendingIn, Hidden: true, Request: []byte("<presence/>")},
		}},
		"bob@x":   {Items: []roster.Item{{Contact: "ada@x", State: roster.Both}}},
		"carol@x": {Items: []roster.Item{{Contact: "ada@x", State: roster.PendingOut}}},
	}
	book := roster.NewBook(m, roster.Config{})
	srv := server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 1 << 20},
		Accounts: everybody{}, Features: []server.Feature{New(book, hidden{})},
	})
	if _, err := book.Of(t.Context(), "ada@x"); err != nil {
		t.Fatal(err)
	}
	delete(m, "ada@x")
	srv.Removed("ada@x", 1)
	for _, who := range []jid.Bare{"bob@x", "carol@x"} {
		r, err := book.Of(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		if s := r.State("ada@x"); s != roster.None {
			t.Errorf("%s still has %q with an account that is no more", who, s)
		}
	}
	if _, err := book.Of(t.Context(), "ada@x"); !errors.Is(err, roster.ErrNoAccount) {
		t.Errorf("the roster is still there: %v", err)
	}
}
