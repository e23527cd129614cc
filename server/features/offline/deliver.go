package offline

import (
	"bytes"
	"context"
	"time"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// A client is handed so much, and more when it has that: what waits may be more
// than its outbox can hold.
const (
	windowMessages = 100
	windowBytes    = 128 << 10
)

// Deliver hands a session what waits for its account. It is to be called when
// the session has become available with a priority that is not negative
// (XEP-0160 §2, step 5), on the goroutine that reads its stream.
func (f *Feature) Deliver(s *server.Session) {
	if willing(s) && s.Account.ID != 0 {
		f.hand(f.srv.Context(), s)
	}
}

// hand hands out what there is, up to the window.
func (f *Feature) hand(ctx context.Context, s *server.Session) {
	for f.begin(s) {
		more, err := f.page(ctx, s)
		if err != nil && ctx.Err() == nil {
			f.srv.Log().Error("offline messages could not be read", "jid", s.JID, "err", err)
		}
		if !f.finish(s, more && err == nil) {
			return
		}
	}
}

// begin makes the caller the one who hands out to the session, unless there is
// nothing to hand out, or to whom. Who is told "no" while somebody else hands
// out has been heard: that one looks again.
func (f *Feature) begin(s *server.Session) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.Has(f.over) || !willing(s) {
		return false
	}
	b := f.box(s.Account)
	t := b.takers[s]
	if t == nil {
		if b.known && b.count <= len(b.claimed)-len(b.gone) {
			return false
		}
		if b.takers == nil {
			b.takers = map[*server.Session]*taker{}
		}
		t = &taker{}
		b.takers[s] = t
	}
	if t.busy || t.full() {
		t.more = true
		return false
	}
	t.busy, t.more = true, false
	b.readers++
	return true
}

// finish ends what begin began, and says whether to begin again.
func (f *Feature) finish(s *server.Session, more bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.boxes[s.Account.ID]
	if b == nil {
		return false // the account is gone
	}
	b.read()
	t := b.takers[s]
	if t == nil {
		return false // the session has ended
	}
	t.busy, t.more = false, t.more || more
	b.rest(s)
	if b.known && b.count == 0 && b.quiet() {
		delete(f.boxes, s.Account.ID) // whoever is there and has all has no use for it
	}
	return t.more && !t.full()
}

// page hands out messages that nobody has claimed, as far as there is room.
func (f *Feature) page(ctx context.Context, s *server.Session) (more bool, err error) {
	var seen []int64
	for after := int64(0); ; {
		page, more, err := f.parts.Store.Page(ctx, s.Account.ID, after, windowMessages, windowBytes)
		if err != nil {
			return false, err
		}
		for i := range page {
			after = page[i].ID
			seen = append(seen, after)
			if !s.Lets(page[i].Stanza) {
				continue // its sender was blocked since: it waits for better times
			}
			switch f.claim(s, &page[i]) {
			case taken:
			case refused:
				return true, nil
			case granted:
				f.give(s, &page[i])
			}
		}
		if !more {
			f.know(s.Account.ID, seen)
			return false, nil
		}
	}
}

// know notes how many messages there are, once all have been looked at. If
// somebody has counted meanwhile, that one knows better.
func (f *Feature) know(account int64, seen []int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.boxes[account]
	if b == nil || b.known {
		return
	}
	n := 0
	for _, id := range seen {
		if !b.claimed[id].gone {
			n++
		}
	}
	b.known, b.count, b.counted = true, n, time.Now()
}

type verdict uint8

const (
	granted verdict = iota
	taken           // somebody has it
	refused         // the session gets no more for now
)

// claim makes a message the session's, if it is nobody's.
func (f *Feature) claim(s *server.Session, m *Message) verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.boxes[s.Account.ID]
	if b == nil || b.takers[s] == nil || s.Has(f.over) {
		return refused
	}
	if _, claimed := b.claimed[m.ID]; claimed {
		return taken
	}
	if b.takers[s].full() {
		return refused
	}
	if b.claimed == nil {
		b.claimed = map[int64]claim{}
	}
	c := claim{by: s, size: len(m.Stanza)}
	b.claimed[m.ID] = c
	b.takers[s].add(c)
	return granted
}

// give sends a message with its stamp.
func (f *Feature) give(s *server.Session, m *Message) {
	head, tail := split(m.Stanza)
	stamp := stanza.AppendDelay(nil, stanza.Escape(s.JID.Domain()), time.UnixMicro(m.Stored))
	d := server.Delivery{Kind: stanza.Message, Ref: m.ID}
	if s.Deliver(d, head, string(stamp), tail) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.boxes[s.Account.ID]; b != nil && b.claimed[m.ID].by == s {
		if t := b.takers[s]; t != nil {
			t.remove(b.claimed[m.ID])
		}
		delete(b.claimed, m.ID)
	}
}

// split splits a whole stanza where a further child may stand.
func split(raw []byte) (head, tail []byte) {
	tag, empty := bytes.CutSuffix(raw, []byte("/>"))
	if !empty {
		i := max(bytes.LastIndex(raw, []byte("</")), 0)
		return raw[:i], raw[i:]
	}
	name := tag
	if n := bytes.IndexAny(tag, " \t\r\n"); n >= 0 {
		name = tag[:n]
	}
	head = append(bytes.Clone(tag), '>')
	return head, append(append([]byte("</"), name[1:]...), '>')
}
