package publish

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"rollcall/sipgw/deadline"
)

// schedule has a publication looked at when it is over. The caller holds the shard.
func (c *Compositor) schedule(s *shard, e *entry) {
	e.due = e.now.Expires.UnixNano()
	if next, found := s.ends.Next(); !found || e.due < next {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	s.ends.Push(e.due, place{e.now.Resource, e.now.ID})
}

// anew is how long who is told that a tag is of no use has to publish anew.
const anew = 32 * time.Second

// outdate is for a tag that there is not. After a crash it may be one that was given
// and not stored any more. Then what was stored is not what its publisher says now; it
// would be there until its end, beside what they publish next, and nobody would take it
// back: somebody would be on the phone for an hour. The caller holds the shard.
func (c *Compositor) outdate(s *shard, r *Request, tag string, now time.Time) {
	for _, e := range s.resources[r.Resource] {
		p := e.now
		if !e.restored || e.outdated || p.Event != r.Event || p.Publisher != r.Publisher ||
			len(tag) < tagPart || len(p.ETag) < tagPart || tag[:tagPart] != p.ETag[:tagPart] {
			continue
		}
		e.outdated = true
		if at := now.Add(anew); at.Before(p.Expires) {
			e.due = at.UnixNano()
			s.ends.Push(e.due, place{p.Resource, p.ID})
			select {
			case c.wake <- struct{}{}:
			default:
			}
		}
	}
}

// drop removes a publication. The caller holds the shard.
func (c *Compositor) drop(s *shard, e *entry, why What, now time.Time) {
	p := e.now
	left := slices.DeleteFunc(s.resources[p.Resource], func(o *entry) bool { return o == e })
	if len(left) == 0 {
		delete(s.resources, p.Resource)
	} else {
		s.resources[p.Resource] = left
	}
	c.keeper.Drop(p.ID)
	s.news.Add(Change{What: why, Publication: p, At: now})
}

// Expire removes what is over, and says when to look again; the zero time if there is
// nothing.
func (c *Compositor) Expire(now time.Time) (next time.Time) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for {
			p, at, found := s.ends.Pop(now.UnixNano())
			if !found {
				break
			}
			c.expire(s, p, at, now)
		}
		if at, found := s.ends.Next(); found {
			if t := time.Unix(0, at); next.IsZero() || t.Before(next) {
				next = t
			}
		}
		c.tell(s)
	}
	return next
}

// expire looks at a publication whose time may have come. The caller holds the shard.
func (c *Compositor) expire(s *shard, p place, at int64, now time.Time) {
	for _, e := range s.resources[p.resource] {
		switch {
		case e.now.ID != p.id || e.due != at:
		case e.outdated && e.now.Expires.After(now):
			c.drop(s, e, Forgotten, now)
			return
		case e.now.Expires.After(now): // it was refreshed
			c.schedule(s, e)
			return
		default:
			c.drop(s, e, Expired, now)
			return
		}
	}
}

// Forget removes what a publisher has published about a resource before a time:
// when it was restarted it does not know of that any more, or when it is not to be
// there.
func (c *Compositor) Forget(now time.Time, resource, publisher string, before time.Time) {
	s := c.shard(resource)
	s.mu.Lock()
	for _, e := range slices.Clone(s.resources[resource]) {
		if e.now.Publisher == publisher && e.now.Since.Before(before) {
			c.drop(s, e, Forgotten, now)
		}
	}
	c.tell(s)
}

// Load reads what was stored, and tells the listeners. It is to be called before
// anything else, once. What cannot be understood any more is dropped.
func (c *Compositor) Load(ctx context.Context, now time.Time) error {
	list, err := c.parts.Store.LoadPublications(ctx)
	if err != nil {
		return fmt.Errorf("publish: load the publications: %w", err)
	}
	for _, p := range list {
		c.lastID.Store(max(c.lastID.Load(), p.ID))
		if !c.restore(p, now) {
			c.keeper.Drop(p.ID)
			continue
		}
		s := c.shard(p.Resource)
		s.mu.Lock()
		e := &entry{now: p, restored: true}
		s.resources[p.Resource] = append(s.resources[p.Resource], e)
		c.schedule(s, e)
		s.news.Add(Change{What: Restored, Publication: p, At: now})
		c.tell(s)
	}
	return nil
}

// restore says whether a publication that was stored still holds, and reads its body.
func (c *Compositor) restore(p *Publication, now time.Time) bool {
	pkg, known := c.parts.Packages[p.Event]
	if !known || !p.Expires.After(now) || !c.parts.Serves(p.Resource) {
		return false
	}
	// If the clock was put back it is not to last longer than anything is granted.
	if most := now.Add(c.cfg.MaxExpires); p.Expires.After(most) {
		p.Expires = most
	}
	if pkg.Parse == nil {
		return true
	}
	state, err := pkg.Parse(p.ContentType, p.Body)
	p.State = state
	return err == nil
}

// Run has publications expire and stores them until the context ends, and returns
// when the rest is stored.
func (c *Compositor) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { c.keeper.Run(ctx) })
	defer work.Wait()
	for ctx.Err() == nil {
		deadline.Wait(ctx, c.Expire(time.Now()), c.wake)
	}
}
