package people

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/event"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Engine merges what is said of people: a [presence.Engine].
type Engine interface {
	Report(who presence.Subject, k presence.Kind, source string, all []presence.Contribution) error
}

// Parts are what a service needs.
type Parts struct {
	Engine Engine

	// Send sends a stanza, which has its addresses, on its way. It must not block.
	Send func(context.Context, []byte) error

	// Arrived calls f once when the server has handled all that was sent, and what it had
	// to say to that was taken.
	Arrived func(f func(bool))

	// Answered hears that somebody has answered who was asked, or has changed their mind.
	// It hears of a yes when it is known, too, what their clients say.
	Answered func(watcher, of jid.Bare)

	Log *slog.Logger
}

// Service asks people for devices. It is safe for use by many goroutines.
type Service struct {
	parts Parts // fixed

	mu     sync.Mutex // guards the fields below; nobody is called under it
	pairs  map[pair]*asking
	asks   map[jid.Bare]int     // how many of them a device is in
	people map[jid.Bare]*person // of whom some device may know
	due    []answer             // that Answered has yet to hear, the earliest first

	wake chan struct{} // holds a token if there is one more
}

// answer is a pair that have come to terms, and when that is to be told.
type answer struct {
	pair
	at time.Time
}

// pair is a device that watches, and whom.
type pair struct{ device, of jid.Bare }

// asking is what became of a question.
type asking struct {
	answer event.Permission
	at     time.Time // when it was asked, or answered
}

// person is what somebody's clients say, by their resources.
type person struct {
	allowed int // how many devices may know
	clients map[string]presence.Contribution
}

// Limits.
const (
	maxPairs   = 10_000
	maxAsks    = 1000           // of one device, so that none takes up all the room
	maxClients = 32             // of one person
	askAgain   = 24 * time.Hour // who has refused may be asked again then

	term  = 26 * time.Hour // what a client says is good for so long, and said again in time
	renew = 12 * time.Hour
	grace = time.Minute // and for so long without a link

	settle = time.Second // within which the engine has taken up what it is told
)

// New returns a service that has asked nobody.
func New(parts Parts) *Service {
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{parts: parts, pairs: map[pair]*asking{}, asks: map[jid.Bare]int{}, people: map[jid.Bare]*person{}, wake: make(chan struct{}, 1)}
}

// Run says again what was said before it runs out, and passes on answers, until ctx is
// done.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(renew)
	defer tick.Stop()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		if next := s.tell(time.Now()); !next.IsZero() {
			wait = max(0, time.Until(next))
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			s.extend(now.Add(term), false)
		case <-timer.C:
		case <-s.wake:
		}
	}
}

// tell passes on the answers that are due, and says when the next one is.
func (s *Service) tell(now time.Time) (next time.Time) {
	for {
		s.mu.Lock()
		if len(s.due) == 0 || s.due[0].at.After(now) {
			if len(s.due) > 0 {
				next = s.due[0].at
			}
			s.mu.Unlock()
			return next
		}
		first := s.due[0]
		s.due = s.due[1:]
		s.mu.Unlock()
		s.parts.Answered(first.device, first.of)
	}
}

// later has an answer passed on when the engine has taken up what came with it.
func (s *Service) later(k pair) {
	s.mu.Lock()
	if len(s.due) < maxPairs {
		s.due = append(s.due, answer{k, time.Now().Add(settle)})
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// extend says again all that clients say, to be good until then. With forget it is not
// remembered any more.
func (s *Service) extend(until time.Time, forget bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for who, p := range s.people {
		for name, c := range p.clients {
			c.Expires = until
			p.clients[name] = c
			s.report(who, c.Source, c)
		}
		if forget {
			clear(p.clients)
		}
	}
}

// report tells the engine, which does not wait for anybody, and takes what is told last
// for true: so that is done under the lock.
func (s *Service) report(who jid.Bare, source string, all ...presence.Contribution) {
	if err := s.parts.Engine.Report(who, presence.Person, source, all); err != nil {
		s.parts.Log.Warn("what somebody's client says was not merged", "jid", who, "err", err)
	}
}

// Approval says whether somebody lets a device watch. Those who have not been asked are.
func (s *Service) Approval(device, of jid.Bare) event.Permission {
	k, now := pair{device, of}, time.Now()
	s.mu.Lock()
	a := s.pairs[k]
	known := a != nil && (a.answer != event.Refused || now.Sub(a.at) < askAgain)
	if !known && a == nil && s.full(device) {
		s.forget(now)
	}
	switch {
	case known:
		defer s.mu.Unlock()
		return a.answer
	case a == nil && s.full(device):
		s.mu.Unlock()
		return event.Undecided
	}
	s.put(k, &asking{answer: event.Undecided, at: now})
	s.mu.Unlock()
	s.say(device, of, "subscribe")
	return event.Undecided
}

// full reports whether a device may ask nobody more. The caller holds mu.
func (s *Service) full(device jid.Bare) bool {
	return len(s.pairs) >= maxPairs || s.asks[device] >= maxAsks
}

// put keeps what became of a question; nil is that nobody has been asked. The caller holds
// mu.
func (s *Service) put(k pair, a *asking) {
	_, there := s.pairs[k]
	switch {
	case a == nil && there:
		delete(s.pairs, k)
		if s.asks[k.device]--; s.asks[k.device] == 0 {
			delete(s.asks, k.device)
		}
	case a != nil:
		s.pairs[k] = a
		if !there {
			s.asks[k.device]++
		}
	}
}

// forget forgets who has refused, or not answered, for long. The caller holds mu.
func (s *Service) forget(now time.Time) {
	for k, a := range s.pairs {
		if a.answer != event.Allowed && now.Sub(a.at) >= askAgain {
			s.put(k, nil)
		}
	}
}

// say sends a presence that says no more than its type. Without a link it is lost, and
// said again when there is one.
func (s *Service) say(device, to jid.Bare, typ string) {
	b := stanza.AppendAttr([]byte("<presence"), "type", typ)
	b = stanza.AppendAttr(b, "from", string(device))
	b = append(stanza.AppendAttr(b, "to", string(to)), "/>"...)
	if err := s.parts.Send(context.Background(), b); err != nil {
		s.parts.Log.Debug("nobody could be asked", "jid", to, "peer", device, "err", err)
	}
}

// Up asks anew, since there is a link again: those who have not answered, and what those
// say who have agreed.
func (s *Service) Up() {
	s.mu.Lock()
	todo := map[pair]string{}
	for k, a := range s.pairs {
		switch a.answer {
		case event.Undecided:
			todo[k] = "subscribe"
		case event.Allowed:
			todo[k] = "probe"
		}
	}
	s.mu.Unlock()
	for k, typ := range todo {
		s.say(k.device, k.of, typ)
	}
}

// Down hears that there is no link any more.
func (s *Service) Down() { s.extend(time.Now().Add(grace), true) }

// DeviceGone forgets whom a device has watched.
func (s *Service) DeviceGone(device jid.Bare) {
	s.mu.Lock()
	var all []jid.Bare
	for k := range s.pairs {
		if k.device == device {
			all = append(all, k.of)
		}
	}
	for _, of := range all {
		s.note(pair{device, of}, nil)
	}
	s.mu.Unlock()
	for _, of := range all {
		s.say(device, of, "unsubscribe")
	}
}

// note notes an answer; nil is that nobody has been asked. The caller holds mu.
func (s *Service) note(k pair, now *asking) {
	before := s.pairs[k]
	is, was := now != nil && now.answer == event.Allowed, before != nil && before.answer == event.Allowed
	s.put(k, now)
	p := s.people[k.of]
	switch {
	case is && !was && p == nil:
		s.people[k.of] = &person{allowed: 1, clients: map[string]presence.Contribution{}}
	case is && !was:
		p.allowed++
	case was && !is:
		if p.allowed--; p.allowed == 0 { // nobody tells us any more
			for _, c := range p.clients {
				s.report(k.of, c.Source)
			}
			delete(s.people, k.of)
		}
	}
}
