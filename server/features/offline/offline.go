// Package offline keeps messages for people who are away until they come back
// (XEP-0160, RFC 6121 §8.5.2.2), with a stamp that says when they were sent
// (XEP-0203). The hint no-store is respected (XEP-0334 §4.2).
//
// A message is claimed by one session, and removed when that session's client
// has it: when it is acknowledged under XEP-0198, or sent to a client that
// cannot acknowledge. When the session ends before, the message is there to be
// claimed again.
package offline

import (
	"context"
	"sync"
	"time"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

const (
	nsHints  = "urn:xmpp:hints"
	nsStates = "http://jabber.org/protocol/chatstates"
)

// Parts are what the feature is made of.
type Parts struct {
	Store   Store
	Sweeper Sweeper
}

// Feature keeps offline messages.
type Feature struct {
	cfg   Config            // fixed
	parts Parts             // fixed
	srv   *server.Server    // fixed by Register
	over  server.Flag       // fixed by Register: the session has ended
	wake  chan struct{}     // holds a token if there is something in queue
	mu    sync.Mutex        // guards the fields below
	boxes map[int64]*box    // by account
	queue []*server.Session // that are to get more
}

// New makes the feature.
func New(cfg Config, parts Parts) *Feature {
	return &Feature{cfg: cfg.WithDefaults(), parts: parts, wake: make(chan struct{}, 1), boxes: map[int64]*box{}}
}

// Info implements server.Feature.
func (f *Feature) Info() server.Info {
	return server.Info{
		Name:  "offline",
		Title: "Messages to people who are away",
		Specs: []server.Spec{{ID: "XEP-0160"}, {ID: "XEP-0203"}, {ID: "XEP-0334"}, {ID: "RFC 6121 §8.5.2.2"}},
		Host:  []string{"msgoffline"},
	}
}

// Register implements server.Feature.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	f.over = r.NewFlag()
	r.On(stanza.Message, server.Arriving, server.Record, f.arriving)
	r.OnFlushed(f.flushed)
	r.OnEnded(f.ended)
	r.OnRemoved(func(a *server.Account) {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.boxes, a.ID)
	})
	r.OnChanged(f.changed)
}

// arriving decides about a message that nobody is there to take.
func (f *Feature) arriving(p *server.Packet) error {
	if p.Action != server.Store {
		return nil
	}
	switch Decide(p.Stanza) {
	case Drop:
		p.Action = server.Ignore
		return nil
	case Refuse:
		return stanza.ErrServiceUnavailable
	}
	if p.Account.ID == 0 {
		return stanza.ErrServiceUnavailable // a visitor who has left does not come back
	}
	if err := f.admit(f.srv.Context(), p.Account, f.cfg.most(p.Stranger)); err != nil {
		return err
	}
	p.Keep.Offline, p.Keep.OwnerID = true, p.Account.ID
	return nil
}

// changed has the messages of an account counted anew.
func (f *Feature) changed(a *server.Account) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.boxes[a.ID]; b != nil {
		b.known = false
	}
}

// Fate is what becomes of a message for somebody who is away.
type Fate uint8

// The fates of a message: to wait, to be forgotten, to be returned.
const (
	Wait Fate = iota
	Drop
	Refuse
)

// Decide follows XEP-0160 §3 for the types that are left when RFC 6121 §8.5.2.2
// has been asked: normal, chat and unknown ones. Nobody misses what somebody's
// fingers did; anything else that must not wait is returned.
func Decide(st *stanza.Stanza) Fate {
	forbidden, states, content := false, false, len(st.Children) == 0
	for i := range st.Children {
		c := &st.Children[i]
		switch string(c.Space) {
		case nsHints:
			forbidden = forbidden || string(c.Local) == "no-store" || string(c.Local) == "no-storage"
		case nsStates:
			states = true
		case "urn:xmpp:sid:0":
		default:
			content = content || !c.Is(stanza.NSClient, "thread")
		}
	}
	switch {
	case states && !content:
		return Drop
	case forbidden && st.Has(stanza.NSClient, "body"):
		return Refuse
	case forbidden:
		return Drop
	}
	return Wait
}

// Run hands out further messages and removes those that nobody came for, until
// ctx is done.
func (f *Feature) Run(ctx context.Context) error {
	var expiry <-chan time.Time
	if f.cfg.MaxAge > 0 {
		ticker := time.NewTicker(expireEvery)
		defer ticker.Stop()
		expiry = ticker.C
		f.expire(ctx)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-expiry:
			f.expire(ctx)
		case <-f.wake:
			f.mu.Lock()
			queue := f.queue
			f.queue = nil
			f.mu.Unlock()
			for _, s := range queue {
				f.hand(ctx, s)
			}
		}
	}
}

// expireEvery is how exact the age is.
const expireEvery = time.Hour

func (f *Feature) expire(ctx context.Context) {
	below := time.Now().Add(-f.cfg.MaxAge).UnixMicro()
	total := 0
	err := f.parts.Sweeper.Expire(ctx, below, func(account int64, n int) {
		total += n
		f.mu.Lock()
		defer f.mu.Unlock()
		if b := f.boxes[account]; b != nil && b.known {
			b.count = max(b.count-n, 0)
		}
	})
	if err != nil && ctx.Err() == nil {
		f.srv.Log().Error("old offline messages could not be removed", "err", err)
	} else if total > 0 {
		f.srv.Log().Info("offline messages were removed that nobody came for", "messages", total)
	}
}
