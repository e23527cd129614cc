package notifier

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/event"
	"rollcall/sipgw/keep"
	"rollcall/sipgw/profile"
	"rollcall/sipgw/transport"
)

// Store keeps subscriptions.
type Store interface {
	LoadSubscriptions(ctx context.Context) ([]*Saved, error)

	// SaveSubscriptions writes subscriptions, in place of those with the same ID, and
	// removes others by their ID; all or nothing.
	SaveSubscriptions(ctx context.Context, put []*Saved, gone []uint64) error
}

// Saved is what is kept of a subscription. Who the watcher is, and how much they see,
// is found out again from User and Entity.
type Saved struct {
	ID        uint64
	User      string // who has subscribed
	Entity    string // the URI that was subscribed to
	Event     string // the package
	EventID   string
	Pace      time.Duration
	Type      string // of the documents
	Profile   string // of the make of the phone
	Lang      string
	Phone     string // its instance, or the contact at first
	CallID    string
	LocalTag  string
	RemoteTag string
	From, To  string // of NOTIFY
	Target    string
	Routes    []string
	Theirs    uint32 // CSeq of the last SUBSCRIBE

	// CSeq and Version are such that no NOTIFY had higher ones.
	CSeq, Version uint32

	Expires time.Time
	Flow    Flow
}

// Flow is what is kept of a flow; see [transport.Transport.Named].
type Flow struct {
	Kind          transport.Kind
	Connection    uint64
	Local, Remote netip.AddrPort
}

// ahead is how many CSeqs and versions are stored before they are used, so that not
// each NOTIFY has to wait for the database. So many are left out after a restart.
const ahead = 1000

// keep stores a subscription behind the back of its watcher. n.mu is held.
func (n *Notifier) keep(s *subscription, urgent bool) {
	if n.keeper == nil {
		return
	}
	if urgent {
		s.asked = s.cseq + ahead
	}
	v := s.saved()
	v.CSeq, v.Version = s.asked, s.version+(s.asked-s.cseq)
	n.keeper.Put(s.id, v, keep.If(urgent))
}

// stock stores more numbers before they run out. n.mu is held.
func (n *Notifier) stock(s *subscription) {
	if n.keeper != nil && !s.gone && s.machine.Phase != event.Terminated && n.dialogs[s.id] == s && s.cseq+ahead/2 >= s.asked {
		n.keep(s, true)
	}
}

func (s *subscription) saved() *Saved {
	v := &Saved{
		ID: s.id, User: s.user, Entity: s.entity, Event: s.pack.Name, EventID: s.eventID, Pace: s.pace,
		Type: s.pack.Types[s.form], Profile: s.profile.Name, Lang: s.lang, Phone: s.phone,
		CallID: s.key.callID, LocalTag: s.key.local, RemoteTag: s.key.remote, From: s.from, To: s.to,
		Target: s.target, Routes: s.routes, Theirs: s.theirs, Expires: s.machine.Expires,
	}
	if !s.flow.IsZero() {
		v.Flow = Flow{s.flow.Kind(), s.flow.Connection(), s.flow.Local(), s.flow.Remote()}
	}
	return v
}

// save writes what has changed, and lets those go on that have waited for it.
func (n *Notifier) save(ctx context.Context, changes []keep.Change[uint64, Saved]) error {
	var put []*Saved
	var gone []uint64
	for _, c := range changes {
		if c.Value == nil {
			gone = append(gone, c.Key)
		} else {
			put = append(put, c.Value)
		}
	}
	if err := n.parts.Store.SaveSubscriptions(ctx, put, gone); err != nil {
		return err
	}
	var bag bag
	now := time.Now()
	n.mu.Lock()
	for _, v := range put {
		s := n.dialogs[v.ID]
		if s == nil || v.CSeq <= s.limit {
			continue
		}
		waits := s.cseq >= s.limit
		s.limit = v.CSeq
		switch {
		case !s.dirty:
		case waits && s.machine.Failures > 0 && !s.flow.IsZero(): // it was tried, after a restart, and is now
			s.machine.Retry = now
			n.schedule(s, now)
		default:
			n.offer(s, now, &bag)
		}
	}
	n.mu.Unlock()
	n.send(&bag)
	return nil
}

// Load takes up the subscriptions of before. It is called once, before [Notifier.Run],
// when the sources have what they know. Those whose phones are where they were are
// told the state within five seconds, the others when they come back.
func (n *Notifier) Load(ctx context.Context) error {
	if n.parts.Store == nil {
		return nil
	}
	all, err := n.parts.Store.LoadSubscriptions(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b *Saved) int { return a.Expires.Compare(b.Expires) })
	for _, v := range all {
		if !n.restore(v, time.Now()) {
			n.keeper.Drop(v.ID)
		}
	}
	return nil
}

// restoreWithin is how long it may take until all are told after a restart.
const restoreWithin = 5 * time.Second

// restore takes up a subscription; it is false if it is over.
func (n *Notifier) restore(v *Saved, now time.Time) bool {
	s, subject := n.revive(v)
	if s == nil || !now.Before(v.Expires) {
		return false
	}
	may := event.Allowed
	if group := n.groupOf(v.Entity); group != "" {
		if !n.enlist(s, group) {
			return false
		}
	} else {
		var level presence.Level
		if level, may = n.judge(s.pack, s.watcher, subject); may == event.Refused {
			return false // and hears so when it refreshes
		}
		n.mu.Lock()
		n.occupy(&s.place, topicKey{s.pack, subject}, s.look(level))
		n.mu.Unlock()
		n.learn(&s.place)
	}
	s.machine.Subscribe(v.Expires.Sub(now), may, now)
	if s.flow.IsZero() {
		// Its connection is gone. It is told when it comes back, or in a while.
		s.machine.Silent(now)
	} else {
		s.machine.Failures, s.machine.Retry = 1, now.Add(time.Duration(uint64(s.machine.Seed)*uint64(restoreWithin)>>32))
	}
	n.mu.Lock()
	n.enter(s)
	n.schedule(s, s.machine.Retry)
	n.keep(s, true)
	n.mu.Unlock()
	return true
}

func (n *Notifier) groupOf(entity string) string {
	u, err := transport.ParseURI(entity)
	if err != nil || n.parts.Group == nil {
		return ""
	}
	return groupIn(u)
}

// revive makes a subscription of what was kept of it; nil if it means nothing any
// more.
func (n *Notifier) revive(v *Saved) (*subscription, presence.Subject) {
	uri, err := transport.ParseURI(v.Entity)
	pack := n.find(event.Event{Package: v.Event})
	if err != nil || pack == nil {
		return nil, ""
	}
	who, known := n.parts.Watcher(v.User)
	subject, ours := n.parts.Subject(uri)
	form := slices.Index(pack.Types, v.Type)
	if !known || !ours || form < 0 {
		return nil, ""
	}
	s := &subscription{
		id: v.ID, pack: pack, eventID: v.EventID, pace: max(v.Pace, pack.Every), entity: v.Entity, user: v.User, watcher: who,
		profile: n.profile(v.Profile), lang: n.parts.Catalogue().Language(v.Lang), form: uint8(form),
		key: dialogKey{v.CallID, v.LocalTag, v.RemoteTag}, from: v.From, to: v.To, target: v.Target, routes: v.Routes,
		theirs: v.Theirs, cseq: v.CSeq, version: v.Version, asked: v.CSeq, limit: v.CSeq,
		phone:   v.Phone,
		machine: event.Notifier{Seed: uint32(v.ID)},
	}
	s.place.owner, s.ticket = s, n.ticket(s)
	s.flow, _ = n.parts.Transport.Named(v.Flow.Kind, v.Flow.Connection, v.Flow.Local, v.Flow.Remote)
	return s, subject
}

// profile is the one of a name. It may be known no more.
func (n *Notifier) profile(name string) *profile.Profile {
	if p := n.parts.Profiles.Named(name); p != nil {
		return p
	}
	return n.parts.Profiles.For("")
}
