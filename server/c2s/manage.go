package c2s

import (
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/server"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

const nsSM = "urn:xmpp:sm:3"

// resumables finds sessions by what their clients were told to resume with. Of
// a session that expired the count is remembered for a while, so that its
// client learns what arrived (XEP-0198 §5).
type resumables struct {
	mu      sync.Mutex
	live    map[string]*server.Session
	ids     map[*server.Session]string
	expired map[string]expired
	order   []string
}

type expired struct {
	account string
	h       uint32
}

const keepExpired = 4096

func (r *resumables) add(s *server.Session) string {
	id := rand.Text()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live == nil {
		r.live, r.ids, r.expired = map[string]*server.Session{}, map[*server.Session]string{}, map[string]expired{}
	}
	r.live[id], r.ids[s] = s, id
	return id
}

// has reports whether the session's client was told how to resume it.
func (r *resumables) has(s *server.Session) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.ids[s]
	return ok
}

// forget hears of a session that is over. Its count is as good as an ack, so it
// is remembered once what it counts is stored.
func (r *resumables) forget(s *server.Session) {
	r.mu.Lock()
	id, ok := r.ids[s]
	delete(r.ids, s)
	delete(r.live, id)
	r.mu.Unlock()
	if ok {
		account := string(s.Account.JID)
		s.WhenStored(func(h uint32) { r.remember(id, expired{account, h}) })
	}
}

func (r *resumables) remember(id string, e expired) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.order) >= keepExpired {
		delete(r.expired, r.order[0])
		r.order = r.order[1:]
	}
	r.expired[id] = e
	r.order = append(r.order, id)
}

// find returns the session, if it is that account's.
func (r *resumables) find(id, account string) (s *server.Session, h uint32, gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s = r.live[id]; s != nil && string(s.Account.JID) == account {
		return s, 0, false
	}
	if e, ok := r.expired[id]; ok && e.account == account {
		return nil, e.h, true
	}
	return nil, 0, false
}

// failed is the answer to what cannot be done (XEP-0198 §7).
func failed(condition, text string) []byte { return failedAt(condition, text, -1) }

func failedAt(condition, text string, h int64) []byte {
	b := []byte("<failed xmlns='" + nsSM + "'")
	if h >= 0 {
		b = append(strconv.AppendInt(append(b, " h='"...), h, 10), '\'')
	}
	b = append(append(append(b, "><"...), condition...), " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"...)
	if text != "" {
		b = append(append(append(b, "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>"...), text...), "</text>"...)
	}
	return append(b, "</failed>"...)
}

// attr returns an attribute of a stream management element.
func attr(st *stanza.Stanza, name string) string {
	e, err := st.Element()
	if err != nil {
		return ""
	}
	return e.Attr(name)
}

func truth(v string) bool { return v == "true" || v == "1" }

// management takes an element of XEP-0198 on a stream with a session.
func (c *conn) management(s *server.Session, st *stanza.Stanza) error {
	if !c.s.cfg.Management.Enabled {
		return errUnsupported
	}
	switch string(st.Name.Local) {
	case "enable":
		return c.enable(s, st)
	case "r":
		if !c.managed {
			return errUnsupported
		}
		s.WhenStored(func(h uint32) { s.Control(ack(h)) })
		return nil
	case "a":
		if !c.managed {
			return errUnsupported
		}
		return c.acked(s, st)
	case "resume":
		s.Control(failed("unexpected-request", "a resource is bound"))
		return nil
	}
	return errUnsupported
}

func ack(h uint32) []byte {
	b := append(make([]byte, 0, 48), "<a xmlns='"+nsSM+"' h='"...)
	return append(strconv.AppendUint(b, uint64(h), 10), "'/>"...)
}

// enable obeys XEP-0198 §3.
func (c *conn) enable(s *server.Session, st *stanza.Stanza) error {
	if c.managed {
		s.Control(failed("unexpected-request", "it is enabled"))
		return nil
	}
	m := c.s.cfg.Management
	b := []byte("<enabled xmlns='" + nsSM + "'")
	// Guests are not bounded by their account, and so cannot leave sessions behind.
	if truth(attr(st, "resume")) && m.ResumeFor > 0 && s.Account.ID != 0 {
		keep := m.ResumeFor
		if n, err := strconv.ParseUint(attr(st, "max"), 10, 31); err == nil && n > 0 {
			keep = min(keep, time.Duration(n)*time.Second)
		}
		s.KeepFor(keep)
		b = stanza.AppendAttr(b, "id", c.s.resumable.add(s))
		b = append(b, " resume='true'"...)
		b = stanza.AppendAttr(b, "max", strconv.Itoa(int(keep.Seconds())))
	}
	c.managed = true
	s.Manage(m.AckEvery, m.MaxUnacked, append(b, "/>"...))
	return nil
}

func (c *conn) acked(s *server.Session, st *stanza.Stanza) error {
	h, err := strconv.ParseUint(attr(st, "h"), 10, 32)
	if err != nil {
		return &stream.Fault{Condition: mellium.BadFormat, Text: "h has to be a number"}
	}
	return c.fault(s, uint32(h), s.Ack(uint32(h)))
}

// fault is the stream error for a count of stanzas that were never sent
// (XEP-0198 §6).
func (c *conn) fault(s *server.Session, h uint32, err error) error {
	if err == nil {
		return nil
	}
	return &stream.Fault{
		Condition: mellium.UndefinedCondition, Text: "more stanzas acknowledged than were sent",
		Extra: append(stanza.AppendAttr(stanza.AppendAttr([]byte("<handled-count-too-high xmlns='"+nsSM+"'"),
			"h", strconv.FormatUint(uint64(h), 10)), "send-count", strconv.FormatUint(uint64(s.Sent()), 10)), "/>"...),
	}
}

// resumeSession obeys XEP-0198 §5. The stream goes on as the session's; if that
// is over, the client may still bind a resource.
func (n *negotiation) resumeSession(st *stanza.Stanza) (bool, error) {
	if !n.s.cfg.Management.Enabled {
		return false, errNotAuthorized
	}
	h, err := strconv.ParseUint(attr(st, "h"), 10, 32)
	if err != nil {
		return false, n.say(failed("bad-request", "h has to be a number"))
	}
	id := attr(st, "previd")
	s, _, _ := n.s.resumable.find(id, string(n.account.JID))
	if s == nil {
		return false, n.notFound(id)
	}
	n.raw.SetDeadline(time.Time{})
	n.managed = true
	err = s.Resume(n.ctx, uint32(h), n.conn, func(counted uint32) []byte {
		b := stanza.AppendAttr([]byte("<resumed xmlns='"+nsSM+"'"), "previd", id)
		return append(stanza.AppendAttr(b, "h", strconv.FormatUint(uint64(counted), 10)), "/>"...)
	})
	if err != nil {
		n.managed = false
		if errors.Is(err, server.ErrGone) {
			n.raw.SetDeadline(n.deadline)
			return false, n.notFound(id)
		}
		return false, n.fault(s, uint32(h), err)
	}
	s.SetInactive(false) // XEP-0352 §4.2: a new stream begins active
	n.begin(s)
	return true, nil
}

// notFound says that there is no such session any more, and how much of it
// arrived, where that is known (XEP-0198 §5).
func (n *negotiation) notFound(id string) error {
	if _, counted, gone := n.s.resumable.find(id, string(n.account.JID)); gone {
		return n.say(failedAt("item-not-found", "that session is over", int64(counted)))
	}
	return n.say(failed("item-not-found", ""))
}
