package presence

import (
	"context"
	"fmt"
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
	if s.entries[r.Subject] != nil {
		return
	}
	en := s.enter(r.Subject, r.Kind)
	en.last = r.Last
	for _, c := range r.Said {
		c.Stale = s.e.volatile(c.Source)
		if c.Stale && !stale {
			continue
		}
		i := en.find(c.Source)
		if i < 0 {
			i = len(en.said)
			en.said = append(en.said, sayings{source: c.Source, unconfirmed: true})
		}
		en.said[i].list = append(en.said[i].list, c)
	}
	// Whoever is away for longer than that cannot have been lost just now.
	en.merged = now
	s.mourn(en, now)
	en.expire(now)
	s.scratch = en.flat(s.scratch[:0])
	en.up = reached(s.scratch, now)
	next := s.e.merged(r.Subject, r.Kind, s.scratch, now)
	var before *Effective
	if r.State != "" {
		before = &Effective{State: r.State, Since: r.Since}
	}
	next.since(before, nil, now)
	next.Version = s.e.version.Add(1)
	en.slot.shown.Store(next)
	if before == nil || before.State != next.State {
		en.why = why{"", "restart"}
		s.note(en, before, next, now)
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
