package hearsay

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/watcher"
	"rollcall/xmpp/jid"
)

// Engine is told of devices and their owners.
type Engine interface {
	Report(who presence.Subject, kind presence.Kind, source string, all []presence.Contribution) error
	Synced(prefix string)
}

// Parts are what a board needs.
type Parts struct {
	Engine    Engine
	Devices   func() *device.Picture
	Catalogue func() *presence.Catalogue
	Log       *slog.Logger
}

// Board passes on what has been learned. It is safe for use by many goroutines.
type Board struct {
	parts Parts              // fixed
	wake  chan struct{}      // holds a token if something is to be done
	said  map[jid.Bare]*said // of Run

	mu     sync.Mutex // guards what follows
	news   map[jid.Bare]watcher.Learned
	synced bool // all that is known has been told, and the engine is not told so yet
}

// said is what the engine was last told of a device.
type said struct {
	source string   // of the device
	owner  jid.Bare // who was told to have a share in it, or ""
	share  string   // … the source
}

// New returns a board on which nothing is noted.
func New(parts Parts) *Board {
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	return &Board{parts: parts, wake: make(chan struct{}, 1), said: map[jid.Bare]*said{}, news: map[jid.Bare]watcher.Learned{}}
}

// Sources are what the names of the sources begin with that a board speaks for: they
// end with this program ([presence.Options.Volatile]).
func Sources() []string { return []string{FromPBX, FromPhones} }

// Tell takes note of what has been learned: for [watcher.Parts.Tell].
func (b *Board) Tell(l watcher.Learned) {
	b.mu.Lock()
	b.news[l.Device.JID] = l
	b.mu.Unlock()
	b.poke()
}

// Synced takes note that all that is known has been told: for [watcher.Parts.Synced].
func (b *Board) Synced() {
	b.mu.Lock()
	b.synced = true
	b.mu.Unlock()
	b.poke()
}

func (b *Board) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// busy is how long to wait when the engine has too much to do.
const busy = 50 * time.Millisecond

// Run reports until ctx is done.
func (b *Board) Run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-b.wake:
		}
		b.mu.Lock()
		news, synced := b.news, b.synced
		b.news, b.synced = map[jid.Bare]watcher.Learned{}, false
		b.mu.Unlock()
		for _, l := range news {
			b.insist(ctx, &l)
		}
		if synced {
			for _, prefix := range Sources() {
				b.parts.Engine.Synced(prefix)
			}
		}
	}
}

// insist reports, again while the engine has too much to do.
func (b *Board) insist(ctx context.Context, l *watcher.Learned) {
	for {
		err := b.report(l)
		if err == nil || errors.Is(err, presence.ErrEnded) {
			return
		}
		if !errors.Is(err, presence.ErrBusy) {
			b.parts.Log.Error("what was learned of a device could not be reported", "jid", l.Device.JID, "err", err)
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

// report tells the engine what a device comes to now.
func (b *Board) report(l *watcher.Learned) error {
	out, ok := fold(l, time.Now())
	if !ok {
		return nil
	}
	d, s := l.Device, b.said[l.Device.JID]
	if s == nil {
		s = &said{}
		b.said[d.JID] = s
	}
	source := Source(l)
	there := b.parts.Devices().ByJID(d.JID) != nil // of one that is not the engine has been told to forget all
	if s.source != "" && s.source != source && there {
		if err := b.parts.Engine.Report(d.JID, presence.Device, s.source, nil); err != nil {
			return err
		}
	}
	if there {
		if err := b.parts.Engine.Report(d.JID, presence.Device, source, out.device); err != nil {
			return err
		}
	}
	s.source = source
	if err := b.share(l, s, &out); err != nil {
		return err
	}
	if l.Gone {
		delete(b.said, d.JID)
	}
	return nil
}

// share tells the engine what a device says of its owner, and takes back what it said of
// whoever had it before.
func (b *Board) share(l *watcher.Learned, s *said, out *outcome) error {
	d, share := l.Device, Source(l)+"/"+l.Device.User
	owner := d.Owner
	if d.Shared || l.Gone {
		owner = ""
	}
	if s.owner != "" && (s.owner != owner || s.share != share) {
		if err := b.parts.Engine.Report(s.owner, presence.Person, s.share, nil); err != nil {
			return err
		}
		s.owner = ""
	}
	if owner == "" {
		return nil
	}
	all := b.parts.Catalogue().Onward(share, d.Name, out.device)
	for _, c := range out.direct {
		c.Source, c.Facets.Device = share, d.Name
		all = append(all, c)
	}
	s.owner, s.share = owner, share
	return b.parts.Engine.Report(owner, presence.Person, share, all)
}
