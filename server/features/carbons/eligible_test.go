package carbons

import (
	"testing"

	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

func TestEligible(t *testing.T) {
	const (
		body     = "<body>x</body>"
		muc      = "<x xmlns='http://jabber.org/protocol/muc#user'/>"
		invite   = "<x xmlns='http://jabber.org/protocol/muc#user'><a/><invite from='a@x'/></x>"
		prefixed = "<u:x xmlns:u='http://jabber.org/protocol/muc#user'><u:decline\n/></u:x>"
		fault    = "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	)
	for _, c := range []struct {
		typ, inner     string
		sent, received bool
	}{
		{"chat", "", true, true},
		{"chat", body, true, true},
		{"normal", body, true, true},
		{"normal", "<subject>x</subject>", false, false},
		{"strange", body, true, true},
		{"headline", body, false, false},
		{"groupchat", body, false, false},
		{"groupchat", invite, false, false},
		{"normal", "<active xmlns='http://jabber.org/protocol/chatstates'/>", true, true},
		{"normal", "<displayed xmlns='urn:xmpp:chat-markers:0'/>", true, true},
		{"headline", "<received xmlns='urn:xmpp:receipts'/>", true, true},
		{"chat", body + "<private xmlns='urn:xmpp:carbons:2'/>", false, false},
		{"chat", body + "<no-copy xmlns='urn:xmpp:hints'/>", false, false},
		{"chat", body + "<store xmlns='urn:xmpp:hints'/>", true, true},
		{"chat", "<sent xmlns='urn:xmpp:carbons:2'/>" + body, false, false},
		{"chat", body + muc, true, false},
		{"normal", muc, false, false},
		{"normal", invite, true, true},
		{"normal", prefixed, true, true},
		{"normal", "<x xmlns='jabber:x:conference' jid='r@x'/>", true, true},
		{"error", fault, true, true},
		{"error", body + fault, true, true},
		{"error", "<subject>x</subject>" + fault, false, false},
		{"error", body + "<private xmlns='urn:xmpp:carbons:2'/>" + fault, false, false},
	} {
		raw := "<message type='" + c.typ + "'>" + c.inner + "</message>"
		l := stream.Limits{Stanza: 1 << 12, Tag: 1 << 12, Depth: 16, Attrs: 16, Namespaces: 1 << 12}
		sc := stream.New(l)
		sc.Reset(l, stanza.NSClient, nil)
		st, err := sc.Whole([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := Eligible(st, false); got != c.sent {
			t.Errorf("sent %s: %v", raw, got)
		}
		if got := Eligible(st, true); got != c.received {
			t.Errorf("received %s: %v", raw, got)
		}
	}
}
