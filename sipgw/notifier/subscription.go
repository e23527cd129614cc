package notifier

import (
	"slices"
	"time"

	"rollcall/sipgw/event"
	"rollcall/sipgw/profile"
	"rollcall/sipgw/transport"
)

// A dialogKey finds the subscription that a request belongs to (RFC 3261 §12).
type dialogKey struct{ callID, local, remote string }

// A phoneKey is what two subscriptions have in common of which the second takes the
// place of the first: the phone has forgotten that one, or it would have refreshed it.
type phoneKey struct{ user, phone, entity, event, id string }

// A subscription is one watcher's. All of it is guarded by [Notifier.mu]; the first
// group does not change.
type subscription struct {
	id        uint64
	pack      *pack
	eventID   string
	pace      time.Duration
	entity    string // exactly the URI that was subscribed to
	user      string
	watcher   Watcher
	agent     string // what the phone calls itself
	profile   *profile.Profile
	lang      string
	form      uint8 // which of the types of the package
	key       dialogKey
	from, to  string // as in the NOTIFY
	phone     phoneKey
	group     string   // of a list, "" for one subject
	place     place    // of one subject: where it watches
	list      *listing // of a list
	routes    []string
	target    string
	flow      transport.Flow
	machine   event.Notifier
	theirs    uint32 // CSeq of the last SUBSCRIBE
	cseq      uint32 // of the last NOTIFY
	version   uint32 // of the next document
	limit     uint32 // CSeq that must not be passed before more are stored
	asked     uint32 // CSeq that is being stored
	flight    uint32 // CSeq of the NOTIFY that is on its way; 0: none is
	last      time.Time
	seen      uint64 // hash of the document that was sent last; 0: none counts
	dirty     bool   // there may be news
	urgent    bool   // that must not wait
	gone      bool
	at        time.Time // when it is due
	slot      int       // where it stands in the agenda, plus one
	userIndex int
}

// enter adds a subscription to all that finds it. n.mu is held.
func (n *Notifier) enter(s *subscription) {
	n.dialogs[s.key] = s
	n.byID[s.id] = s
	s.userIndex = len(n.byUser[s.user])
	n.byUser[s.user] = append(n.byUser[s.user], s)
	if old := n.byPhone[s.phone]; old != nil {
		n.drop(old)
	}
	n.byPhone[s.phone] = s
	n.schedule(s, s.machine.Expires)
}

// drop forgets a subscription. n.mu is held.
func (n *Notifier) drop(s *subscription) {
	if s.gone {
		return
	}
	s.gone = true
	n.due.remove(s)
	n.leave(s)
	if n.dialogs[s.key] != s {
		return // it was never entered
	}
	delete(n.dialogs, s.key)
	delete(n.byID, s.id)
	if n.byPhone[s.phone] == s {
		delete(n.byPhone, s.phone)
	}
	all := n.byUser[s.user]
	last := len(all) - 1
	all[s.userIndex] = all[last]
	all[s.userIndex].userIndex = s.userIndex
	all[last] = nil
	if n.byUser[s.user] = all[:last]; last == 0 {
		delete(n.byUser, s.user)
	}
	if n.keeper != nil {
		n.keeper.Drop(s.id)
	}
}

// leave takes a subscription, or the entries of its list, away from what they watch.
// n.mu is held.
func (n *Notifier) leave(s *subscription) {
	if s.list == nil {
		n.forsake(&s.place)
		return
	}
	for _, m := range s.list.members {
		n.forsake(&m.place)
	}
	n.entries -= len(s.list.members)
	s.list.members = nil
}

// room reports whether there is room for one more subscription, and if not what is
// full. n.mu is held.
func (n *Notifier) room(s *subscription) (ok bool, what string) {
	switch {
	case n.byPhone[s.phone] != nil: // it takes the place of another
		return true, ""
	case len(n.dialogs)+n.entries >= n.cfg.MaxSubscriptions:
		return false, "Too Many Subscriptions"
	case len(n.byUser[s.user]) >= n.cfg.MaxPerWatcher:
		return false, "Too Many Subscriptions Of Yours"
	}
	if t := s.place.topic; t != nil && len(t.places) > n.cfg.MaxPerSubject {
		return false, "Too Many Subscriptions To It"
	}
	return true, ""
}

// Registered says that a SIP user has registered by a flow: whoever was lost there is
// back. contact and instance are those of the binding; instance may be "".
func (n *Notifier) Registered(user, contact, instance string, flow transport.Flow) {
	var bag bag
	now := time.Now()
	n.mu.Lock()
	for _, s := range slices.Clone(n.byUser[user]) {
		if !s.samePhone(contact, instance, flow) {
			continue
		}
		if s.flow != flow && (!s.flow.Open() || s.machine.Failures > 0) {
			s.flow = flow
			n.keep(s, false)
		}
		if s.machine.Registered(now).Notify {
			n.post(s, latest, now, &bag)
		}
	}
	n.mu.Unlock()
	n.send(&bag)
}

// samePhone reports whether a binding is that of the phone which has subscribed: by
// its instance, or its contact, or where it is.
func (s *subscription) samePhone(contact, instance string, flow transport.Flow) bool {
	if s.phone.phone == instance || s.target == contact {
		return true
	}
	a, err := transport.ParseURI(contact)
	b, err2 := transport.ParseURI(s.target)
	if err == nil && err2 == nil && a.Host == b.Host && a.Port == b.Port {
		return true
	}
	return !s.flow.IsZero() && !flow.IsZero() && s.flow.Remote() == flow.Remote()
}
