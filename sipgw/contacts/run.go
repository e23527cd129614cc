package contacts

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/xmpp/jid"
)

// told is what watchers have been told of a device last, by level: the sum of it; 0 is
// that there was nobody to tell.
type told struct{ sum [presence.NumLevels]uint64 }

var seed = maphash.MakeSeed()

func (p picture) sum() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.Write(p.head)
	h.Write(p.tail)
	return h.Sum64() | 1
}

// Run tells watchers of changes, and stores who has subscribed, until the context
// ends.
func (s *Service) Run(ctx context.Context) error {
	s.ctx.Store(&ctx)
	s.audience = s.parts.Audience()
	changed := make(chan []presence.Subject)
	failed := make(chan error, 1)
	go func() { failed <- s.follow(ctx, changed) }()
	for {
		select {
		case list := <-changed:
			for _, who := range list {
				s.pause(ctx)
				s.spread(who)
			}
			changed <- nil // they are done with
		case <-s.grade:
			s.regrade()
		case <-s.again:
			s.retell(ctx)
		case <-s.write:
			s.store(ctx)
		case err := <-failed:
			s.store(context.WithoutCancel(ctx))
			return err
		}
	}
}

// follow hands on which devices have changed, until the context ends.
func (s *Service) follow(ctx context.Context, changed chan []presence.Subject) error {
	for {
		list, err := s.parts.Watch.Next(ctx)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, presence.ErrClosed) {
				return nil
			}
			return err
		}
		changed <- list
		<-changed
	}
}

// Grade has watchers told of what they see now that they have not seen so, because
// the audience or the groups are other ones.
func (s *Service) Grade() {
	select {
	case s.grade <- struct{}{}:
	default:
	}
}

// Again has all watchers told anew, since what they were told may have been lost: the
// link to their server was down.
func (s *Service) Again() {
	select {
	case s.again <- struct{}{}:
	default:
	}
}

// pause waits until much can be sent, so that a thousand phones that are lost at once don't
// fill the link. Without a link there is nothing to wait for.
func (s *Service) pause(ctx context.Context) (up bool) {
	return s.parts.Room == nil || s.parts.Room(ctx) == nil
}

// retell tells all watchers what they see of all devices, and of those that are no more.
// It stops when the link breaks again: then that is to be done once more anyway.
func (s *Service) retell(ctx context.Context) {
	clear(s.told)
	for d := range s.parts.Devices().All() {
		if !s.pause(ctx) {
			return
		}
		for watcher := range s.watchers(d.JID) {
			s.show(watcher, d.JID, false)
		}
	}
	for _, of := range s.lost() {
		s.gone(of)
	}
}

// lost lists the devices that are no more, of which subscribers don't know yet.
func (s *Service) lost() (all []jid.Bare) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for of := range s.subscribers {
		if s.parts.Devices().ByJID(of) == nil {
			all = append(all, of)
		}
	}
	return all
}

// Leave tells all watchers that no device is there any more. It is for a service that
// stops, after Run has returned.
func (s *Service) Leave(ctx context.Context) {
	for d := range s.parts.Devices().All() {
		if !s.pause(ctx) {
			return
		}
		p := farewell(d.JID)
		for watcher := range s.watchers(d.JID) {
			if err := s.parts.Send(ctx, p.to(string(watcher))); err != nil {
				return
			}
		}
	}
}

// Changed is for [device.Register.OnChanged]: what people see of a device besides its
// state is another thing, or it is gone.
func (s *Service) Changed(before, now *device.Device) {
	switch {
	case before == nil:
	case now == nil:
		s.gone(before.JID)
	case now.Name != before.Name || now.Class != before.Class:
		for watcher := range s.watchers(now.JID) {
			s.show(watcher, now.JID, true)
		}
	}
}

// gone tells watchers that a device is no more, and forgets who has subscribed.
func (s *Service) gone(of jid.Bare) {
	for watcher := range s.watchers(of) {
		s.send(farewell(of).to(string(watcher)))
	}
	for _, watcher := range s.subscribed(of) {
		if s.say(of, watcher, "unsubscribed") || !s.parts.Apart { // else they learn it when the link is back
			s.keep(watcher, of, false)
		}
	}
}

// watchers goes through all who watch a device and are there.
func (s *Service) watchers(of jid.Bare) func(func(jid.Bare) bool) {
	return func(yield func(jid.Bare) bool) {
		var groups Groups
		if s.parts.Groups != nil {
			groups = s.parts.Groups()
			for watcher := range groups.Watchers(of) {
				if s.online(watcher) && !yield(watcher) {
					return
				}
			}
		}
		for _, watcher := range s.subscribed(of) {
			if groups != nil && groups.Sees(watcher, of) {
				continue
			}
			if s.online(watcher) && !yield(watcher) {
				return
			}
		}
	}
}

// online says whether somebody is there to be told. Devices, which groups show to one
// another, don't look.
func (s *Service) online(watcher jid.Bare) bool {
	if watcher.Domain() == s.parts.Devices().Domain() {
		return false
	}
	return s.parts.Online == nil || s.parts.Online(watcher)
}

// spread tells those who watch a device what it is in now, if they see a difference.
// What one of them was shown meanwhile by itself counts as well: it is looked at before
// the state is.
func (s *Service) spread(of presence.Subject) {
	d := s.parts.Devices().ByJID(of)
	if d == nil {
		s.forget(of)
		return
	}
	was, unseen := s.known(of)
	e := s.parts.States.State(of)
	var now told
	var pictures [presence.NumLevels]picture
	for watcher := range s.watchers(of) {
		l := s.audience.Level(watcher, of)
		if now.sum[l] == 0 {
			pictures[l] = s.render(d, e, s.audience, l)
			now.sum[l] = pictures[l].sum()
		}
		if now.sum[l] != was.sum[l] && !(pictures[l].nothing && unseen) {
			s.send(pictures[l].to(string(watcher)))
		}
	}
	s.told[of] = &now
}

// several is that watchers of one level were shown different things: it is the sum of
// nothing.
const several = 2

// shown notes what somebody of a level was shown of a device by itself.
func (s *Service) shown(of jid.Bare, l presence.Level, sum uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.meanwhile[of]
	if m == nil {
		m = new(told)
		s.meanwhile[of] = m
	}
	switch m.sum[l] {
	case 0, sum:
		m.sum[l] = sum
	default:
		m.sum[l] = several
	}
}

// known returns what all watchers of each level know of a device: 0 where there was
// nobody, several where they don't know the same. unseen is that nobody has been told anything yet: that it is not there
// is no news then.
func (s *Service) known(of jid.Bare) (was told, unseen bool) {
	before := s.told[of]
	if before != nil {
		was = *before
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.meanwhile[of]
	delete(s.meanwhile, of)
	if m == nil {
		return was, before == nil || *before == (told{})
	}
	for l, sum := range m.sum {
		switch {
		case sum == 0:
		case was.sum[l] == 0:
			was.sum[l] = sum // nobody was there then, and whoever came has asked
		case was.sum[l] != sum:
			was.sum[l] = several
		}
	}
	return was, false
}

// forget forgets what was told of a device that is no more.
func (s *Service) forget(of jid.Bare) {
	delete(s.told, of)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.meanwhile, of)
}

// regrade tells those who see another level of a device than before.
func (s *Service) regrade() {
	before, now := s.audience, s.parts.Audience()
	s.audience = now
	for d := range s.parts.Devices().All() {
		for watcher := range s.watchers(d.JID) {
			if before.Level(watcher, d.JID) != now.Level(watcher, d.JID) {
				s.show(watcher, d.JID, s.told[d.JID] == nil)
			}
		}
	}
	for _, was := range s.told { // the words may be others
		for l := range was.sum {
			if was.sum[l] != 0 {
				was.sum[l] = several
			}
		}
	}
}

// store writes down who has subscribed. What cannot be written is tried again with
// the next.
func (s *Service) store(running context.Context) {
	ctx, cancel := context.WithTimeout(running, 10*time.Second)
	defer cancel()
	s.mu.Lock()
	all := s.writing
	s.writing = nil
	s.mu.Unlock()
	for i, c := range all {
		if err := s.parts.Store.SetSubscriber(ctx, c.Subscriber, c.subscribed); err != nil {
			if running.Err() == nil { // else it is written in the end
				s.parts.Log.Error("a subscription to a device could not be stored", "jid", c.Watcher, "peer", c.Device, "err", err)
			}
			s.mu.Lock()
			s.writing = append(all[i:], s.writing...)
			s.mu.Unlock()
			return
		}
	}
}
