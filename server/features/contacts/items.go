package contacts

import (
	"context"
	"sync"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// get answers a roster get (RFC 6121 §2.1.3, §2.6.2). From then on the session
// is interested: it hears of every later change, and of none before the result.
func (f *Feature) get(_ context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 {
		return emptyRoster, nil
	}
	ver, versioned := r.Payload.LookupAttr("ver")
	if r.Session != nil {
		if err := f.hold(r.Session); err != nil {
			return nil, refusal(err)
		}
	}
	err := f.book.Read(f.srv.Context(), r.Account.JID, func(list *roster.Roster) {
		if r.Session != nil {
			r.Session.Set(f.interested, true)
			f.drop(r.Session)
		}
		if versioned && r.Session != nil {
			// RFC 6121 §2.6.3: pushes, unless the whole roster is less.
			changes, ok := list.Since(ver, f.book.Past()...)
			if ok && (len(changes) == 0 || len(changes) <= maxChanges && len(changes) <= list.Len()) {
				r.Reply(nil)
				for i := range changes {
					f.push(&changes[i]).to(r.Session)
				}
				return
			}
		}
		buf := buffers.Get().(*[]byte)
		*buf = appendRoster((*buf)[:0], list)
		r.Reply(*buf)
		if cap(*buf) <= keepBuffer {
			buffers.Put(buf)
		}
	})
	return nil, refusal(err)
}

// maxChanges is how many pushes there are at most in place of a roster. A push
// is twice as long as an item, and a client takes longer over it.
const maxChanges = 250

var emptyRoster = []byte("<query xmlns='" + namespace + "'/>")

// buffers are for roster results, which are copied when they are sent.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// keepBuffer is the largest buffer that is kept.
const keepBuffer = 64 << 10

// appendRoster appends a roster result's payload (RFC 6121 §2.1.4).
func appendRoster(b []byte, list *roster.Roster) []byte {
	b = appendQuery(b, list.Version())
	for it := range list.Items() {
		b = appendItem(b, &it)
	}
	return append(b, "</query>"...)
}

func appendQuery(b []byte, version string) []byte {
	b = append(b, "<query xmlns='"+namespace+"'"...)
	return append(stanza.AppendAttr(b, "ver", version), '>')
}

// appendItem appends an item (RFC 6121 §2.1.2).
func appendItem(b []byte, it *roster.Item) []byte {
	b = stanza.AppendText(append(b, "<item jid='"...), string(it.Contact))
	b = append(append(append(b, "' subscription='"...), it.Subscription().String()...), '\'')
	b = stanza.AppendAttr(b, "name", it.Name)
	if it.Ask() {
		b = append(b, " ask='subscribe'"...)
	}
	if it.Approved() {
		b = append(b, " approved='true'"...)
	}
	if len(it.Groups) == 0 {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	for _, g := range it.Groups {
		b = append(stanza.AppendText(append(b, "<group>"...), g), "</group>"...)
	}
	return append(b, "</item>"...)
}

// push is a roster push (RFC 6121 §2.1.6): it has no from, and what clients
// answer is ignored.
type push struct{ head, tail []byte }

func (f *Feature) push(c *roster.Change) push {
	tail := appendQuery(append(make([]byte, 0, 256), "'>"...), c.Version)
	if c.Removed {
		tail = stanza.AppendText(append(tail, "<item jid='"...), string(c.Item.Contact))
		tail = append(tail, "' subscription='remove'/>"...)
	} else {
		tail = appendItem(tail, &c.Item)
	}
	return push{
		head: append(f.appendID([]byte("<iq type='set' id='"), "push"), "' to='"...),
		tail: append(tail, "</query></iq>"...),
	}
}

func (p push) to(s *server.Session) {
	s.Deliver(server.Delivery{Kind: stanza.IQ}, p.head, s.Full(), p.tail)
}
