package message

import (
	"container/list"
	"time"

	"rollcall/sipgw/iscomposing"
	"rollcall/xmpp/jid"
)

const (
	// chatFor is how long a device's messages are chat after a chat message.
	chatFor = 24 * time.Hour

	// exchangeFor is how long after a message an exchange goes on, within which it is said
	// who is writing (RFC 7573 §6.1: XEP-0085 takes ten minutes of nothing for the end).
	exchangeFor = 10 * time.Minute

	// idleAfter is how long a client is believed that says it is writing and nothing more.
	// Clients say themselves when somebody pauses, so the 15 s of RFC 3994 are not for us.
	idleAfter = 3 * time.Minute
)

// pair is a person and a device.
type pair struct{ person, device jid.Bare }

// talk is what is remembered of a pair.
type talk struct {
	pair
	chat  time.Time // when a chat message last went, either way
	text  time.Time // any message
	heard time.Time // one of the device

	writer jid.JID // the client of the person that says it is writing
	out    iscomposing.Composer
	in     iscomposing.Watch
}

// isChat reports whether what the device says now is chat.
func (t *talk) isChat(now time.Time) bool {
	return t != nil && !t.chat.IsZero() && now.Sub(t.chat) < chatFor
}

// exchanging reports whether the two are writing to each other.
func (t *talk) exchanging(now time.Time) bool {
	return t != nil && !t.text.IsZero() && now.Sub(t.text) < exchangeFor
}

// answers reports whether the device has said something within a day: so that there is
// somebody at it to whom it matters that the other one is writing.
func (t *talk) answers(now time.Time) bool {
	return t != nil && !t.heard.IsZero() && now.Sub(t.heard) < chatFor
}

// said takes note of a message.
func (t *talk) said(now time.Time, chat, byDevice bool) {
	t.text = now
	if chat {
		t.chat = now
	}
	if byDevice {
		t.heard = now
		t.in.Content()
		return
	}
	t.out.Sent()
}

// due is when something is to be said of the pair; zero is never.
func (t *talk) due() time.Time {
	a, b := t.out.Due(), t.in.Due()
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// memory holds the talks that were touched last.
type memory struct {
	most  int
	all   map[pair]*list.Element
	order *list.List // of *talk, the last one touched in front

	writing map[*talk]bool // those that may have something due
}

func newMemory(most int) memory {
	return memory{most: most, all: map[pair]*list.Element{}, order: list.New(), writing: map[*talk]bool{}}
}

// get returns what is remembered of a pair, or nil.
func (m *memory) get(p pair) *talk {
	if e := m.all[p]; e != nil {
		return e.Value.(*talk)
	}
	return nil
}

// touch is get for a pair that has something to say. The one that is longest silent is
// forgotten for it.
func (m *memory) touch(p pair) *talk {
	if e := m.all[p]; e != nil {
		m.order.MoveToFront(e)
		return e.Value.(*talk)
	}
	if m.order.Len() >= m.most {
		last := m.order.Back()
		t := m.order.Remove(last).(*talk)
		delete(m.all, t.pair)
		delete(m.writing, t)
	}
	t := &talk{pair: p, out: iscomposing.Composer{Idle: idleAfter}}
	m.all[p] = m.order.PushFront(t)
	return t
}
