package server

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// drain is a connection that takes everything.
type drain struct{ bytes atomic.Int64 }

func (d *drain) Write(b []byte) (int, error) { d.bytes.Add(int64(len(b))); return len(b), nil }
func (*drain) Close() error                  { return nil }
func (*drain) Abort()                        {}
func (*drain) HangUp(*stream.Fault)          {}

type everybody struct{}

func (everybody) Lookup(context.Context, jid.Bare) (int64, bool, error) { return 1, true, nil }

func testServer() *Server {
	return New(context.Background(), Options{
		Config:   Config{Domains: []Domain{{Name: "x"}}, OutboxBytes: 1 << 20},
		Accounts: everybody{},
	})
}

// online binds a session that is available.
func online(t testing.TB, srv *Server, address string) (*Session, *drain) {
	j := jid.MustParse(address)
	d := &drain{}
	s, err := srv.Bind(context.Background(), NewAccount(j.Bare(), 1), j.Resource(), d)
	if err != nil {
		t.Fatal(err)
	}
	s.SetAvailability(&Availability{})
	return s, d
}

const chat = `<message to='bob@x' type='chat' id='m12345'><body>0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789</body></message>`

// chatter returns a call that takes one message from ada's bytes to bob's outbox.
func chatter(t testing.TB) func() {
	srv := testServer()
	ada, _ := online(t, srv, "ada@x/desk")
	online(t, srv, "bob@x/home")
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	ctx := context.Background()
	return func() {
		sc.Filled(copy(sc.Space(), chat))
		st, err := sc.Next()
		if err == nil {
			err = srv.Handle(ctx, ada, st)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The way of a message from the sender's bytes to the receiver's outbox makes
// no garbage but the goroutine that writes it out.
func TestRouteAllocates(t *testing.T) {
	send := chatter(t)
	if n := testing.AllocsPerRun(2000, send); n > garbage {
		t.Errorf("%v allocations for a message", n)
	}
}

func BenchmarkRoute(b *testing.B) {
	send := chatter(b)
	b.SetBytes(int64(len(chat)))
	b.ReportAllocs()
	for b.Loop() {
		send()
	}
}

func BenchmarkDeliver200(b *testing.B) {
	srv := testServer()
	var all []*Session
	for i := range 200 {
		s, _ := online(b, srv, fmt.Sprintf("user%d@x/desk", i))
		all = append(all, s)
	}
	head, tail := []byte("<presence from='ada@x/desk'><show>away</show><status>back in an hour</status"), []byte("></presence>")
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range all {
			s.Deliver(Delivery{Kind: stanza.Presence, Class: Status, From: "ada@x/desk"}, head, s.Account.Attr(), tail)
		}
	}
}
