package presence

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxDown is how long the program may have been away for the word of volatile
// sources to count: as long as a client may take to resume its stream.
const maxDown = 2 * time.Minute

// epochBits leave room for so many changes in one run of the program, before the
// versions of the next run begin.
const epochBits = 40

// restore takes in what was kept when the program ended.
func (e *Engine) restore(ctx context.Context) error {
	if e.opts.Store == nil {
		return nil
	}
	now := time.Now()
	var records []Record
	start, err := e.opts.Store.Load(ctx, func(r Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("presence: read what was known: %w", err)
	}
	e.version.Store(start.Epoch << epochBits)
	e.entry.Store(start.Entry)
	stale := e.opts.Config.Barrier > 0 && now.Sub(start.Alive) <= maxDown
	for i := range records {
		r := &records[i]
		e.shardOf(r.Subject).restore(r, stale, now)
	}
	if stale {
		for _, s := range e.shards {
			s.barrier = now.Add(e.opts.Config.Barrier)
		}
	}
	return nil
}

// restore takes in one subject. What volatile sources said counts for now, if
// stale, or not at all.
func (s *shard) restore(r *Record, stale bool, now time.Time) {
	if s.entry(r.Subject) != nil {
		return
	}
	en := s.enter(r.Subject, r.Kind)
	en.last = r.Last
	for i := range r.Said {
		f := factOf(&r.Said[i])
		f.stale, f.unconfirmed = s.e.volatile(f.source), true
		if !f.stale || stale {
			_, end := of(f.source, en.said)
			en.said = slices.Insert(en.said, end, f)
		}
	}
	// Whoever is away for longer than that cannot have been lost just now.
	en.merged = momentOf(now)
	s.mourn(en, now)
	en.expire(now)
	s.scratch = en.flat(s.scratch[:0])
	en.up = reached(s.scratch, now)
	next, shown := s.merged(en, now)
	var before *Effective
	if r.State != "" {
		before = &Effective{State: r.State, Since: r.Since}
	}
	next.since(before, nil, now)
	if shown == nil {
		shown = pictureOf(next, en.said)
	}
	shown.since = momentOf(next.Since)
	en.publish(shown, s.e.version.Add(1))
	if before == nil || before.State != next.State {
		s.note(en, before, next, why{"", "restart"}, now)
	}
	s.told = append(s.told, r.Subject)
	s.save(en)
	s.foresee(en, now)
}

// volatile reports whether a source ends with the program.
func (e *Engine) volatile(source string) bool {
	for _, prefix := range e.opts.Volatile {
		if strings.HasPrefix(source, prefix) {
			return true
		}
	}
	return false
}
