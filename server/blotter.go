package server

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall/xmpp/jid"
)

// Offence is something that was refused because it was too much, or wrong too
// often. Both texts are constants: what was refused is counted by them.
type Offence struct {
	What string     // what became of it: "a stanza was refused"
	Why  string     // by which rule: "messages to strangers"
	Peer netip.Addr // where it came from, if that is known
	JID  jid.Bare   // who did it, or said that they are; "" if nobody did
}

// OffenceCount says how often something was refused since the server was made.
type OffenceCount struct {
	What, Why string
	Times     uint64
}

// Offend writes down an offence: there is one line in the log for each offender
// and minute, however often they do it.
func (srv *Server) Offend(o Offence) {
	if srv.blotter.note(o, time.Since(srv.began)) {
		srv.tell(told{o, 1})
	}
}

// TellOffences logs what offenders did since the last line about them, once that
// is a minute old. It is to be called every few seconds.
func (srv *Server) TellOffences() {
	for _, t := range srv.blotter.due(time.Since(srv.began)) {
		srv.tell(t)
	}
}

// Offences returns what was refused so far, and how often.
func (srv *Server) Offences() []OffenceCount { return srv.blotter.totals() }

func (srv *Server) tell(t told) {
	args := make([]any, 0, 8)
	if t.JID != "" {
		args = append(args, "jid", t.JID)
	}
	if t.Peer.IsValid() {
		args = append(args, "peer", t.Peer)
	}
	srv.log.Warn(t.What, append(args, "why", t.Why, "times", t.times)...)
}

// blotter knows who did what lately. The zero value is ready, and it is safe.
type blotter struct {
	mu    sync.Mutex // guards all below
	pages map[offender]*page
	kinds map[kind]uint64
}

type kind struct{ what, why string }

type offender struct {
	kind
	from netip.Prefix
	jid  jid.Bare
}

type page struct {
	peer  netip.Addr // the last one of the network
	said  time.Duration
	times int // since then
}

// told is what there is to say about an offender.
type told struct {
	Offence
	times int
}

const (
	// tellEvery is how often there is a line about one offender.
	tellEvery = time.Minute

	// maxOffenders bounds the lines of a minute. Whoever is one too many is
	// counted and not written about.
	maxOffenders = 4096

	// maxKinds is more than there are.
	maxKinds = 256
)

// note notes an offence and reports whether it is to be told at once.
func (b *blotter) note(o Offence, now time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages == nil {
		b.pages, b.kinds = map[offender]*page{}, map[kind]uint64{}
	}
	k := kind{o.What, o.Why}
	if _, known := b.kinds[k]; known || len(b.kinds) < maxKinds {
		b.kinds[k]++
	}
	who := offender{k, Network(o.Peer), o.JID}
	if p := b.pages[who]; p != nil {
		p.peer = o.Peer
		p.times++
		return false
	}
	if len(b.pages) >= maxOffenders {
		return false
	}
	b.pages[who] = &page{peer: o.Peer, said: now}
	return true
}

// due returns what there is to tell by now, and forgets those who have stopped.
func (b *blotter) due(now time.Duration) (all []told) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for who, p := range b.pages {
		switch {
		case now-p.said < tellEvery:
		case p.times == 0:
			delete(b.pages, who)
		default:
			all = append(all, told{Offence{who.what, who.why, p.peer, who.jid}, p.times})
			p.said, p.times = now, 0
		}
	}
	slices.SortFunc(all, func(a, b told) int {
		return cmp.Or(b.times-a.times, strings.Compare(string(a.JID), string(b.JID)), a.Peer.Compare(b.Peer))
	})
	return all
}

func (b *blotter) totals() []OffenceCount {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]OffenceCount, 0, len(b.kinds))
	for k, n := range b.kinds {
		all = append(all, OffenceCount{k.what, k.why, n})
	}
	slices.SortFunc(all, func(a, b OffenceCount) int {
		return cmp.Or(strings.Compare(a.What, b.What), strings.Compare(a.Why, b.Why))
	})
	return all
}
