package archive

import (
	"testing"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

func message(t testing.TB, raw string) *stanza.Stanza {
	t.Helper()
	l := stream.Limits{Stanza: 1 << 16, Tag: 1 << 14, Depth: 64, Attrs: 64, Namespaces: 1 << 12}
	sc := stream.New(l)
	sc.Reset(l, stanza.NSClient, nil)
	st, err := sc.Whole([]byte(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return st
}

func TestWorth(t *testing.T) {
	for raw, want := range map[string]bool{
		"<message/>":                                                                             false,
		"<message><body>x</body></message>":                                                      true,
		"<message type='chat'><body/></message>":                                                 true,
		"<message type='normal'><subject>x</subject></message>":                                  false,
		"<message type='groupchat'><body>x</body></message>":                                     false,
		"<message type='headline'><body>x</body></message>":                                      false,
		"<message type='headline'><body>x</body><store xmlns='urn:xmpp:hints'/></message>":       true,
		"<message type='error'><body>x</body><store xmlns='urn:xmpp:hints'/></message>":          false,
		"<message><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>":                    false,
		"<message><no-permanent-store xmlns='urn:xmpp:hints'/><body>x</body></message>":          false,
		"<message><body xmlns='urn:example'>x</body></message>":                                  false,
		"<message type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/></message>": false,
		"<message><received xmlns='urn:xmpp:receipts' id='1'/></message>":                        true,
		"<message><request xmlns='urn:xmpp:receipts'/></message>":                                false,
		"<message><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/></message>":                 true,
		"<message><markable xmlns='urn:xmpp:chat-markers:0'/></message>":                         false,
		"<message><encrypted xmlns='urn:xmpp:omemo:2'/></message>":                               true,
		"<message><received xmlns='urn:xmpp:carbons:2'/></message>":                              false,
		"<message><result xmlns='urn:xmpp:mam:2'/></message>":                                    false,
	} {
		if got := Worth(message(t, raw)); got != want {
			t.Errorf("%s: %v", raw, got)
		}
	}
}

func TestIDs(t *testing.T) {
	ids, err := NewIDs([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewIDs([]byte("0123456789abcdeF"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{1, 2, 1_700_000_000_000_000, 1<<63 - 1} {
		text := string(ids.Append(nil, id))
		if got, ok := ids.Parse(text); got != id || !ok {
			t.Errorf("%d: %d, %v", id, got, ok)
		}
		if _, ok := other.Parse(text); ok {
			t.Errorf("%s of another key passes", text)
		}
		if text != stanza.Escape(text) {
			t.Errorf("%s has to be escaped", text)
		}
	}
	for _, text := range []string{"", "1", "28482-98726-73623", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB", "\xff"} {
		if id, ok := ids.Parse(text); ok {
			t.Errorf("%q is %d", text, id)
		}
	}
	if _, err := NewIDs(nil); err == nil {
		t.Error("ids without a key")
	}
}

// A guessed or changed id names nothing.
func FuzzIDs(f *testing.F) {
	ids, err := NewIDs(make([]byte, KeySize))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(ids.Append(nil, 1_700_000_000_000_000)))
	f.Add("AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := ids.Parse(text)
		if ok && string(ids.Append(nil, id)) != text {
			t.Errorf("%q and %q are both %d", text, ids.Append(nil, id), id)
		}
	})
}

func TestPreferences(t *testing.T) {
	p := Prefs{
		Default: byRoster,
		Always:  []string{"bob@x", "cleo@x/hall", "dan@x"},
		Never:   []string{"bob@x/car", "cleo@x", "dan@x"},
	}
	for who, want := range map[string]policy{
		"bob@x": always, "bob@x/home": always, "bob@x/car": never,
		"cleo@x/hall": always, "cleo@x/desk": never, "cleo@x": never,
		"dan@x/desk": never, "eve@x/desk": byRoster,
	} {
		if got := p.decide(jid.MustParse(who)); got != want {
			t.Errorf("%s: %s", who, got)
		}
	}
}

func TestCacheForgets(t *testing.T) {
	var c cache
	_, era := c.get(1)
	c.drop(1) // changed while it was read
	c.put(1, &Prefs{Default: always}, era)
	if p, _ := c.get(1); p != nil {
		t.Error("what was read before the change is remembered")
	}
	_, era = c.get(1)
	c.put(1, &Prefs{Default: never}, era)
	if p, _ := c.get(1); p == nil || p.Default != never {
		t.Error("it is not remembered")
	}
}
