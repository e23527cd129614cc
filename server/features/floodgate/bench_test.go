package floodgate

import (
	"context"
	"fmt"
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

// colleagues is a store in which everybody has so many contacts.
type colleagues int

// LoadRoster implements roster.Store.
func (n colleagues) LoadRoster(context.Context, jid.Bare) (roster.Contents, error) {
	c := roster.Contents{Epoch: 1, Version: 1}
	for i := range int(n) {
		c.Items = append(c.Items, roster.Item{Contact: colleague(i), State: roster.Both, Version: 1})
	}
	return c, nil
}

// SaveRoster implements roster.Store; nothing is changed here.
func (colleagues) SaveRoster(context.Context, jid.Bare, roster.Update) error { panic("not called") }

func colleague(i int) jid.Bare { return jid.Bare(fmt.Sprintf("colleague%04d@x", i)) }

// nowhere is a connection that takes everything.
type nowhere struct{}

// Write implements server.Transport.
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) Close() error                { return nil }
func (nowhere) Abort()                      {}
func (nowhere) HangUp(*stream.Fault)        {}

// house is a server with the feature, and a session of ada's.
func house(t testing.TB, c Config, contacts int) (*Feature, *server.Server, *server.Session) {
	t.Helper()
	f := New(roster.NewBook(colleagues(contacts), roster.Config{}), c, []jid.Bare{"admin@x"})
	srv := server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 64 << 20},
		Accounts: everybody{}, Features: []server.Feature{f},
	})
	return f, srv, bind(t, srv, "ada@x")
}

func bind(t testing.TB, srv *server.Server, who jid.Bare) *server.Session {
	t.Helper()
	s, err := srv.Bind(t.Context(), server.NewAccount(who, 1), "desk", nowhere{})
	if err != nil {
		t.Fatal(err)
	}
	s.SetAvailability(&server.Availability{})
	return s
}

// message is one that a session sends to somebody.
func message(t testing.TB, s *server.Session, to jid.Bare) *server.Packet {
	t.Helper()
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	st, err := sc.Whole([]byte("<message to='" + string(to) + "' type='chat'><body>hi</body></message>"))
	if err != nil {
		t.Fatal(err)
	}
	return &server.Packet{Stanza: st, From: s.JID, To: to.With(""), Sender: s, Account: s.Account}
}

// plenty is a configuration in which everything is limited and nothing is
// refused.
var plenty = Config{
	MessagesPerMinute: 1e9, AddressesPerHour: 1e9, SubscriptionsPerHour: 1e9, RequestsPerMinute: 1e9, PresencePerMinute: 1e9,
	ContactMessagesPerMinute: 1e9, ReceivedPerMinute: 1e9, RefusalsPerMinute: 1e9,
}

// usual is what default.toml has, in kind.
var usual = Config{
	MessagesPerMinute: 1e9, AddressesPerHour: 1e9, SubscriptionsPerHour: 1e9, RequestsPerMinute: 1e9, PresencePerMinute: 1e9, RefusalsPerMinute: 1e9,
}

// ways are the ways of a message.
var ways = []struct {
	name string
	cfg  Config
	to   []jid.Bare
}{
	{"off", Config{}, []jid.Bare{"stranger@x"}},
	{"contact", usual, []jid.Bare{colleague(7)}},
	{"contacts in turn", usual, []jid.Bare{colleague(7), colleague(150), colleague(42)}},
	{"stranger", usual, []jid.Bare{"stranger@x"}},
	{"strangers in turn", usual, []jid.Bare{"stranger@x", "other@x", "third@x"}},
	{"contact, all limits", plenty, []jid.Bare{colleague(7)}},
	{"stranger, all limits", plenty, []jid.Bare{"stranger@x"}},
}

// What a message costs more, by whom it is for. There are 200 contacts.
func BenchmarkMessage(b *testing.B) {
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			f, _, s := house(b, w.cfg, 200)
			var all []*server.Packet
			for _, to := range w.to {
				all = append(all, message(b, s, to))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := f.message(all[i%len(all)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// No message makes garbage, whomever it is for.
func TestAllocates(t *testing.T) {
	for _, w := range ways {
		f, _, s := house(t, w.cfg, 200)
		var all []*server.Packet
		for _, to := range w.to {
			all = append(all, message(t, s, to))
		}
		if n := testing.AllocsPerRun(1000, func() {
			for _, p := range all {
				if err := f.message(p); err != nil {
					t.Fatal(err)
				}
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", w.name, n)
		}
	}
}
