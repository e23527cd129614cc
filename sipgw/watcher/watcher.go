package watcher

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/transport"
	"rollcall/xmpp/jid"
)

// Sender sends requests: [transport.Transport] is one.
type Sender interface {
	Start(o transport.Outgoing, got func(*transport.Response, error)) *transport.Call
}

// Parts are what a watcher needs.
type Parts struct {
	SIP Sender

	// Devices are all there are. Reach says where one that registers here can be
	// reached; nil is nowhere.
	Devices func() *device.Picture
	Reach   func(*device.Device) (Binding, bool)

	// Secret reads the first line of a file that nobody else can read.
	Secret func(file string) (string, error)

	// Tell is told all that is known of a device each time when some of it has changed
	// or counts for longer: by one goroutine, in order. Synced is called once, after
	// each device has been told that was known at the start.
	Tell   func(Learned)
	Synced func()

	// Waiting is told of messages that wait for somebody, on the goroutine that reads
	// them from the network; nil: nobody is.
	Waiting func(Waiting)

	Log *slog.Logger // nil: nobody reads it
}

// Watcher holds the subscriptions. Its methods are safe for use by many goroutines.
type Watcher struct {
	parts Parts         // fixed
	wake  chan struct{} // holds a token if something is to be done

	mu        sync.Mutex // guards what follows
	cfg       Config
	places    map[string]*place // PBXs by name, and by what devices call them
	phones    *place
	watched   map[jid.Bare]*watched
	calls     map[string]*leg // by Call-ID, but for forks
	agenda    agenda
	replan    bool                  // all devices are to be looked at
	changed   map[jid.Bare]struct{} // these are
	news      []*watched            // to be told
	farewells []Learned             // likewise
	outbox    []sending             // to be sent
	synced    bool
	look      time.Time // when it is to be looked next whether it is
}

// New returns a watcher that watches nobody yet.
func New(parts Parts, cfg Config) *Watcher {
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watcher{
		parts: parts, wake: make(chan struct{}, 1),
		places: map[string]*place{}, watched: map[jid.Bare]*watched{}, calls: map[string]*leg{}, changed: map[jid.Bare]struct{}{},
	}
	w.phones = w.found(Upstream{Packages: []string{"dialog"}})
	w.phones.here = true
	w.Use(cfg)
	return w
}

// Use takes up another configuration. What it does not change goes on.
func (w *Watcher) Use(cfg Config) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cfg.Expires <= 0 {
		cfg.Expires = 10 * time.Minute
	}
	if cfg.Rate <= 0 {
		cfg.Rate = 100
	}
	for _, x := range w.watched {
		for _, g := range x.legs {
			if g != nil && w.cfg.Expires != cfg.Expires {
				g.m.Asks = cfg.Expires
			}
		}
	}
	w.cfg = cfg
	places := map[string]*place{}
	for _, u := range cfg.Upstreams {
		if old := w.places[u.Name]; old != nil && old.cfg.same(&u) {
			places[u.Name] = old
			continue
		}
		places[u.Name] = w.found(u)
	}
	w.places, w.replan = places, true
	w.poke()
}

// Caller returns the name of the PBX that a flow comes from, as [Upstream.Calls] knows it.
func (w *Watcher) Caller(f transport.Flow) (name string, ok bool) {
	w.mu.Lock()
	all := w.cfg.Upstreams
	w.mu.Unlock()
	for i := range all {
		if all[i].Calls(f) {
			return all[i].Name, true
		}
	}
	return "", false
}

// Certified reports whether some PBX is known by its certificate.
func (w *Watcher) Certified() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.cfg.Upstreams, func(u Upstream) bool { return u.Certificate != "" })
}

// Changed takes up that a device is another one: for [device.Register.OnChanged].
func (w *Watcher) Changed(before, now *device.Device) {
	w.mu.Lock()
	for _, d := range [...]*device.Device{before, now} {
		if d != nil {
			w.changed[d.JID] = struct{}{}
		}
	}
	w.mu.Unlock()
	w.poke()
}

// Moved takes up that a phone has registered or is registered no more. If it has been
// started anew it has forgotten what we had asked it.
func (w *Watcher) Moved(user string, rebooted bool) {
	d := w.parts.Devices().ByUser(user)
	if d == nil || !d.Here() {
		return
	}
	w.mu.Lock()
	x := w.watched[d.JID]
	if x == nil && !w.cfg.Phones {
		w.mu.Unlock()
		return // nor will it be
	}
	w.changed[d.JID] = struct{}{}
	if x != nil && rebooted {
		w.unwatch(x)
		w.farewells = append(w.farewells, Learned{Device: x.device, Gone: true})
	}
	w.mu.Unlock()
	w.poke()
}

// Closed takes up that a connection has ended: for [transport.Transport.OnFlowClosed].
// A PBX that closes one may have been restarted.
func (w *Watcher) Closed(f transport.Flow) {
	w.mu.Lock()
	for _, p := range w.whose(f) {
		w.suspect(p, time.Now())
	}
	w.mu.Unlock()
	w.poke()
}

func (w *Watcher) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// touch has a device told; mu is held.
func (w *Watcher) touch(x *watched) {
	if !x.dirty && !x.gone {
		x.dirty = true
		w.news = append(w.news, x)
	}
}

const (
	// settled is how long after the start there is for everybody to answer. It is
	// shorter than what was known before the start counts (presence.EngineConfig.Barrier).
	settled = 25 * time.Second

	lookEvery = 250 * time.Millisecond

	// atLeast keeps a crowd of things that are due one after another from being looked
	// at one by one.
	atLeast = 5 * time.Millisecond
)

// Run watches until ctx is done. Subscriptions are left to run out: whoever still tells
// is answered 481 after the next start.
func (w *Watcher) Run(ctx context.Context) {
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		w.secrets()
		out, told, synced, next := w.round(time.Now(), start)
		for _, s := range out {
			w.send(s)
		}
		for _, l := range told {
			w.parts.Tell(l)
		}
		if synced {
			w.parts.Synced()
		}
		timer.Reset(max(time.Until(next), atLeast))
		select {
		case <-timer.C:
		case <-w.wake:
		case <-ctx.Done():
		}
	}
}

// round does what is due. It returns what is to be sent and told, whether all have been
// heard for the first time, and when there is more to do.
func (w *Watcher) round(now, start time.Time) (out []sending, told []Learned, synced bool, next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plan(now)
	out = append(w.due(now), w.outbox...)
	w.outbox = nil
	if !w.synced && now.Sub(start) >= settled {
		w.hurryUp()
	}
	told, w.farewells = w.farewells, nil
	for _, x := range w.news {
		if x.dirty = false; !x.gone {
			told = append(told, w.learned(x, now))
		}
	}
	clear(w.news)
	w.news = w.news[:0]
	next = now.Add(time.Hour)
	if !w.synced && !now.Before(w.look) {
		w.look = now.Add(lookEvery)
		w.synced = w.settled(now)
		synced = w.synced
	}
	if !w.synced {
		next = w.look
	}
	if len(w.agenda) > 0 && w.agenda[0].at.Before(next) {
		next = w.agenda[0].at
	}
	return out, told, synced, next
}

// hurryUp has nobody wait any longer for those who have not answered so far.
func (w *Watcher) hurryUp() {
	for _, x := range w.watched {
		for _, g := range x.legs {
			if g != nil && g.asking() {
				g.waited = true
				w.touch(x)
			}
		}
	}
}

// settled reports whether nobody's first answer is waited for.
func (w *Watcher) settled(now time.Time) bool {
	for _, x := range w.watched {
		for _, g := range x.legs {
			if g != nil && !w.word(g, now).Standing.settled() {
				return false
			}
		}
	}
	return true
}

// Owns reports whether a NOTIFY is for the watcher: others may be on their way to phones.
func (w *Watcher) Owns(callID string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[callID] != nil
}
