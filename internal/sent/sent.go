// Package sent makes what a client could send into what a handler gets, for
// tests.
package sent

import (
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// limits are wider than those of any client's stream.
var limits = stream.Limits{Stanza: 1 << 20, Tag: 1 << 14, Depth: 64, Attrs: 64, Namespaces: 1 << 12}

// Payload scans an element as the payload of a request, and parses it; nil if it
// cannot be one.
func Payload(raw string) *stanza.Element {
	sc := stream.New(limits)
	sc.Reset(limits, stanza.NSClient, nil)
	st, err := sc.Whole([]byte("<iq type='set' id='1'>" + raw + "</iq>"))
	if err != nil {
		return nil
	}
	return st.Payload()
}
