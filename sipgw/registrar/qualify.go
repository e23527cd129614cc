package registrar

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"rollcall/sipgw/deadline"
	"rollcall/sipgw/news"
)

// Report says that the health of a binding has changed.
type Report struct {
	Binding     *Binding
	Health, Was Health
	Heard       time.Time // when there was the last sign of life
	At          time.Time
}

// QualifyParts are what a qualifier needs.
type QualifyParts struct {
	// Probe sends OPTIONS to a binding and says whether there was an answer, whatever
	// it is. The context ends when it is too late for one.
	Probe func(context.Context, *Binding) bool

	// Critical says whether a device is one of those that matter most; it is asked each
	// time that the device registers. nil: none is.
	Critical func(aor string) bool

	// Tell is told when the health of a binding changes, in order. It must not take
	// long. When a binding is gone nothing more is said of it.
	Tell func(Report)
}

// Qualifier finds out whether devices still answer. Give [Qualifier.Observe] to
// [Registrar.OnChange], and have [Qualifier.Heard] called for whatever comes from a
// device. It is safe for use by many goroutines.
type Qualifier struct {
	cfg   QualifyConfig // fixed
	parts QualifyParts  // fixed
	wake  chan struct{} // holds a token if there is something sooner than was known
	room  chan struct{} // holds a token for each question that is under way

	mu     sync.Mutex // guards the fields below
	byID   map[uint64]*patient
	byFlow map[Flow]*party
	ends   deadline.Heap[uint64]
	news   news.Queue[Report]
}

// party is who is on one flow. Behind a proxy, or a PBX, those are thousands, so that
// what comes on it is noted here and not with each of them.
type party struct {
	first *patient
	heard time.Time // when something came last
	ill   int       // how many of them miss answers, and would be well again if something came
}

// patient is a binding that is looked after.
type patient struct {
	binding *Binding
	vitals  vitals
	every   time.Duration
	due     int64 // when to think of it next, in Unix nanoseconds; 0: never

	party          *party
	before, behind *patient // in the party
}

// maxProbes is how many questions may be under way.
const maxProbes = 512

// NewQualifier returns a qualifier that looks after nobody yet.
func NewQualifier(parts QualifyParts, cfg QualifyConfig) *Qualifier {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	if parts.Critical == nil {
		parts.Critical = func(string) bool { return false }
	}
	return &Qualifier{
		cfg: cfg, parts: parts, wake: make(chan struct{}, 1), room: make(chan struct{}, maxProbes),
		byID: map[uint64]*patient{}, byFlow: map[Flow]*party{},
	}
}

// every is how often a device is asked; not more than 0 is never.
func (q *Qualifier) every(aor string) time.Duration {
	if q.parts.Critical(aor) {
		return q.cfg.EveryCritical
	}
	return q.cfg.Every
}

// Observe takes up what has happened to a binding.
func (q *Qualifier) Observe(c Change) {
	every := q.every(c.AOR)
	q.mu.Lock()
	p := q.byID[c.Binding.ID]
	switch {
	case c.What.Gone():
		if p != nil {
			q.leave(p)
			delete(q.byID, c.Binding.ID)
		}
	case p == nil:
		p = &patient{binding: c.Binding, every: every}
		q.byID[c.Binding.ID] = p
		q.enter(p)
		q.schedule(p, c.At.Add(time.Duration(q.cfg.Jitter()*float64(every))))
	case c.Stays() && c.Old.Flow == p.binding.Flow:
		p.binding, p.every = c.Binding, every
	default:
		q.leave(p)
		p.binding, p.every = c.Binding, every
		if c.What == Rebooted && p.due == 0 { // it may be another program now
			p.vitals = vitals{}
			q.schedule(p, c.At.Add(every))
		}
		q.enter(p)
	}
	if p != nil && !c.What.Gone() && c.What != Restored {
		q.change(p, c.At, func(v *vitals) { v.hear(c.At, false) })
	}
	q.tell()
}

// schedule has a patient thought of at a time. The caller holds mu.
func (q *Qualifier) schedule(p *patient, at time.Time) {
	if p.every <= 0 || at.IsZero() {
		p.due = 0
		return
	}
	p.due = at.UnixNano()
	if next, found := q.ends.Next(); !found || p.due < next {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
	q.ends.Push(p.due, p.binding.ID)
}

// enter and leave keep track of who is on a flow. The caller holds mu.
func (q *Qualifier) enter(p *patient) {
	w := q.byFlow[p.binding.Flow]
	if w == nil {
		w = &party{}
		q.byFlow[p.binding.Flow] = w
	}
	p.party, p.before, p.behind = w, nil, w.first
	if w.first != nil {
		w.first.before = p
	}
	w.first = p
	if p.vitals.ill() {
		w.ill++
	}
}

func (q *Qualifier) leave(p *patient) {
	w := p.party
	p.vitals.heard = p.heard()
	if p.vitals.ill() {
		w.ill--
	}
	if p.behind != nil {
		p.behind.before = p.before
	}
	if p.before != nil {
		p.before.behind = p.behind
	} else if w.first = p.behind; w.first == nil {
		delete(q.byFlow, p.binding.Flow)
	}
}

// heard is when there was the last sign of life.
func (p *patient) heard() time.Time {
	if p.party.heard.After(p.vitals.heard) {
		return p.party.heard
	}
	return p.vitals.heard
}

// Heard takes note that something has come on a flow.
func (q *Qualifier) Heard(now time.Time, f Flow) {
	q.mu.Lock()
	if w := q.byFlow[f]; w != nil {
		w.heard = now
		for p := w.first; p != nil && w.ill > 0; p = p.behind {
			q.change(p, now, func(v *vitals) { v.hear(now, false) })
		}
	}
	q.tell()
}

// Health returns the health of a binding.
func (q *Qualifier) Health(binding uint64) Health {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p := q.byID[binding]; p != nil {
		return p.vitals.health()
	}
	return Unasked
}

// change changes what is known of a patient, and takes note if the health is another
// then. The caller holds mu.
func (q *Qualifier) change(p *patient, now time.Time, do func(*vitals)) {
	was, ill := p.vitals.health(), p.vitals.ill()
	p.vitals.heard = p.heard()
	do(&p.vitals)
	switch {
	case ill && !p.vitals.ill():
		p.party.ill--
	case !ill && p.vitals.ill():
		p.party.ill++
	}
	if h := p.vitals.health(); h != was {
		q.news.Add(Report{Binding: p.binding, Health: h, Was: was, Heard: p.vitals.heard, At: now})
	}
}

// tell tells what has changed. The caller holds mu, and does not any more afterwards.
func (q *Qualifier) tell() {
	q.news.Tell(&q.mu, func(r *Report) { q.parts.Tell(*r) })
}

// Due returns the bindings that are to be asked now, and when to look again; the zero
// time if there is nobody.
func (q *Qualifier) Due(now time.Time) (ask []*Binding, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		id, at, found := q.ends.Pop(now.UnixNano())
		if !found {
			break
		}
		p := q.byID[id]
		if p == nil || p.due != at {
			continue
		}
		p.vitals.heard = p.heard()
		probe, again := p.vitals.decide(now, p.every, q.cfg.Jitter())
		if probe {
			ask = append(ask, p.binding)
		}
		q.schedule(p, again)
	}
	if at, found := q.ends.Next(); found {
		next = time.Unix(0, at)
	}
	return ask, next
}

// Answered takes note of what came of asking a binding.
func (q *Qualifier) Answered(asked, now time.Time, binding uint64, ok bool) {
	q.mu.Lock()
	if p := q.byID[binding]; p != nil {
		q.change(p, now, func(v *vitals) {
			if ok {
				v.hear(now, true)
			} else {
				v.miss(asked)
			}
		})
	}
	q.tell()
}

// Run asks until the context ends, and returns when nobody is being asked any more.
func (q *Qualifier) Run(ctx context.Context) {
	var probes sync.WaitGroup
	defer probes.Wait()
	for ctx.Err() == nil {
		ask, next := q.Due(time.Now())
		for _, b := range ask {
			select {
			case q.room <- struct{}{}:
			case <-ctx.Done():
				return
			}
			probes.Go(func() { q.ask(ctx, b) })
		}
		deadline.Wait(ctx, next, q.wake)
	}
}

func (q *Qualifier) ask(ctx context.Context, b *Binding) {
	defer func() { <-q.room }()
	asked := time.Now()
	limited, cancel := context.WithTimeout(ctx, q.cfg.Timeout)
	defer cancel()
	ok := q.parts.Probe(limited, b)
	if ctx.Err() != nil {
		return // nobody waited for the answer
	}
	q.Answered(asked, time.Now(), b.ID, ok)
}
