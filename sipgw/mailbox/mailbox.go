// Package mailbox knows how many messages wait for whom, as PBXs tell (RFC 3842): it has
// the presence engine told, which keeps it over a restart, and phones that have
// subscribed to it.
//
// Messages wait for a device, and so for whoever it is assigned to, whose other phones
// show them as well.
package mailbox

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/mwi"
	"rollcall/xmpp/jid"
)

// Engine is told of messages that wait, and keeps that.
type Engine interface {
	Report(who presence.Subject, kind presence.Kind, source string, all []presence.Contribution) error
	State(presence.Subject) *presence.Effective
}

// Parts are what mailboxes need.
type Parts struct {
	Engine  Engine
	Devices func() *device.Picture

	// Changed is told of devices whose phones are to show something else. It must not
	// wait for anybody.
	Changed func(*device.Device)

	Log *slog.Logger
}

// Mailboxes knows what waits. It is safe for use by many goroutines.
type Mailboxes struct {
	parts Parts         // fixed
	wake  chan struct{} // holds a token if something is to be reported

	mu    sync.Mutex // guards the fields below
	known map[jid.Bare]box
	todo  map[jid.Bare]report
}

// box is what waits for a device.
type box struct {
	mwi.Summary
	until time.Time
}

// report is what the engine is to be told of a device, and of those who had it.
type report struct {
	box
	formerly []presence.Subject
	user     string // the device's, when they had it
}

// New returns mailboxes of which nothing is known but what the engine has kept.
func New(parts Parts) *Mailboxes {
	return &Mailboxes{parts: parts, wake: make(chan struct{}, 1), known: map[jid.Bare]box{}, todo: map[jid.Bare]report{}}
}

// keepFor is how long the word of a PBX counts. PBXs tell again when something changes,
// and when they are started.
const keepFor = presence.LongestOfAll

// Told takes up what waits for a device.
func (m *Mailboxes) Told(d *device.Device, s *mwi.Summary) {
	b := box{*s, time.Now().Add(keepFor)}
	b.Account = ""
	m.mu.Lock()
	m.known[d.JID] = b
	r := m.todo[d.JID]
	r.box = b
	m.todo[d.JID] = r
	m.mu.Unlock()
	m.poke()
	m.changed(d)
}

// changed has all phones told that show what waits for a device.
func (m *Mailboxes) changed(d *device.Device) {
	m.parts.Changed(d)
	if owner := ownerOf(d); owner != "" {
		for _, o := range m.parts.Devices().OwnedBy(owner) {
			if o.JID != d.JID && !o.Shared {
				m.parts.Changed(o)
			}
		}
	}
}

// Changed takes up that a device is another one: for [device.Register.OnChanged].
func (m *Mailboxes) Changed(before, now *device.Device) {
	if before == nil || now != nil && ownerOf(before) == ownerOf(now) && before.User == now.User {
		return
	}
	b := m.of(before.JID)
	m.mu.Lock()
	r := m.todo[before.JID]
	if r.box = b; now == nil {
		r.box = box{}
		delete(m.known, before.JID)
	}
	if owner := ownerOf(before); owner != "" && b.Waiting {
		r.formerly, r.user = append(r.formerly, owner), before.User
	}
	m.todo[before.JID] = r
	m.mu.Unlock()
	m.poke()
	m.changed(before)
	if now != nil {
		m.changed(now)
	}
}

func (m *Mailboxes) poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// ownerOf is whom messages for a device are for; "" is nobody alone.
func ownerOf(d *device.Device) presence.Subject {
	if d.Shared {
		return ""
	}
	return d.Owner
}

// of returns what waits for a device by itself.
func (m *Mailboxes) of(who jid.Bare) box {
	now := time.Now()
	m.mu.Lock()
	b, known := m.known[who]
	m.mu.Unlock()
	if !known {
		b = kept(m.parts.Engine.State(who))
		m.mu.Lock()
		if newer, told := m.known[who]; told {
			b = newer
		} else {
			m.known[who] = b
		}
		m.mu.Unlock()
	}
	if !b.until.After(now) {
		return box{}
	}
	return b
}

// kept returns what the engine has kept of a device.
func kept(e *presence.Effective) (b box) {
	if e == nil {
		return b
	}
	for i := range e.All {
		c := &e.All[i]
		if c.Source != presence.FromMailbox {
			continue
		}
		if s, err := mwi.Parse([]byte(c.Facets.Ref)); err == nil {
			b = box{*s, c.Expires}
		}
	}
	return b
}

// Waiting returns all that waits for somebody: for a person at all devices that are
// theirs, and for one of these the same.
func (m *Mailboxes) Waiting(who presence.Subject) (all mwi.Summary) {
	p := m.parts.Devices()
	d := p.ByJID(who)
	if d != nil && ownerOf(d) == "" {
		return m.of(who).Summary
	}
	if d != nil {
		who = d.Owner
	}
	for _, d := range p.OwnedBy(who) {
		if !d.Shared {
			s := m.of(d.JID).Summary
			all.Add(&s)
		}
	}
	return all
}

// busy is how long to wait when the engine has too much to do.
const busy = 50 * time.Millisecond

// Run has the engine told until ctx is done.
func (m *Mailboxes) Run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-m.wake:
		}
		m.mu.Lock()
		todo := m.todo
		m.todo = map[jid.Bare]report{}
		m.mu.Unlock()
		for who, r := range todo {
			m.report(ctx, who, r)
		}
	}
}

// report tells the engine of one device, and whose it is.
func (m *Mailboxes) report(ctx context.Context, who jid.Bare, r report) {
	for _, owner := range r.formerly {
		m.insist(ctx, owner, presence.Person, source(r.user), nil)
	}
	d := m.parts.Devices().ByJID(who)
	if d == nil {
		return // the engine has been told to forget it
	}
	said := contribution(&r.box)
	m.insist(ctx, who, presence.Device, presence.FromMailbox, said)
	if owner := ownerOf(d); owner != "" {
		m.insist(ctx, owner, presence.Person, source(d.User), said)
	}
}

// source is that of what waits for somebody at one device.
func source(user string) string { return presence.FromMailbox + "/" + user }

// contribution is what is said to the engine; nothing, when nothing waits.
func contribution(b *box) []presence.Contribution {
	if !b.Waiting {
		return nil
	}
	fresh := uint32(0)
	for _, c := range b.Counts {
		fresh += c.New
	}
	return []presence.Contribution{{
		Axis: presence.Health, Expires: b.until,
		Facets: presence.Facets{Messages: uint16(min(max(fresh, 1), math.MaxUint16)), Ref: string(b.Append(nil))},
	}}
}

// insist tells the engine, again while it has too much to do.
func (m *Mailboxes) insist(ctx context.Context, who presence.Subject, k presence.Kind, source string, all []presence.Contribution) {
	for {
		err := m.parts.Engine.Report(who, k, source, all)
		if err == nil || errors.Is(err, presence.ErrEnded) {
			return
		}
		if !errors.Is(err, presence.ErrBusy) {
			m.parts.Log.Error("what waits for somebody could not be reported", "jid", who, "err", err)
			return
		}
		t := time.NewTimer(busy)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}
