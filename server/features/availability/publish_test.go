package availability

import (
	"bytes"
	"testing"

	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

func scan(raw []byte) (*stanza.Stanza, error) {
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}, {Prefix: "c", URI: stanza.NSClient}})
	return sc.Whole(raw)
}

func TestDescribe(t *testing.T) {
	for raw, want := range map[string]struct {
		priority int8
		show     string
		bad      bool
	}{
		"<presence/>": {},
		"<presence><priority>-128</priority></presence>":                                 {priority: -128},
		"<presence><priority> 127\n</priority><show>xa</show></presence>":                {priority: 127, show: "xa"},
		"<presence><priority>+7</priority></presence>":                                   {priority: 7},
		"<presence><priority>&#x31;<![CDATA[2]]></priority></presence>":                  {priority: 12},
		"<presence><priority xmlns='urn:x'>999</priority></presence>":                    {},
		"<presence><show/></presence>":                                                   {},
		"<presence><priority/></presence>":                                               {bad: true},
		"<presence><priority>-129</priority></presence>":                                 {bad: true},
		"<presence><priority>1.5</priority></presence>":                                  {bad: true},
		"<presence><priority>1<x/></priority></presence>":                                {bad: true},
		"<presence><show>Away</show></presence>":                                         {bad: true},
		"<presence><show>dnd</show><show>dnd</show></presence>":                          {bad: true},
		"<presence><priority>1</priority><status/><priority>1</priority></presence>":     {bad: true},
		"<presence><status>x</status><show>chat</show><priority>0</priority></presence>": {show: "chat"},
	} {
		st, err := scan([]byte(raw))
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		a, err := describe(st)
		switch {
		case (err != nil) != want.bad:
			t.Errorf("%s: %v", raw, err)
		case err == nil && (a.Priority != want.priority || a.Show != want.show):
			t.Errorf("%s: priority %d and show %q", raw, a.Priority, a.Show)
		}
	}
}

// Whatever presence is let in, its two parts with an address between them are
// the presence as it would be forwarded.
func FuzzSplit(f *testing.F) {
	for _, raw := range []string{
		"<presence/>", "<presence to='a@b' from=\"c@d/e\" id='1' ><show>away</show></presence >",
		"<c:presence\n/>", "<presence xmlns='jabber:client'><stream:x/></presence>", somewhere,
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		st, err := scan([]byte(raw))
		if err != nil || st.Kind != stanza.Presence {
			return
		}
		whole := st.Append(nil, "ada@x/desk", "bob@x")
		head, tail := split(st, "ada@x/desk")
		joined := append(append(bytes.Clone(head), "bob@x"...), tail...)
		if got, err := scan(joined); err != nil || string(got.From) != "ada@x/desk" || string(got.To) != "bob@x" {
			t.Fatalf("%q becomes %q: %v", raw, joined, err)
		}
		// The prefixes of the stream are declared before the address or after.
		if len(joined) != len(whole) {
			t.Errorf("%q becomes %q, not %q", raw, joined, whole)
		}
	})
}
