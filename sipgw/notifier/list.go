package notifier

import (
	"strconv"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/event"
	"rollcall/sipgw/rlmi"
	"rollcall/sipgw/transport"
)

// A listing is what a subscription to a list watches (RFC 4662): each entry as a
// subscription of its own would.
type listing struct {
	group string // fixed; the rest is guarded by [Notifier.mu]

	members []*member
	full    bool // all of it is to be told
	more    bool // it did not fit into one message; the rest waits for nothing
}

type member struct {
	Member
	place place
	level presence.Level
	may   event.Permission
	seen  uint64 // hash of what was told last; 0: nothing was
}

// Hashes of what is said of an entry without a document.
const (
	hashRefused = 2
	hashPending = 4
	hashGone    = 6
)

// forget has all of a list told again.
func (l *listing) forget() {
	if l == nil {
		return
	}
	l.full, l.more = true, false
	for _, m := range l.members {
		m.seen = 0
	}
}

// enlist finds out what is on a list, and has the subscription watch it. It is false
// if there is no such list for the watcher. n.mu is not held.
func (n *Notifier) enlist(s *subscription, group string) bool {
	all, ok := n.parts.Group(group, s.watcher.As)
	if !ok {
		return false
	}
	all = all[:min(len(all), n.cfg.MaxMembers)]
	l := &listing{group: group, full: true}
	places := make([]*place, len(all))
	for i := range all {
		m := &member{Member: all[i]}
		m.level, m.may = n.judge(s.pack, s.watcher, m.Subject)
		m.place.owner, m.place.entry = s, m
		l.members = append(l.members, m)
		places[i] = &m.place
	}
	n.mu.Lock()
	if s.gone || s.list != nil && s.list.same(l) {
		n.mu.Unlock()
		return !s.gone
	}
	for _, m := range l.members {
		n.occupy(&m.place, topicKey{s.pack, m.Subject}, look{m.URI, m.level, s.form, s.lang, s.profile})
	}
	if s.list == nil {
		s.list = l
	} else {
		n.leave(s)
		s.list.members, s.dirty = l.members, true
		s.list.forget()
	}
	n.entries += len(l.members)
	n.mu.Unlock()
	n.learn(places...)
	return true
}

// same reports whether two listings have the same entries, seen in the same way.
func (l *listing) same(o *listing) bool {
	if len(l.members) != len(o.members) {
		return false
	}
	for i, m := range l.members {
		if m.Member != o.members[i].Member || m.level != o.members[i].level || m.may != o.members[i].may {
			return false
		}
	}
	return true
}

// hash is that of what is to be told of an entry; 0 is nothing yet. n.mu is held.
func (n *Notifier) hash(m *member, now time.Time) uint64 {
	switch {
	case m.may == event.Refused:
		return hashRefused
	case m.may == event.Undecided:
		return hashPending
	case m.place.topic.turn == 0:
		return 0
	}
	if d := n.document(&m.place, now, false); !d.gone {
		return d.hash
	}
	return hashGone
}

// listNews reports whether there is anything of a list to be told.
func (n *Notifier) listNews(s *subscription, now time.Time) bool {
	if s.list.full {
		return true
	}
	for _, m := range s.list.members {
		if n.hash(m, now) != m.seen {
			return true
		}
	}
	return false
}

// bodyRoom is how many bytes the body of a message may have.
func (n *Notifier) bodyRoom(f transport.Flow) int {
	const most = 256 << 10
	if f.Open() && f.Kind() != transport.UDP {
		return most
	}
	return n.cfg.MaxDatagram
}

// partHead is about what a part of a body costs beside the document, and its entry in
// the list.
const partHead = 300

// enclose puts a list into a letter: all of it, or what has changed. What has no room
// is named without a state, and told next. n.mu is held.
func (n *Notifier) enclose(s *subscription, l *letter, now time.Time, bag *bag) {
	list := s.list
	note := rlmi.Notification{List: rlmi.List{URI: s.entity, Version: s.version, Full: list.full}}
	room := n.bodyRoom(l.out.Flow)
	full := list.full
	list.full, list.more = false, false
	used := 0
	for i, m := range list.members {
		h := n.hash(m, now)
		if !full && h == m.seen {
			continue
		}
		entry := rlmi.Resource{URI: m.URI, Name: m.Name}
		instance := rlmi.Instance{ID: "1"}
		switch h {
		case 0:
		case hashRefused:
			instance.State, instance.Reason = event.Terminated, event.Rejected
		case hashGone:
			instance.State, instance.Reason = event.Terminated, event.NoResource
		case hashPending:
			instance.State = event.Pending
		default:
			d := n.document(&m.place, now, true)
			size := len(d.body) + partHead
			if used > 0 && used+size > room {
				list.more = true
				h = 0
				break
			}
			used += size
			instance.State, instance.CID = event.Active, strconv.Itoa(i)+"@rollcall"
			note.Parts = append(note.Parts, rlmi.Part{
				CID: instance.CID, Type: s.pack.Types[s.form], Body: d.appendTo(nil, s.version),
			})
		}
		m.seen = h
		if h != 0 {
			entry.Instances = []rlmi.Instance{instance}
		} else if !full {
			continue
		}
		note.List.Resources = append(note.List.Resources, entry)
	}
	s.version++
	s.dirty = list.more
	at := len(bag.pages)
	bag.pages, l.out.ContentType = note.Append(bag.pages)
	l.out.Body = bag.pages[at:len(bag.pages):len(bag.pages)]
}
