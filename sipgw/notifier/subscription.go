package notifier

import (
	"hash/maphash"
	"slices"
	"time"

	"rollcall/sipgw/event"
	"rollcall/sipgw/profile"
	"rollcall/sipgw/transport"
)

// A dialogKey finds the subscription that a request belongs to (RFC 3261 §12).
type dialogKey struct{ callID, local, remote string }

// id is the number of a subscription, over restarts too: a hash (FNV-1a) of the dialog.
// Since half of that is a tag of ours, nobody can make two that are the same; what a
// request looks for is compared with what is found.
func (k *dialogKey) id() uint64 {
	h := uint64(14695981039346656037)
	for _, s := range [...]string{k.callID, k.local, k.remote} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h *= 1099511628211
	}
	return h >> 1 // databases count to 2^63
}

// ticket is what two subscriptions have in common of which the second takes the place
// of the first: the phone has forgotten that one, or it would have refreshed it. It is
// a hash: nobody can make two that are the same, since the seed is secret.
func (n *Notifier) ticket(s *subscription) uint64 {
	return maphash.Comparable(n.seed, [...]string{s.user, s.phone, s.entity, s.pack.Name, s.eventID})
}

// A subscription is one watcher's.
type subscription struct {
	// Fixed once it has been entered.
	id      uint64
	ticket  uint64
	pack    *pack
	eventID string
	pace    time.Duration
	entity  string // exactly the URI that was subscribed to
	user    string
	phone   string // its instance, or its contact at first
	watcher Watcher
	profile *profile.Profile
	lang    string
	key     dialogKey
	from    string // as in the NOTIFY
	to      string
	routes  []string
	list    *listing // nil: it is to one subject

	// Guarded by [Notifier.mu].
	place   place // of one subject: where it watches
	target  string
	flow    transport.Flow
	machine event.Notifier
	last    moment // when it was told; 0: never
	seen    uint64 // hash of the document that was sent last
	at      moment // when it is due
	theirs  uint32 // CSeq of the last SUBSCRIBE
	cseq    uint32 // of the last NOTIFY
	version uint32 // of the next document
	limit   uint32 // CSeq that must not be passed before more are stored
	asked   uint32 // CSeq that is being stored
	flight  uint32 // CSeq of the NOTIFY that is on its way; 0: none is
	slot    int32  // where it stands in the agenda, plus one
	index   int32  // where it stands among those of its user
	form    uint8  // which of the types of the package; fixed
	dirty   bool   // there may be news
	urgent  bool   // that must not wait
	gone    bool
}

// enter adds a subscription to all that finds it. n.mu is held.
func (n *Notifier) enter(s *subscription) {
	n.dialogs[s.id] = s
	s.index = int32(len(n.byUser[s.user]))
	n.byUser[s.user] = append(n.byUser[s.user], s)
	if old := n.byTicket[s.ticket]; old != nil {
		n.drop(old)
	}
	n.byTicket[s.ticket] = s
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
	if n.dialogs[s.id] != s {
		return // it was never entered
	}
	delete(n.dialogs, s.id)
	if n.byTicket[s.ticket] == s {
		delete(n.byTicket, s.ticket)
	}
	all := n.byUser[s.user]
	last := len(all) - 1
	all[s.index] = all[last]
	all[s.index].index = s.index
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
	case n.byTicket[s.ticket] != nil: // it takes the place of another
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
	if s.phone == instance || s.target == contact {
		return true
	}
	a, err := transport.ParseURI(contact)
	b, err2 := transport.ParseURI(s.target)
	if err == nil && err2 == nil && a.Host == b.Host && a.Port == b.Port {
		return true
	}
	return !s.flow.IsZero() && !flow.IsZero() && s.flow.Remote() == flow.Remote()
}
