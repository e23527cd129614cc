package portable_test

import (
	"os"
	"path/filepath"
	"testing"

	"rollcall/internal/portable"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// Whatever is in a file, what is read of it can be kept and sent: addresses are
// canonical, XML is whole, and what does not fit is left out.
func FuzzRead(f *testing.F) {
	names, _ := filepath.Glob("testdata/*/*.xml")
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(user("<query xmlns='jabber:iq:roster'><item jid='b@x' subscription='both' ask='subscribe'><group>g</group></item></query>"))
	f.Add(user("<presence from='b@x' type='subscribe'/><offline-messages><message from='b@x/1'>" + delay + "</message></offline-messages>"))
	f.Add("<server-data xmlns='urn:xmpp:pie:0'><xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='../x'/></server-data>")
	f.Fuzz(func(t *testing.T, text string) {
		r := readText(text, portable.Options{Domains: map[string]string{"old.example": "x"}})
		for who, a := range r.accounts {
			canonical(t, string(who))
			for i := range a.Roster {
				it := &a.Roster[i]
				canonical(t, string(it.Contact))
				if it.PendingIn() != (it.Request != nil) {
					t.Errorf("%s asks in %q", it.Contact, it.Request)
				}
				if it.Request != nil {
					sendable(t, it.Request, stanza.NSClient)
				}
			}
			for _, letters := range [][]storage.Letter{a.Offline, a.Archive} {
				for _, m := range letters {
					sendable(t, m.Stanza, stanza.NSClient)
					canonical(t, m.From)
					canonical(t, m.To)
					if m.Stamp < 1 || m.Stamp > now.UnixMicro() {
						t.Errorf("the stamp %d", m.Stamp)
					}
				}
			}
			if a.VCard != nil {
				sendable(t, a.VCard, "")
			}
			for _, it := range a.Private {
				sendable(t, append(append([]byte("<all>"), it.XML...), "</all>"...), "")
			}
			for h, k := range a.Keys {
				if len(k.StoredKey) != h.Size() || len(k.ServerKey) != h.Size() || len(k.Salt) == 0 || k.Iterations < 1 {
					t.Errorf("keys %+v", k)
				}
			}
		}
	})
}

func canonical(t *testing.T, address string) {
	t.Helper()
	if j, err := jid.Parse(address); err != nil || j.String() != address {
		t.Errorf("the address %q", address)
	}
}

func sendable(t *testing.T, raw []byte, space string) {
	t.Helper()
	l := stream.Limits{Stanza: 1 << 26, Tag: 1 << 26, Depth: stream.MaxDepth, Attrs: stream.MaxAttrs, Namespaces: 1 << 16}
	sc := stream.New(l)
	sc.Reset(l, space, nil)
	if _, err := sc.Whole(raw); err != nil {
		t.Errorf("%q: %v", raw, err)
	}
}
