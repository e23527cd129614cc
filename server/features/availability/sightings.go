package availability

import (
	"sync"

	"rollcall/server"
	"rollcall/xmpp/jid"
)

// maxSightings bounds how many addresses at annexes a session is known to take
// for available. Those over it are shown to it all the same, and are not taken
// back when their service goes without a word.
const maxSightings = 50_000

// sightings knows which addresses at annexes a session takes for available. Most
// see none. The zero value is ready.
type sightings struct{ pages sync.Map } // *server.Session -> *sighted

// sighted is what one session sees.
type sighted struct {
	mu  sync.Mutex
	all map[jid.JID]struct{}
}

// note notes what a presence from an annex says of its sender to those who get
// it.
func (g *sightings) note(p *server.Packet) {
	there := len(p.Stanza.Type) == 0
	if !there && !p.Stanza.IsType("unavailable") {
		return
	}
	for _, s := range p.Account.Sessions() {
		if p.Gets(s) {
			g.put(s, p.From, there)
			if p.Account.Session(s.JID.Resource()) != s {
				g.forget(s) // it has ended meanwhile, and been forgotten before
			}
		}
	}
}

func (g *sightings) put(s *server.Session, j jid.JID, there bool) {
	v, ok := g.pages.Load(s)
	if !ok {
		if !there {
			return
		}
		v, _ = g.pages.LoadOrStore(s, &sighted{all: map[jid.JID]struct{}{}})
	}
	pg := v.(*sighted)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	switch {
	case !there:
		delete(pg.all, j)
	case len(pg.all) < maxSightings:
		pg.all[j] = struct{}{}
	}
}

// take returns what a session sees that is meant, and forgets it.
func (g *sightings) take(s *server.Session, meant func(jid.JID) bool) (all []jid.JID) {
	v, ok := g.pages.Load(s)
	if !ok {
		return nil
	}
	pg := v.(*sighted)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	for j := range pg.all {
		if meant(j) {
			all = append(all, j)
			delete(pg.all, j)
		}
	}
	return all
}

// each calls h for each session that sees somebody.
func (g *sightings) each(h func(*server.Session)) {
	g.pages.Range(func(k, _ any) bool { h(k.(*server.Session)); return true })
}

// forget forgets all that a session sees, which is not available any more.
func (g *sightings) forget(s *server.Session) { g.pages.Delete(s) }
