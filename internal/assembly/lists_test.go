package assembly_test

import (
	"context"
	"fmt"
	"testing"

	"rollcall/roster"
	domain "rollcall/roster/privacy"
	"rollcall/server"
	"rollcall/server/features/privacy"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// drain is a connection that takes everything.
type drain struct{}

// Write implements server.Transport.
func (drain) Write(b []byte) (int, error) { return len(b), nil }
func (drain) Close() error                { return nil }
func (drain) Abort()                      {}
func (drain) HangUp(*stream.Fault)        {}

type everybody struct{}

// Lookup implements server.Accounts: everybody has an account.
func (everybody) Lookup(context.Context, jid.Bare) (int64, bool, error) { return 1, true, nil }

// strangers is a store of rosters without anybody in them.
type strangers struct{}

// LoadRoster implements roster.Store.
func (strangers) LoadRoster(context.Context, jid.Bare) (roster.Contents, error) {
	return roster.Contents{Epoch: 1}, nil
}

// SaveRoster implements roster.Store; nothing is changed here.
func (strangers) SaveRoster(context.Context, jid.Bare, roster.Update) error { panic("not called") }

// pests is a store in which everybody has blocked so many.
type pests int

// LoadLists implements privacy.Store.
func (n pests) LoadLists(context.Context, jid.Bare) (domain.Contents, error) {
	if n == 0 {
		return domain.Contents{}, nil
	}
	var items []domain.Item
	for i := range int(n) {
		items = append(items, domain.Item{Type: domain.JID, Value: fmt.Sprintf("pest%d@x", i), Action: domain.Deny, Order: uint32(i)})
	}
	return domain.Contents{Version: 1, Default: "l", Lists: []*domain.List{domain.NewList("l", items)}}, nil
}

// SaveLists implements privacy.Store; nothing is changed here.
func (pests) SaveLists(context.Context, jid.Bare, domain.Update) error { panic("not called") }

// nobodySees is presence that nobody sees.
type nobodySees struct{}

// Follow implements privacy.Presence.
func (nobodySees) Follow(_ *server.Account, _ *roster.Roster, change func()) { change() }

const chat = `<message to='bob@x' type='chat' id='m12345'><body>0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789</body></message>`

// chatter returns a call that takes one message from ada's bytes to bob's outbox,
// each of whom has a default list with so many items.
func chatter(t testing.TB, items int) func() {
	rosters := roster.NewBook(strangers{}, roster.Config{})
	filters := privacy.New(domain.NewBook(pests(items), domain.Config{}), rosters, nobodySees{})
	srv := server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 1 << 20},
		Accounts: everybody{}, Features: []server.Feature{filters},
	})
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	send := func(s *server.Session, raw string) {
		sc.Filled(copy(sc.Space(), raw))
		st, err := sc.Next()
		if err == nil {
			err = srv.Handle(t.Context(), s, st)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var ada *server.Session
	for _, who := range []jid.Bare{"bob@x", "ada@x"} {
		s, err := srv.Bind(t.Context(), server.NewAccount(who, 1), "desk", drain{})
		if err != nil {
			t.Fatal(err)
		}
		if (s.Filter() != nil) != (items > 0) {
			t.Fatalf("%s has the filter %v", who, s.Filter())
		}
		s.SetAvailability(&server.Availability{})
		ada = s
	}
	return func() { send(ada, chat) }
}

// A message makes no more garbage with lists on both sides than without.
func TestRouteAllocates(t *testing.T) {
	without := testing.AllocsPerRun(2000, chatter(t, 0))
	with := testing.AllocsPerRun(2000, chatter(t, 50))
	if with > without+0.5 { // the race detector empties pools at will
		t.Errorf("%v allocations with lists and %v without", with, without)
	}
}

// BenchmarkRoute is a chat message with and without default lists of 50 items;
// with them it may take 1.3 times as long.
func BenchmarkRoute(b *testing.B) {
	for _, items := range []int{0, 50} {
		b.Run(fmt.Sprintf("items=%d", items), func(b *testing.B) {
			send := chatter(b, items)
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
}
