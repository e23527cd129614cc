package stanza_test

import (
	"testing"

	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

func TestCanonical(t *testing.T) {
	for _, same := range [][]string{
		{"<message from='a@x' to='b@x'/>", "<message  to=\"b@x\" from=\"a@x\"></message>", "<c:message xmlns:c='jabber:client' to='b@x' from='a@x'/>"},
		{"<message><q xmlns='a' b='1' c='2'>&lt;</q></message>", "<message xmlns:p='a'><p:q c='2' b='1'><![CDATA[<]]></p:q></message>"},
		{"<message xml:lang='en' p:a='1' xmlns:p='u'/>", "<message xmlns:q='u' q:a='1' xml:lang='en'/>"},
		{"<message><body>a&#xA;b</body></message>", "<message><body>a\nb</body></message>"},
	} {
		want := ""
		for i, raw := range same {
			got, err := stanza.Canonical([]byte(raw), stanza.NSClient)
			if err != nil {
				t.Errorf("%s: %v", raw, err)
			}
			if i == 0 {
				want = string(got)
			}
			if string(got) != want {
				t.Errorf("%s\n is %s\nnot %s", raw, got, want)
			}
			again, err := stanza.Canonical(got, stanza.NSClient)
			if err != nil || string(again) != string(got) {
				t.Errorf("%s\nthen is %s, %v", got, again, err)
			}
		}
	}
	if _, err := stanza.Canonical([]byte("<message"), stanza.NSClient); err == nil {
		t.Error("half a tag was taken")
	}
}

// What is canonical stays as it is, and can be sent.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte("<message to='b' from='a' xml:lang='c'><q xmlns='d' xmlns:e='f' e:h='1' g='2'/></message>"))
	f.Add([]byte("<message xmlns:a='b' xmlns:c='b' a:d='1'><c:e/>\r\n<![CDATA[]]></message>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := scan(raw, stream.DefaultLimits); err != nil {
			return
		}
		once, err := stanza.Canonical(raw, stanza.NSClient)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if _, err := scan(once, stream.Limits{Stanza: 1 << 24, Tag: 1 << 24, Depth: 128, Attrs: 64, Namespaces: 1 << 16}); err != nil {
			t.Fatalf("%q\nbecame\n%q\n%v", raw, once, err)
		}
		twice, err := stanza.Canonical(once, stanza.NSClient)
		if err != nil || string(once) != string(twice) {
			t.Fatalf("%q\nbecame\n%q\nand then\n%q, %v", raw, once, twice, err)
		}
	})
}
