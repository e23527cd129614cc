package availability

import (
	"sync"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// maxDirected bounds to how many a session can direct presence.
const maxDirected = 1000

// ledger knows to whom sessions have directed presence (RFC 6121 §4.6.1). Most
// never do so.
type ledger struct{ pages sync.Map } // *server.Session -> *page

// page is one session's list. Its own goroutine writes it, and so does that of
// somebody who sends it unavailable presence.
type page struct {
	mu sync.Mutex
	to map[jid.JID]struct{}
}

var errDirected = stanza.Refuse(stanza.ErrResourceConstraint, "presence is directed to more than %d addresses already", maxDirected)

// add notes that available presence goes to somebody in particular (RFC 6121
// §4.6.3, rules 2 and 3). Whether that is a subscriber is asked when the session
// becomes unavailable.
func (l *ledger) add(p *server.Packet) error {
	if p.To.Bare() == p.Sender.Account.JID {
		return nil
	}
	v, ok := l.pages.Load(p.Sender)
	if !ok {
		v, _ = l.pages.LoadOrStore(p.Sender, &page{to: map[jid.JID]struct{}{}})
	}
	pg := v.(*page)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	if _, known := pg.to[p.To]; !known && len(pg.to) >= maxDirected {
		return errDirected
	}
	pg.to[p.To] = struct{}{}
	return nil
}

// remove notes that unavailable presence has gone to somebody, or come from
// there.
func (l *ledger) remove(s *server.Session, peer jid.JID) {
	if v, ok := l.pages.Load(s); ok {
		pg := v.(*page)
		pg.mu.Lock()
		defer pg.mu.Unlock()
		delete(pg.to, peer)
	}
}

// has reports whether a session has directed presence to an address, or to the
// bare address that it belongs to.
func (l *ledger) has(s *server.Session, peer jid.JID) bool {
	v, ok := l.pages.Load(s)
	if !ok {
		return false
	}
	pg := v.(*page)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	if _, ok = pg.to[peer]; !ok {
		_, ok = pg.to[peer.Bare().With("")]
	}
	return ok
}

// list returns to whom a session has directed presence.
func (l *ledger) list(s *server.Session) []jid.JID {
	v, ok := l.pages.Load(s)
	if !ok {
		return nil
	}
	pg := v.(*page)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	all := make([]jid.JID, 0, len(pg.to))
	for j := range pg.to {
		all = append(all, j)
	}
	return all
}

// at calls h for each session that has directed presence to another.
func (l *ledger) at(to *server.Session, h func(*server.Session)) {
	l.pages.Range(func(k, _ any) bool {
		if s := k.(*server.Session); l.has(s, to.JID) {
			h(s)
		}
		return true
	})
}

// forget drops a session's list.
func (l *ledger) forget(s *server.Session) { l.pages.Delete(s) }

// dismiss sends the presence with which a session becomes unavailable to those
// it has directed presence to. The subscribers of told have it already.
func (f *Feature) dismiss(s *server.Session, told *roster.Roster, n note) {
	for _, to := range f.directed.list(s) {
		if told.State(to.Bare()).Has(roster.From) || !f.showed(s, to) {
			continue
		}
		raw := append(append([]byte(nil), n.head...), stanza.Escape(to.String())...)
		f.post(append(raw, n.tail...))
	}
}

// arrive strikes somebody off the lists who is not there any more (RFC 6121
// §4.6.1).
func (f *Feature) arrive(p *server.Packet) error {
	if p.Annex != nil {
		f.sighted.note(p)
	}
	if p.Stanza.IsType("unavailable") {
		for _, s := range p.Account.Sessions() {
			if p.Gets(s) {
				f.directed.remove(s, p.From)
			}
		}
	}
	return nil
}

// post routes a stanza that nobody waits for an answer to.
func (f *Feature) post(raw []byte) {
	if err := f.srv.Post(f.srv.Context(), nil, raw); err != nil {
		f.srv.Log().Error("a presence could not be sent", "err", err)
	}
}
