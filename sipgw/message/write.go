package message

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"rollcall/presence/device"
	"rollcall/sipgw/iscomposing"
	"rollcall/sipgw/transport"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// request writes what goes to a device, but for its place (RFC 7572 §4, Table 1).
func (s *Service) request(from jid.JID, d *device.Device) (transport.Outgoing, error) {
	uri, err := s.parts.Addresses.URI(from)
	if err != nil {
		return transport.Outgoing{}, stanza.ErrMalformedJID
	}
	s.mu.Lock()
	s.cseq = s.cseq%(1<<31-1) + 1 // some take what has a Call-ID and a CSeq that they know for a copy
	n := s.cseq
	s.mu.Unlock()
	return transport.Outgoing{
		Method: "MESSAGE", From: "<" + uri + ">;tag=" + transport.NewTag(), To: "<sip:" + transport.EscapeUser(d.User) + "@" + d.JID.Domain() + ">",
		CallID: transport.NewCallID(), CSeq: n,
	}, nil
}

// textRequest writes a text.
func (s *Service) textRequest(m *said, from jid.JID, d *device.Device) (transport.Outgoing, error) {
	o, err := s.request(from, d)
	if err != nil {
		return o, err
	}
	if m.thread != "" {
		o.CallID = callID(m.thread)
	}
	if subject := oneLine(m.subject); subject != "" {
		o.Fields = append(o.Fields, transport.Field{Name: "Subject", Value: subject})
	}
	if lang := language(m.lang); lang != "" {
		o.Fields = append(o.Fields, transport.Field{Name: "Content-Language", Value: lang})
	}
	o.ContentType, o.Body = "text/plain;charset=UTF-8", []byte(m.text)
	return o, nil
}

// statusRequest writes that somebody writes, or does so no more.
func (s *Service) statusRequest(st iscomposing.Status, from jid.JID, d *device.Device) (transport.Outgoing, error) {
	o, err := s.request(from, d)
	o.ContentType, o.Body = iscomposing.ContentType, st.Append(nil)
	return o, err
}

// callID makes a Call-ID of a thread: the same one for the same thread (RFC 3261 §25.1).
func callID(thread string) string {
	word, host, two := strings.Cut(thread, "@")
	if len(thread) <= 128 && isWord(word) && (!two || isWord(host)) {
		return thread
	}
	sum := sha256.Sum256([]byte(thread))
	return hex.EncodeToString(sum[:16])
}

func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte("-.!%*_+`'~()<>:\\\"/[]?{}", c) < 0 {
			return false
		}
	}
	return s != ""
}

// oneLine makes a text fit for a line.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, s))
}

// unknown is room for what the transport adds: Via, Max-Forwards, User-Agent and
// Content-Length.
const unknown = 256

// size is how many bytes a request has, at most, at the place where that are most.
func size(o *transport.Outgoing, routes []Route) int {
	n := len(o.From) + len(o.To) + len(o.CallID) + len(o.ContentType) + len(o.Body) + unknown +
		len("MESSAGE  SIP/2.0\r\nFrom: \r\nTo: \r\nCall-ID: \r\nCSeq: 2147483647 MESSAGE\r\nContent-Type: \r\n\r\n")
	for _, f := range o.Fields {
		n += len(f.Name) + len(f.Value) + len(": \r\n")
	}
	most := 0
	for _, r := range routes {
		its := len(r.URI)
		for _, p := range r.Routes {
			its += len("Route: \r\n") + len(p)
		}
		most = max(most, its)
	}
	return n + most
}

// tooLong refuses a text that makes a request too big (RFC 7572 §6). Where all of the
// way is known not to lose big ones, that goes for the text alone (RFC 3428 §8).
func tooLong(o *transport.Outgoing, routes []Route) error {
	most := MaxRequest
	for _, r := range routes {
		if r.Flow.IsZero() || !r.Flow.Kind().Reliable() || len(r.Routes) > 0 {
			most = MaxRequest - (size(o, routes) - len(o.Body))
			break
		}
	}
	if len(o.Body) > most {
		return stanza.Refuse(stanza.ErrPolicyViolation, "This device takes %d bytes of text at most, and this has %d", max(0, most), len(o.Body))
	}
	return nil
}

// textStanza writes what a device says (RFC 7572 §5, Table 2).
func textStanza(from, to jid.JID, kind, id, lang, thread string, c *content, states bool) []byte {
	b := head(from, to, kind, id)
	b = append(stanza.AppendAttr(b, "xml:lang", lang), '>')
	b = stanza.AppendElement(b, "subject", c.subject)
	b = stanza.AppendElement(b, "body", c.text)
	b = stanza.AppendElement(b, "thread", thread)
	if states { // XEP-0085 §5.1: so that the other client says when somebody writes
		b = append(b, "<active xmlns='"+nsStates+"'/>"...)
	}
	return append(b, "</message>"...)
}

// stateStanza writes that a device writes, or does so no more (RFC 7573 §6, Table 3).
func stateStanza(from, to jid.JID, active bool) []byte {
	b := append(head(from, to, "chat", transport.NewCallID()), "><"...)
	if active {
		b = append(b, "composing"...)
	} else {
		b = append(b, "active"...)
	}
	return append(b, " xmlns='"+nsStates+"'/><no-store xmlns='"+nsHints+"'/></message>"...)
}

// receiptStanza writes that a device has got a message (XEP-0184 §5).
func receiptStanza(from, to jid.JID, kind, id string) []byte {
	b := append(head(from, to, kind, transport.NewCallID()), "><received xmlns='"+nsReceipts+"'"...)
	return append(stanza.AppendAttr(b, "id", id), "/></message>"...)
}

// errorStanza writes that a message did not get to a device.
func errorStanza(from, to jid.JID, id string, err *stanza.Error) []byte {
	b := append(head(from, to, "error", id), '>')
	return append(err.Append(b), "</message>"...)
}

func head(from, to jid.JID, kind, id string) []byte {
	b := stanza.AppendAttr([]byte("<message"), "from", from.String())
	b = stanza.AppendAttr(b, "to", to.String())
	b = stanza.AppendAttr(b, "type", kind)
	return stanza.AppendAttr(b, "id", id)
}
