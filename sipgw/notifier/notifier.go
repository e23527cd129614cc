package notifier

import (
	"context"
	"hash/maphash"
	"math"
	"sync"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/event"
	"rollcall/sipgw/keep"
	"rollcall/sipgw/profile"
	"rollcall/sipgw/transport"
)

// Notifier tells phones what they have subscribed to. It is safe for use by many
// goroutines.
type Notifier struct {
	// Fixed.
	parts  Parts
	cfg    Config
	packs  []*pack
	seed   maphash.Seed
	born   time.Time
	keeper *keep.Keeper[uint64, Saved] // nil: nothing is stored

	// Safe.
	inbox inbox

	mu       sync.Mutex // guards what follows, and all subscriptions and topics
	topics   map[topicKey]*topic
	dialogs  map[uint64]*subscription // by ID
	byTicket map[uint64]*subscription
	byUser   map[string][]*subscription
	due      agenda
	entries  int // of lists
	stopped  bool
}

// New returns a notifier. Subscriptions of before are there after [Notifier.Load].
func New(parts Parts, cfg Config) *Notifier {
	n := &Notifier{
		parts: parts, cfg: cfg.withDefaults(), seed: maphash.MakeSeed(), born: time.Now().Add(-time.Second),
		inbox:    inbox{wake: make(chan struct{}, 1), news: map[topicKey]struct{}{}},
		topics:   map[topicKey]*topic{},
		dialogs:  map[uint64]*subscription{},
		byTicket: map[uint64]*subscription{},
		byUser:   map[string][]*subscription{},
	}
	n.packs = n.packages()
	if parts.Profiles == nil {
		n.parts.Profiles = profile.Default()
	}
	if parts.Approval == nil {
		n.parts.Approval = func(_, _ presence.Subject) event.Permission { return event.Allowed }
	}
	if parts.Store != nil {
		n.keeper = keep.New(keep.Config[uint64, Saved]{Save: n.save, Log: parts.Log, What: "subscriptions"})
	}
	return n
}

// Register has a transport give us what is for us, before it runs.
func (n *Notifier) Register(handle func(method string, h transport.Handler)) {
	handle("SUBSCRIBE", transport.Endpoint(n.Subscribe, "eventlist"))
}

// Count returns how many subscriptions there are.
func (n *Notifier) Count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.dialogs)
}

// Changed says that the facts of subjects may be others than before: their calls for
// "dialog", registrations for "reg", messages for "message-summary", who watches for
// "presence.winfo". What
// [Parts.Watch] tells need not be said. It never blocks, and may be called with locks
// held that the source needs to answer.
func (n *Notifier) Changed(pkg string, subjects ...presence.Subject) {
	for _, p := range n.packs {
		// Where nobody watches anything nobody need be woken. Who begins to reads the facts
		// when the topic is there.
		if p.Name == pkg && p.topics.Load() > 0 {
			n.inbox.put(p, subjects)
		}
	}
}

// ChangedAll says so of all subjects.
func (n *Notifier) ChangedAll(pkg string) {
	n.mu.Lock()
	var all []presence.Subject
	for k := range n.topics {
		if k.pack.Name == pkg {
			all = append(all, k.subject)
		}
	}
	n.mu.Unlock()
	n.Changed(pkg, all...)
}

// Watched says whether anybody watches anything in a package.
func (n *Notifier) Watched(pkg string) bool {
	for _, p := range n.packs {
		if p.Name == pkg {
			return p.topics.Load() > 0
		}
	}
	return false
}

// Run tells until ctx is done, and stores what is left. It runs once.
func (n *Notifier) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { n.listen(ctx) })
	stored, done := context.WithCancel(context.WithoutCancel(ctx))
	var storing sync.WaitGroup
	if n.keeper != nil {
		storing.Go(func() { n.keeper.Run(stored) })
	}
	n.work(ctx)
	wg.Wait()
	n.stop()
	done()
	storing.Wait()
	return nil
}

// listen passes on whose state has changed.
func (n *Notifier) listen(ctx context.Context) {
	for {
		subjects, err := n.parts.Watch.Next(ctx)
		if err != nil {
			return
		}
		for _, p := range n.packs {
			if p.states && p.topics.Load() > 0 {
				n.inbox.put(p, subjects)
			}
		}
	}
}

// inbox holds topics whose facts may have changed.
type inbox struct {
	wake chan struct{} // holds a token if there is something

	mu   sync.Mutex // guards the field below; never held while calling out
	news map[topicKey]struct{}
}

func (b *inbox) put(p *pack, subjects []presence.Subject) {
	b.mu.Lock()
	for _, s := range subjects {
		b.news[topicKey{p, s}] = struct{}{}
	}
	b.mu.Unlock()
	b.token()
}

func (b *inbox) token() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take appends what there is.
func (b *inbox) take(to []topicKey) []topicKey {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range b.news {
		to = append(to, k)
	}
	if len(b.news) > 1024 {
		b.news = map[topicKey]struct{}{} // a map keeps the room that it once had
	} else {
		clear(b.news)
	}
	return to
}

// work tells what has changed, and what is due.
func (n *Notifier) work(ctx context.Context) {
	var news []topicKey
	var bag bag
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		news = n.inbox.take(news[:0])
		for _, k := range news {
			n.renew(k, &bag)
		}
		wait := time.Duration(math.MaxInt64)
		if next := n.turn(&bag); !next.IsZero() {
			wait = time.Until(next)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-n.inbox.wake:
		case <-timer.C:
		}
	}
}

// turn does what is due, and says when something is again.
func (n *Notifier) turn(bag *bag) (next time.Time) {
	const crowd = 256 // are done before anybody else gets the lock
	for {
		now := time.Now()
		n.mu.Lock()
		for range crowd {
			s := n.due.next(n.moment(now))
			if s == nil {
				break
			}
			n.tick(s, now, bag)
		}
		first, ok := n.due.first()
		n.mu.Unlock()
		n.send(bag)
		if !ok {
			return time.Time{}
		}
		if next = n.time(first); next.After(now) {
			return next
		}
	}
}

// tick does what is due for a subscription. n.mu is held.
func (n *Notifier) tick(s *subscription, now time.Time, bag *bag) {
	act, next := s.machine.Tick(now)
	switch {
	case act.Remove:
		if act.Notify {
			n.post(s, nothing, now, bag)
		}
		n.drop(s)
		return
	case act.Notify:
		n.post(s, latest, now, bag)
	case s.dirty:
		n.offer(s, now, bag)
	}
	n.schedule(s, next)
}

// schedule has a subscription looked at by then. n.mu is held.
func (n *Notifier) schedule(s *subscription, at time.Time) {
	m := n.moment(at)
	if s.gone || at.IsZero() || s.slot > 0 && m >= s.at {
		return
	}
	if n.due.put(s, m) {
		n.inbox.token()
	}
}
