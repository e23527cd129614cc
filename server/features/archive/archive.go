// Package archive keeps people's conversations and lets their clients look
// them up: Message Archive Management (XEP-0313) with its extended fields, pages
// (XEP-0059) of forwarded (XEP-0297) and stamped (XEP-0203) messages, ids that
// stay (XEP-0359), preferences (XEP-0441), and the hints of XEP-0334 on what is
// to be stored.
//
// What goes into an archive is decided while a message leaves its sender's
// account and while it arrives at its recipient's; the server's Keeper stores it
// once for both.
package archive

import (
	"context"
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Namespaces.
const (
	Namespace  = "urn:xmpp:mam:2"
	nsStanzaID = "urn:xmpp:sid:0"
	nsRSM      = "http://jabber.org/protocol/rsm"
)

// Contacts knows people's rosters.
type Contacts interface {
	Of(ctx context.Context, owner jid.Bare) (*roster.Roster, error)
}

// Parts are what the feature is made of.
type Parts struct {
	Store    Store
	Book     Book
	Sweeper  Sweeper
	Contacts Contacts
	IDs      *IDs
}

// Feature is the archive.
type Feature struct {
	cfg   Config // fixed
	parts Parts  // fixed
	prefs cache  // safe
	ctx   context.Context
	srv   *server.Server
}

// New makes the feature.
func New(cfg Config, parts Parts) *Feature {
	return &Feature{cfg: cfg.WithDefaults(), parts: parts}
}

// Info implements server.Feature.
func (f *Feature) Info() server.Info {
	return server.Info{
		Name:  "archive",
		Title: "History of one's conversations",
		Specs: []server.Spec{
			{ID: "XEP-0313", Note: "messages of rooms are in the rooms' archives"},
			{ID: "XEP-0059"}, {ID: "XEP-0334"}, {ID: "XEP-0359"}, {ID: "XEP-0441"},
		},
		Account: []string{Namespace, Namespace + "#extended", nsStanzaID, nsRSM},
	}
}

// Register implements server.Feature.
func (f *Feature) Register(r *server.Registry) {
	f.srv, f.ctx = r.Server(), r.Server().Context()
	for _, d := range []server.Direction{server.Leaving, server.Arriving} {
		r.On(stanza.Message, d, server.Amend, f.strip)
	}
	r.On(stanza.Message, server.Leaving, server.Record, f.leaving)
	r.On(stanza.Message, server.Arriving, server.Record, f.arriving)
	r.OnRemoved(func(a *server.Account) { f.prefs.drop(a.ID) })
	r.OnChanged(func(a *server.Account) { f.prefs.drop(a.ID) })
	for _, a := range []struct {
		set   bool
		local string
		do    server.Answerer
	}{
		{true, "query", f.query},
		{false, "query", f.form},
		{false, "metadata", f.metadata},
		{false, "prefs", f.getPrefs},
		{true, "prefs", f.setPrefs},
	} {
		// Somebody else's archive: "forbidden" would tell that the account
		// exists, so it is as if there were none (XEP-0313 §8.1 leaves the
		// choice).
		r.IQ(server.ToSelf, a.set, Namespace, a.local, a.do)
	}
}

// leaving puts a message into its sender's archive.
func (f *Feature) leaving(p *server.Packet) error {
	keep, err := f.wanted(p, p.To)
	if err != nil || !keep {
		return err
	}
	p.Keep.Sender, p.Keep.SenderID = true, p.Account.ID
	var room [idRoom]byte
	// XEP-0313 §3.4: the contact must not see it, one's other clients should.
	p.AddOwn(f.appendID(room[:0], p))
	return nil
}

// arriving puts a message into its recipient's archive.
func (f *Feature) arriving(p *server.Packet) error {
	if p.Again {
		// It is there already. Under its old id it takes its old place among
		// those that wait for the recipient.
		if id, ok := f.ownID(p); ok {
			p.Keep.ID = id
		}
		return nil
	}
	keep, err := f.wanted(p, p.From)
	if err != nil || !keep {
		return err
	}
	p.Keep.Recipient, p.Keep.OwnerID = true, p.Account.ID
	var room [idRoom]byte
	p.Add(f.appendID(room[:0], p))
	return nil
}

// wanted says whether the account keeps a message that it exchanges with peer.
// Visitors without an account have no archive.
func (f *Feature) wanted(p *server.Packet, peer jid.JID) (bool, error) {
	if p.Account.ID == 0 || !Worth(p.Stanza) {
		return false, nil
	}
	prefs, err := f.prefsOf(f.ctx, p.Account.ID)
	if err != nil {
		return false, err
	}
	switch prefs.decide(peer) {
	case always:
		return true, nil
	case byRoster:
		r, err := f.parts.Contacts.Of(f.ctx, p.Account.JID)
		if err != nil {
			return false, err
		}
		item, found := r.Lookup(peer.Bare())
		return found && !item.Hidden, nil
	}
	return false, nil
}

// Run removes what is older than the configuration allows, until ctx is done.
func (f *Feature) Run(ctx context.Context) error {
	if f.cfg.Retention <= 0 {
		<-ctx.Done()
		return nil
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		n, err := f.parts.Sweeper.Sweep(ctx, time.Now().Add(-f.cfg.Retention).UnixMicro())
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			f.srv.Log().Error("old messages could not be removed from the archive", "err", err)
		case n > 0:
			f.srv.Log().Info("old messages were removed from the archive", "messages", n)
		}
		timer.Reset(sweepEvery)
	}
}

// sweepEvery is how exact retention is.
const sweepEvery = time.Hour
