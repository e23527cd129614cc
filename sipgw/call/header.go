package call

import (
	"strings"
	"time"
	"unicode/utf8"

	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/transport"
)

// replaced reads a Replaces header field (RFC 3891 §6.1): the dialog that a call is
// to take the place of, with the tags as the one who is called has them.
func replaced(m *transport.Message) (dialoginfo.Replaces, bool) {
	return parseReplaces(m.Header("Replaces"))
}

func parseReplaces(value string) (r dialoginfo.Replaces, ok bool) {
	id, params, _ := strings.Cut(value, ";")
	r.CallID = strings.TrimSpace(id)
	p := transport.Params(";" + params)
	r.LocalTag, _ = p.Get("to-tag")
	r.RemoteTag, _ = p.Get("from-tag")
	return r, r.CallID != "" && r.LocalTag != "" && r.RemoteTag != ""
}

// session is the session interval that a 2xx grants (RFC 4028 §9); 0 if it grants
// none. What is shorter than the RFC allows (§4) counts as the shortest that it does.
func session(m *transport.Message) time.Duration {
	n, ok := m.Seconds("Session-Expires")
	if !ok || n == 0 {
		return 0
	}
	const least, most = 90, 24 * 60 * 60
	return time.Duration(min(max(n, least), most)) * time.Second
}

// sdpOf returns the session description of a message; nil if it has none.
func sdpOf(m *transport.Message) []byte {
	if len(m.Body()) == 0 || m.ContentType() != "application/sdp" {
		return nil
	}
	return m.Body()
}

// contactOf returns the URI of the only contact; "" if there is none that can be
// used.
func contactOf(m *transport.Message) string {
	value := m.Header("Contact")
	if value == "" {
		return ""
	}
	a, err := transport.ParseAddress(value)
	if err != nil || !a.URI.IsSIP() {
		return ""
	}
	return a.URI.String()
}

// identity is an address as people know it: without port, parameters and secrets.
func identity(u transport.URI) string { return u.AOR() }

// The limits of what is kept of a call, in bytes and numbers.
const (
	maxHeader  = 1024
	mostRoutes = 16
)

// tooLong says whether one of several texts is too long to be kept.
func tooLong(all ...string) bool {
	for _, s := range all {
		if len(s) > maxHeader {
			return true
		}
	}
	return false
}

// isText says whether a dialog can be stored: PostgreSQL takes nothing that is not
// UTF-8, and one call that has it must not keep the others from being stored.
func (d *Dialog) isText() bool {
	all := append(make([]string, 0, 16), d.CallID)
	for i := range d.Ends {
		e := &d.Ends[i]
		all = append(append(all, e.AOR, e.Header, e.Identity, e.Display, e.Contact), e.Routes...)
	}
	for _, s := range all {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\r\n") {
			return false
		}
	}
	return true
}
