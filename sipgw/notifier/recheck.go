package notifier

import (
	"sync/atomic"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/transport"
)

// Recheck finds out again what a watcher may see of a subject, because somebody has
// decided, or rules, groups or block lists have changed; "" is every watcher, or every
// subject. Who may see more, less or nothing any more is told so. Lists of the watcher
// are made again.
func (n *Notifier) Recheck(watcher, subject presence.Subject) {
	n.mu.Lock()
	var all []*subscription
	for _, s := range n.dialogs {
		mine := watcher == "" || s.watcher.As == watcher
		if mine && (subject == "" || s.list != nil || s.place.topic.key.subject == subject) {
			all = append(all, s)
		}
	}
	n.mu.Unlock()
	var bag bag
	for _, s := range all {
		if s.list != nil {
			n.recheckList(s, &bag)
		} else {
			n.recheck(s, &bag)
		}
		n.send(&bag)
	}
}

// Regrouped says that the members of a roster group are others than before.
func (n *Notifier) Regrouped(group string) {
	n.mu.Lock()
	var all []*subscription
	for _, s := range n.dialogs {
		if s.list != nil && s.list.group == group {
			all = append(all, s)
		}
	}
	n.mu.Unlock()
	var bag bag
	for _, s := range all {
		n.recheckList(s, &bag)
		n.send(&bag)
	}
}

func (n *Notifier) recheck(s *subscription, bag *bag) {
	n.mu.Lock()
	if s.gone {
		n.mu.Unlock()
		return
	}
	subject := s.place.topic.key.subject
	n.mu.Unlock()
	level, may := n.judge(s.pack, s.watcher, subject)
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.gone {
		return
	}
	n.look(&s.place, s.look(level))
	before := s.machine.Phase
	act := s.machine.Decide(may)
	if s.machine.Phase == before {
		n.offer(s, now, bag)
		return
	}
	what := latest
	if act.Remove {
		what = nothing
	}
	n.perform(s, act, what, now, bag)
}

func (n *Notifier) recheckList(s *subscription, bag *bag) {
	ok := n.enlist(s, s.list.group)
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case s.gone:
	case !ok:
		n.perform(s, s.machine.Gone(), nothing, now, bag)
	default:
		n.offer(s, now, bag)
	}
}

// farewell is how long watchers have to hear that we stop.
const farewell = 2 * time.Second

// stop ends all subscriptions, if that is wanted, and waits until that has been heard.
func (n *Notifier) stop() {
	n.mu.Lock()
	n.stopped = true
	if !n.cfg.EndOnStop {
		n.mu.Unlock()
		return
	}
	var bag bag
	now := time.Now()
	for _, s := range n.dialogs {
		n.perform(s, s.machine.Stop(), nothing, now, &bag)
	}
	n.mu.Unlock()
	if len(bag.letters) == 0 {
		return
	}
	var left atomic.Int64
	left.Store(int64(len(bag.letters)))
	heard := make(chan struct{})
	for i := range bag.letters {
		l := &bag.letters[i]
		l.out.Fields = l.fields[:l.used]
		n.parts.Transport.Start(l.out, func(*transport.Response, error) {
			if left.Add(-1) == 0 {
				close(heard)
			}
		})
	}
	select {
	case <-heard:
	case <-time.After(farewell):
	}
}
