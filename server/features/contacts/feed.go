package contacts

import (
	"slices"
	"sync"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
)

// feed is what a session has yet to be told of its roster, when that is more than
// its outbox should hold: a change of groups may be a push for each of thousands.
// It is a list of contacts, who are looked up when it is their turn, so that a
// slow client skips what is not true any more.
//
// Each push but the last has a version that says that there is more: whoever loses
// the connection meanwhile is told of all of it again.
type feed struct {
	mu     sync.Mutex
	over   bool           // nothing is taken any more
	queue  [][]jid.Bare   // whom to tell of; the lists are shared, and not changed
	groups *roster.Roster // a picture with the groups that the client is told of
	partly string         // the version of a client that has a part of it
	gets   string         // and of one that has it all
	last   []func()       // what comes after the last push
	waits  bool           // for the client to take something
}

// maxLists bounds a feed's queue: over it, its lists are joined.
const maxLists = 64

// add puts contacts into the queue. The caller holds mu.
func (fd *feed) add(lists [][]jid.Bare, gets string) {
	fd.queue = append(fd.queue, lists...)
	fd.gets = gets
	if len(fd.queue) > maxLists {
		all := slices.Concat(fd.queue...)
		slices.Sort(all)
		fd.queue = [][]jid.Bare{slices.Compact(all)}
	}
}

// next takes a contact from the queue. The caller holds mu.
func (fd *feed) next() (contact jid.Bare, last, ok bool) {
	for len(fd.queue) > 0 && len(fd.queue[0]) == 0 {
		fd.queue = fd.queue[1:]
	}
	if len(fd.queue) == 0 {
		return "", false, false
	}
	contact = fd.queue[0][0]
	fd.queue[0] = fd.queue[0][1:]
	rest := 0
	for _, l := range fd.queue {
		rest += len(l)
	}
	return contact, rest == 0, true
}

// feedOf returns a session's feed, if it has one.
func (f *Feature) feedOf(s *server.Session) *feed {
	if !s.Has(f.feeding) {
		return nil
	}
	fd, _ := f.feeds.Load(s)
	if fd == nil {
		return nil
	}
	return fd.(*feed)
}

// feed tells a session of what is different now in a roster, as its client takes
// it. The order of calls for one session is for the caller to keep.
func (f *Feature) feed(s *server.Session, lists [][]jid.Bare, before, now *roster.Roster) {
	fd := f.feedOf(s)
	if fd == nil || !fd.more(lists, now) {
		fd = &feed{groups: now, partly: now.Partly(before)}
		fd.add(slices.Clone(lists), now.Version())
		f.feeds.Store(s, fd)
		s.Set(f.feeding, true)
	}
	f.pump(s, fd)
	if !s.Has(f.interested) {
		f.drop(s) // it has ended meanwhile
	}
}

// more puts what is different now into a feed that has not come to its end; false
// if it has. What the client knows by then is of too many times to be said.
func (fd *feed) more(lists [][]jid.Bare, now *roster.Roster) bool {
	fd.mu.Lock()
	defer fd.mu.Unlock()
	if !fd.over {
		fd.groups, fd.partly = now, roster.NoVersion
		fd.add(lists, now.Version())
	}
	return !fd.over
}

// take puts a change into a feed that has not come to its end; false if it has.
func (fd *feed) take(c *roster.Change) bool {
	fd.mu.Lock()
	defer fd.mu.Unlock()
	if !fd.over {
		fd.add([][]jid.Bare{{c.Item.Contact}}, c.Version)
	}
	return !fd.over
}

// pump sends what there is room for, and comes again when there is more.
func (f *Feature) pump(s *server.Session, fd *feed) {
	fd.mu.Lock()
	if fd.over || fd.waits {
		fd.mu.Unlock()
		return
	}
	r := f.book.Peek(s.Account.JID)
	if r != nil {
		r = r.GroupsOf(fd.groups)
	}
	for r != nil {
		if !s.Room(nil) {
			fd.waits = true
			fd.mu.Unlock()
			if s.Room(func() { f.resume(s, fd) }) {
				f.resume(s, fd) // it has just taken something
			}
			return
		}
		contact, last, ok := fd.next()
		if !ok {
			break
		}
		ver := fd.partly
		if last {
			ver = fd.gets
		}
		c := r.Change(contact, ver)
		f.push(&c).to(s)
	}
	after := f.end(s, fd)
	fd.mu.Unlock()
	for _, h := range after {
		h()
	}
}

// resume goes on with a feed whose session has room again.
func (f *Feature) resume(s *server.Session, fd *feed) {
	fd.mu.Lock()
	fd.waits = false
	fd.mu.Unlock()
	f.pump(s, fd)
}

// end ends a feed, and returns what comes after it. The caller holds its mu.
func (f *Feature) end(s *server.Session, fd *feed) []func() {
	after := fd.last
	fd.over, fd.queue, fd.last = true, nil, nil
	f.feeds.CompareAndDelete(s, fd)
	s.Set(f.feeding, false)
	return after
}

// drop ends a session's feed because the client is told everything at once, or
// because there is no client any more. What was to come after it is not lost.
func (f *Feature) drop(s *server.Session) {
	fd := f.feedOf(s)
	if fd == nil {
		return
	}
	fd.mu.Lock()
	after := f.end(s, fd)
	fd.mu.Unlock()
	for _, h := range after {
		h()
	}
}

// afterFeed calls h when the session has been told all of its roster: now, if it
// has.
func (f *Feature) afterFeed(s *server.Session, h func()) {
	if fd := f.feedOf(s); fd != nil {
		fd.mu.Lock()
		if !fd.over {
			fd.last = append(fd.last, h)
			fd.mu.Unlock()
			return
		}
		fd.mu.Unlock()
	}
	h()
}

// tell sends a push to a session, behind what it has yet to be told.
func (f *Feature) tell(s *server.Session, c *roster.Change, p push) {
	if fd := f.feedOf(s); fd != nil && fd.take(c) {
		return
	}
	p.to(s)
}
