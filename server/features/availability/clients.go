package availability

import (
	"time"

	"rollcall/presence"
	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// clientStates are what the shows of clients are called among other states
// (RFC 6121 §4.7.2.1).
var clientStates = map[string]string{"": "available", "chat": "available", "away": "idle", "xa": "long_idle", "dnd": "dnd"}

// clientTerm is how long a client's word is good for. Its stream says when it ends;
// until then it is renewed in time.
const (
	clientTerm  = 26 * time.Hour
	clientRenew = 12 * time.Hour
)

// source names a session among the sources that know something of a person.
func source(s *server.Session) string { return "client/" + s.JID.Resource() }

// Carried has clients that people carry be told from others, as far as that is known. It
// is to be called before the feature is used. Whoever learns of a client calls
// [Feature.Learned].
func (f *Feature) Carried(is func(*server.Session) bool) { f.carried = is }

// Learned takes up that something else is known of a client than before. It runs on the
// goroutine that reads the stream.
func (f *Feature) Learned(s *server.Session) {
	if a := s.Availability(); a != nil && f.merged != nil {
		f.sayAgain(s, a)
	}
}

// saying is what a client says of a person.
func (f *Feature) saying(s *server.Session, st *stanza.Stanza, a *server.Availability) presence.Contribution {
	c := presence.Contribution{
		Source: source(s), Axis: presence.Willingness, State: clientStates[a.Show], Channels: presence.Chat,
		Facets: presence.Facets{Text: ownWords(st), Priority: a.Priority, Idle: idleSince(st)},
		Since:  a.Since, Expires: time.Now().Add(clientTerm),
	}
	if f.carried != nil && f.carried(s) {
		c.Channels |= presence.Mobile
		if c.State == presence.Available {
			c.State = mobile
		}
	}
	return c
}

// mobile is the state of somebody who is there with a client that they carry.
const mobile = "available_mobile"

// report tells all who merge what a client has said.
func (f *Feature) report(s *server.Session, said presence.Contribution) {
	if f.merged != nil {
		f.tellMerged(s, said)
	}
}

// unreport says that a client is not there any more.
func (f *Feature) unreport(s *server.Session) {
	if f.merged != nil {
		f.tellMerged(s)
	}
}

func (f *Feature) tellMerged(s *server.Session, all ...presence.Contribution) {
	if err := f.merged.Report(s.Account.JID, presence.Person, source(s), all...); err != nil {
		f.srv.Log().Error("what a client says was not merged", "jid", s.JID, "err", err)
	}
}

// renew says again what clients say, before it runs out.
func (f *Feature) renew() {
	f.srv.EachSession(func(s *server.Session) {
		if a := s.Availability(); a != nil {
			f.sayAgain(s, a)
		}
	})
}

// sayAgain tells all who merge what a client has said before.
func (f *Feature) sayAgain(s *server.Session, a *server.Availability) {
	st, err := server.Whole(append(append(append([]byte(nil), a.Head...), s.Bare()...), a.Tail...))
	if err != nil {
		return
	}
	f.report(s, f.saying(s, st, a))
	if s.Availability() == nil { // it has left meanwhile, and said so before
		f.unreport(s)
	}
}

// idleSince returns since when nobody has touched a client (XEP-0319 §3); zero if
// it does not say.
func idleSince(st *stanza.Stanza) time.Time {
	c := st.Child(nsIdle, "idle")
	if c == nil {
		return time.Time{}
	}
	e, err := stanza.Parse(st.Bytes(c.At), stanza.NSClient, st.Prefixes)
	if err != nil {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, e.Attr("since"))
	if err != nil {
		return time.Time{}
	}
	return at
}
