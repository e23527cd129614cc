package contacts

import (
	"context"
	"strings"
	"testing"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// pushed is where the pushes of a test write themselves down.
type pushed struct{ names string }

func (p *pushed) change(contact jid.Bare) func() {
	return func() { p.names += string(contact) }
}

func (p *pushed) changes(turns []*turn) string {
	p.names = ""
	for _, t := range turns {
		t.push()
		p.names += strings.Repeat("!", len(t.after)) + " "
	}
	return p.names
}

func TestLine(t *testing.T) {
	var l line
	var p pushed
	if l.queue("ada@x", p.change("a@x")) || l.answer("ada@x", func() {}) {
		t.Error("something waits for nothing")
	}
	one := l.hold("ada@x", p.change("b@x"))
	if l.queue("eve@x", p.change("c@x")) {
		t.Error("somebody else's push waits")
	}
	if !l.answer("ada@x", func() {}) || !l.queue("ada@x", p.change("d@x")) {
		t.Error("overtaken")
	}
	two := l.hold("ada@x", func() {})
	if !l.queue("ada@x", p.change("e@x")) {
		t.Error("overtaken")
	}
	if got := p.changes(l.free("ada@x", two)); got != "" {
		t.Errorf("sent out of turn: %s", got)
	}
	if got := p.changes(l.free("ada@x", one)); got != "b@x! d@x  e@x " {
		t.Errorf("got %q", got)
	}
	if l.queue("ada@x", p.change("f@x")) || len(l.waiting) != 0 {
		t.Error("the line does not end")
	}
}

// paper is a store that remembers nothing: rosters are in memory.
type paper struct{}

// LoadRoster implements roster.Store.
func (paper) LoadRoster(context.Context, jid.Bare) (roster.Contents, error) {
	return roster.Contents{Epoch: 1790000000}, nil
}

// SaveRoster implements roster.Store.
func (paper) SaveRoster(context.Context, jid.Bare, roster.Update) error { return nil }

// witness looks at what a sender had been sent when its stanza arrived.
type witness struct{ saw map[string]uint32 }

// Info implements server.Feature.
func (*witness) Info() server.Info { return server.Info{Name: "witness"} }

// Register implements server.Feature.
func (w *witness) Register(r *server.Registry) {
	r.On(stanza.Presence, server.Arriving, server.Guard, func(p *server.Packet) error {
		for _, s := range r.Server().Connected(p.From.Bare()).Sessions() {
			w.saw[string(p.Stanza.Type)] = s.Sent()
		}
		return nil
	})
}

// RFC 6121 §3.1.2, §3.1.5, §3.2.2, §3.3.2: the contact gets the stanza, and then
// the sender's own clients get the push.
func TestStanzaBeforePush(t *testing.T) {
	w := &witness{saw: map[string]uint32{}}
	srv := server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 1 << 20},
		Accounts: everybody{}, Features: []server.Feature{New(roster.NewBook(paper{}, roster.Config{}), hidden{}), w},
	})
	people := map[jid.Bare]*server.Session{}
	for _, who := range []jid.Bare{"ada@x", "bob@x"} {
		s, err := srv.Bind(t.Context(), server.NewAccount(who, 1), "desk", nowhere{})
		if err != nil {
			t.Fatal(err)
		}
		people[who] = s
		says(t, srv, s, "<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>")
	}
	for _, step := range []struct{ from, to jid.Bare }{{"ada@x", "bob@x"}, {"bob@x", "ada@x"}} {
		s := people[step.from]
		for _, typ := range []string{"subscribe", "subscribed", "unsubscribe", "unsubscribed"} {
			// Somebody has to have asked for what is approved and cancelled.
			if typ == "subscribed" {
				says(t, srv, people[step.to], "<presence type='subscribe' to='"+string(step.from)+"'/>")
			}
			before := s.Sent()
			says(t, srv, s, "<presence type='"+typ+"' to='"+string(step.to)+"'/>")
			if saw, ok := w.saw[typ]; !ok || saw != before {
				t.Errorf("%s: the push came before %s arrived (%d, then %d; %v)", step.from, typ, before, saw, ok)
			}
			if n := s.Sent(); n <= before {
				t.Errorf("%s: %s had no push", step.from, typ)
			}
			delete(w.saw, typ)
		}
	}
}

// says has a session's client send something.
func says(t *testing.T, srv *server.Server, s *server.Session, raw string) {
	t.Helper()
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	sc.Filled(copy(sc.Space(), raw))
	st, err := sc.Next()
	if err == nil {
		err = srv.Handle(t.Context(), s, st)
	}
	if err != nil {
		t.Fatal(err)
	}
}
