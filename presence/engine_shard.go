package presence

import (
	"context"
	"hash/maphash"
	"strings"
	"time"
)

// shard owns some of the subjects.
type shard struct {
	// Fixed.
	e *Engine

	// Safe.
	in       inbox
	table    table
	audience audience

	// Owned by the goroutine of run.
	alarms  alarms
	barrier time.Time // when stale contributions are dropped; zero: there are none
	spare   []report
	scratch []Contribution
	made    Effective // of those whose picture need not be whole
	before  Effective
	told    []Subject // have changed in this turn
	unsaved []*entry
	gone    []Subject
	journal []Entry
	hurry   bool // something of it is not said again by itself
}

func newShard(e *Engine) *shard {
	s := &shard{e: e}
	s.in.wake, s.in.at = make(chan struct{}, 1), make(map[origin]int)
	s.audience.of = make(map[Subject][]*Watch)
	return s
}

func (s *shard) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var set time.Time
	for {
		select {
		case <-s.in.wake:
		case <-timer.C:
			set = time.Time{}
		case <-ctx.Done():
			return
		}
		s.turn(time.Now())
		if due := s.due(); !due.Equal(set) && !due.IsZero() {
			set = due
			timer.Reset(time.Until(due))
		}
	}
}

// due is when there is something to do by itself; zero is never.
func (s *shard) due() time.Time {
	return sooner(s.alarms.first(), s.barrier)
}

// sooner returns the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// turn does all that there is to do now.
func (s *shard) turn(now time.Time) {
	reports, asks := s.in.take(s.spare)
	for i := range reports {
		s.hear(&reports[i], now)
	}
	clear(reports)
	if s.spare = reports; cap(reports) > keepReports {
		s.spare = nil
	}
	if !s.barrier.IsZero() && !now.Before(s.barrier) {
		s.barrier = time.Time{}
		s.drop("", false, now)
	}
	for en := s.alarms.pop(now); en != nil; en = s.alarms.pop(now) {
		s.wakeUp(en, now)
	}
	s.tell()
	for _, do := range asks {
		do(s)
	}
	s.tell()
	if s.e.saver != nil && len(s.unsaved)+len(s.gone)+len(s.journal) > 0 {
		s.e.saver.poke(s.hurry)
		s.hurry = false
	}
}

// tell marks what has changed for those who watch.
func (s *shard) tell() {
	if len(s.told) > 0 {
		s.e.mark(s, s.told)
		s.told = s.told[:0]
	}
}

// hear takes in a report.
func (s *shard) hear(r *report, now time.Time) {
	en := s.entry(r.subject)
	if en == nil {
		if len(r.said) == 0 {
			return
		}
		en = s.enter(r.subject, r.kind)
	}
	before, ok := en.replace(r, now)
	switch {
	case !ok && len(r.said) > 0:
		s.refuse(en, r.source)
	case !ok: // it had said nothing either
	case en.kind == r.kind && again(before, r.said, momentOf(now)):
		s.extend(en, now)
	case len(r.said) == 0:
		s.merge(en, why{r.source, "withdrawn"}, now)
	default:
		en.kind = r.kind
		s.merge(en, why{r.source, "reported"}, now)
	}
}

// refuse says once that a subject has too many sources.
func (s *shard) refuse(en *entry, source string) {
	if !en.full {
		en.full = true
		s.e.opts.Log.Warn("too many sources speak of a subject", "jid", en.subject, "source", source, "most", maxSources)
	}
}

// extend is for a source that has said the same again: nothing changes but when
// that ends.
func (s *shard) extend(en *entry, now time.Time) {
	s.scratch = en.flat(s.scratch[:0])
	en.renew()
	if en.next = 0; en.flaps != nil && !en.flaps.until.IsZero() {
		en.next = afterAll(en.flaps.until)
	}
	s.foresee(en, now)
	s.save(en)
}

// entry returns what is known of a subject, or nil.
func (s *shard) entry(subject Subject) *entry {
	return s.table.find(maphash.String(s.e.seed, string(subject)), subject)
}

func (s *shard) enter(subject Subject, kind Kind) *entry {
	en := &entry{hash: maphash.String(s.e.seed, string(subject)), subject: subject, kind: kind, index: -1}
	s.table.add(en)
	return en
}

// merge makes the state of a subject anew.
func (s *shard) merge(en *entry, w why, now time.Time) {
	s.save(en)
	s.mourn(en, now)
	if expired := en.expire(now); w.how == "" {
		w = expired
	}
	s.scratch = en.flat(s.scratch[:0])
	en.next = 0
	if en.kind == Device {
		s.damp(en, &w, now)
	}
	en.merged = momentOf(now)
	next, p := s.merged(en, now)
	s.settle(en, next, p, w, now)
	s.foresee(en, now)
}

// merged is [Merge] with what the engine goes by, of what is in scratch. Without a picture
// the state is the shard's, until the next one is made.
func (s *shard) merged(en *entry, now time.Time) (*Effective, *picture) {
	e, w := &s.made, (*whole)(nil)
	if !few(en.kind, en.said) {
		w = new(whole)
		e = &w.state
		w.whole = e
	}
	e.Subject, e.Kind = en.subject, en.kind
	e.merge(s.scratch, s.e.catalogue.Load(), s.e.opts.Terms(en.subject, en.kind), now)
	if w == nil {
		return e, nil
	}
	return e, &w.picture
}

// foresee finds out when a subject's state may change by itself.
func (s *shard) foresee(en *entry, now time.Time) {
	if next := NextChange(s.scratch, now); next.After(now) && (en.next == 0 || afterAll(next) < en.next) {
		en.next = afterAll(next)
	}
	s.alarm(en)
}

// settle decides when watchers hear of a state. p is its picture, if there is one.
func (s *shard) settle(en *entry, next *Effective, p *picture, w why, now time.Time) {
	shown := s.shown(en)
	next.since(shown, en.pending, now)
	if shown != nil && shown.Kind == next.Kind && Same(shown, next) {
		en.pending = nil
		return
	}
	at := now.Add(s.e.opts.Config.Settle.delay(shown, next, s.e.catalogue.Load()))
	if en.pending != nil && !at.Before(en.pending.settles) {
		at = en.pending.settles
	}
	if p == nil {
		p = pictureOf(next, en.said)
	}
	p.since = momentOf(next.Since)
	if at.After(now) {
		en.pending = &pending{p, at, w}
		return
	}
	s.show(en, shown, next, p, w, now)
}

// shown returns what is shown of a subject, for the moment; nil is nothing.
func (s *shard) shown(en *entry) *Effective {
	if p := en.shown.Load(); p != nil {
		return p.effective(en.subject, &s.before)
	}
	return nil
}

// show publishes a state and its picture in place of what was shown before.
func (s *shard) show(en *entry, before, next *Effective, p *picture, w why, now time.Time) {
	en.pending = nil
	en.publish(p, s.e.version.Add(1))
	s.told = append(s.told, en.subject)
	if notable(before, next) {
		s.note(en, before, next, w, now)
		s.hurry = s.hurry || !s.e.volatile(w.source)
	}
	s.save(en)
}

// wakeUp is for a subject whose time has come.
func (s *shard) wakeUp(en *entry, now time.Time) {
	if en.next != 0 && en.next <= momentOf(now) {
		s.merge(en, why{}, now)
	}
	if p := en.pending; p != nil && !p.settles.After(now) {
		s.show(en, s.shown(en), p.picture.effective(en.subject, &s.made), p.picture, p.why, now)
	}
	s.alarm(en)
}

func (s *shard) alarm(en *entry) {
	var at time.Time
	if en.next != 0 {
		at = en.next.time()
	}
	if en.pending != nil {
		at = sooner(at, en.pending.settles)
	}
	s.alarms.set(en, at)
}

// save has a subject stored.
func (s *shard) save(en *entry) {
	if s.e.saver != nil && !en.unsaved {
		en.unsaved = true
		s.unsaved = append(s.unsaved, en)
	}
}

// drop removes what has not been heard since the restart of sources whose names
// begin with prefix: of the volatile ones only, or of all.
func (s *shard) drop(prefix string, all bool, now time.Time) {
	gone := func(f fact) bool {
		return f.unconfirmed && strings.HasPrefix(f.source, prefix) && (all || s.e.volatile(f.source))
	}
	for en := range s.table.all() {
		if en.without(gone) {
			s.merge(en, why{prefix, "not said again after a restart"}, now)
		}
	}
}

// forget removes a subject.
func (s *shard) forget(subject Subject, now time.Time) {
	en := s.entry(subject)
	if en == nil {
		return
	}
	if shown := s.shown(en); shown != nil {
		s.note(en, shown, nil, why{how: "forgotten"}, now)
	}
	s.alarms.set(en, time.Time{})
	en.said, en.pending = nil, nil
	en.shown.Store(nil)
	s.table.remove(en)
	s.told = append(s.told, subject)
	s.gone = append(s.gone, subject)
}

// mourn tells who wants to hear of it what is about to be dropped because it has
// expired.
func (s *shard) mourn(en *entry, now time.Time) {
	tell := s.e.opts.Expired
	if tell == nil {
		return
	}
	end := momentOf(now)
	for i := range en.said {
		if f := &en.said[i]; f.expires <= end && !f.lapses() {
			c := f.contribution()
			tell(en.subject, en.kind, &c)
		}
	}
}
