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
	entries map[Subject]*entry
	alarms  alarms
	barrier time.Time // when stale contributions are dropped; zero: there are none
	spare   []report
	scratch []Contribution
	told    []Subject // have changed in this turn
	unsaved []*entry
	gone    []Subject
	journal []Entry
	hurry   bool // something of it is not said again by itself
}

func newShard(e *Engine) *shard {
	s := &shard{e: e, entries: make(map[Subject]*entry)}
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
	en := s.entries[r.subject]
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
	case en.kind == r.kind && before.again(r.said, now):
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
		s.e.opts.Log.Warn("too many sources speak of a subject", "jid", en.slot.subject, "source", source, "most", maxSources)
	}
}

// extend is for a source that has said the same again: nothing changes but when
// that ends.
func (s *shard) extend(en *entry, now time.Time) {
	s.scratch = en.flat(s.scratch[:0])
	en.next = en.flaps.until
	s.foresee(en, now)
	s.save(en)
}

func (s *shard) enter(subject Subject, kind Kind) *entry {
	h := maphash.String(s.e.seed, string(subject))
	en := &entry{kind: kind, slot: &slot{hash: h, subject: subject}, index: -1}
	s.entries[subject] = en
	s.table.add(en.slot)
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
	en.next = time.Time{}
	if en.kind == Device {
		s.damp(en, &w, now)
	}
	en.merged = now
	s.settle(en, s.e.merged(en.slot.subject, en.kind, s.scratch, now), w, now)
	s.foresee(en, now)
}

// merged is [Merge] with what the engine goes by.
func (e *Engine) merged(subject Subject, kind Kind, cs []Contribution, now time.Time) *Effective {
	return Merge(subject, kind, cs, e.catalogue.Load(), e.opts.Terms(subject, kind), now)
}

// foresee finds out when a subject's state may change by itself.
func (s *shard) foresee(en *entry, now time.Time) {
	if next := NextChange(s.scratch, now); next.After(now) {
		en.next = sooner(en.next, next)
	}
	s.alarm(en)
}

// settle decides when watchers hear of a state.
func (s *shard) settle(en *entry, next *Effective, w why, now time.Time) {
	shown := en.slot.shown.Load()
	next.since(shown, en.pending, now)
	if shown != nil && shown.Kind == next.Kind && Same(shown, next) {
		en.pending, en.settles = nil, time.Time{}
		return
	}
	at := now.Add(s.e.opts.Config.Settle.delay(shown, next, s.e.catalogue.Load()))
	if en.pending == nil || at.Before(en.settles) {
		en.settles = at
	}
	en.pending, en.why = next, w
	if !en.settles.After(now) {
		s.show(en, now)
	}
}

// show publishes the pending state.
func (s *shard) show(en *entry, now time.Time) {
	before, next := en.slot.shown.Load(), en.pending
	en.pending, en.settles = nil, time.Time{}
	next.Version = s.e.version.Add(1)
	en.slot.shown.Store(next)
	s.told = append(s.told, en.slot.subject)
	if notable(before, next) {
		s.note(en, before, next, now)
		s.hurry = s.hurry || !s.e.volatile(en.why.source)
	}
	s.save(en)
}

// wakeUp is for a subject whose time has come.
func (s *shard) wakeUp(en *entry, now time.Time) {
	if !en.next.IsZero() && !en.next.After(now) {
		s.merge(en, why{}, now)
	}
	if en.pending != nil && !en.settles.After(now) {
		s.show(en, now)
	}
	s.alarm(en)
}

func (s *shard) alarm(en *entry) {
	s.alarms.set(en, sooner(en.next, en.settles))
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
	for _, en := range s.entries {
		n := len(en.said)
		kept := en.said[:0]
		for _, said := range en.said {
			if !said.unconfirmed || !strings.HasPrefix(said.source, prefix) || !all && !s.e.volatile(said.source) {
				kept = append(kept, said)
			}
		}
		clear(en.said[len(kept):])
		if en.said = kept; len(kept) < n {
			s.merge(en, why{prefix, "not said again after a restart"}, now)
		}
	}
}

// forget removes a subject.
func (s *shard) forget(subject Subject, now time.Time) {
	en := s.entries[subject]
	if en == nil {
		return
	}
	if shown := en.slot.shown.Load(); shown != nil {
		en.why = why{how: "forgotten"}
		s.note(en, shown, nil, now)
	}
	delete(s.entries, subject)
	s.alarms.set(en, time.Time{})
	en.said, en.pending = nil, nil
	en.slot.shown.Store(nil)
	s.table.remove(en.slot)
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
	for i := range en.said {
		for j := range en.said[i].list {
			if c := &en.said[i].list[j]; !c.Expires.After(now) && c.Lapse == "" {
				tell(en.slot.subject, en.kind, c)
			}
		}
	}
}
