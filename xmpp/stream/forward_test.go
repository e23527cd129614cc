package stream

import (
	"strings"
	"testing"

	"rollcall/xmpp/stanza"
)

const head = "<stream:stream to='x' version='1.0' xmlns='jabber:client' xmlns:stream='" + stanza.NSStream + "' "

// A namespace of the header can hold the other kind of quote. Forwarded, it
// stays a namespace, and does not become the attribute of a stanza.
func TestHeaderScopeQuotes(t *testing.T) {
	for declared, want := range map[string]string{
		`xmlns:a="u' from='root@x"`:  "xmlns:a='u&apos; from=&apos;root@x'",
		`xmlns:a="u&apos;"`:          "xmlns:a='u&apos;'",
		`xmlns:a='u" to="root@x'`:    "xmlns:a='u&quot; to=&quot;root@x'",
		`xmlns:a="&lt;b&gt;&amp;gt"`: "xmlns:a='&lt;b&gt;&amp;gt'",
	} {
		st := forwarded(t, head+declared+">", "<message><a:b/></message>")
		if want = "<message from='f@x' to='t@x' xmlns:stream='" + stanza.NSStream + "' " + want + "><a:b/></message>"; st != want {
			t.Errorf("%s\n got %s\nwant %s", declared, st, want)
		}
	}
}

func forwarded(t *testing.T, header, raw string) string {
	t.Helper()
	s := New(DefaultLimits)
	s.Filled(copy(s.Space(), header+raw))
	if _, err := s.Header(stanza.NSClient); err != nil {
		t.Fatalf("%s: %v", header, err)
	}
	st, err := s.Next()
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return string(st.Append(nil, "f@x", "t@x"))
}

// A header that all its stanzas would take along for good is refused, and so is
// a second XML declaration.
func TestHeaderExcess(t *testing.T) {
	for in, want := range map[string]error{
		head + "xmlns:a='" + strings.Repeat("u", 2000) + "'>":               ErrTooManyNS,
		head + "xmlns:" + strings.Repeat("a", 2000) + "='u'>":               ErrTooManyNS,
		head + "xmlns:a='" + strings.Repeat("u", 500) + "'>":                nil,
		"<?xml version='1.0'?><?xml version='1.0'?>" + head + ">":           ErrNotWellFormed,
		head + strings.Repeat(" ", DefaultLimits.Tag) + ">":                 ErrTagTooBig,
		strings.Repeat(" ", 100<<10) + "<?xml version='1.0'?>" + head + ">": nil,
		head + "a:b='c'>": ErrBadPrefix,
	} {
		s := New(DefaultLimits)
		rest := []byte(in)
		_, err := s.Header(stanza.NSClient)
		for err == Short && len(rest) > 0 {
			n := copy(s.Space(), rest)
			s.Filled(n)
			rest = rest[n:]
			_, err = s.Header(stanza.NSClient)
		}
		if err != want {
			t.Errorf("%.200s: got %v want %v", in, err, want)
		}
	}
}

// Whatever a stream's header and a stanza in it say: what is forwarded is one
// stanza, which a stream with nothing but the usual namespaces takes, from whom
// the server says it is.
func FuzzForward(f *testing.F) {
	f.Add(`xmlns:a="u' from='root@x"`, `<message a:to='u'><a:b/></message>`)
	f.Add(`xmlns:c='jabber:client'`, `<c:presence xmlns="d" to = '&apos;' from="y"/>`)
	f.Add(`xmlns:a='é' xmlns:b='é'`, `<iq a:b='c'><q xmlns:a='f'><a:to b:to=""/></q></iq>`)
	f.Fuzz(func(t *testing.T, declared, raw string) {
		if len(declared)+len(raw) > 2000 {
			return
		}
		s := New(DefaultLimits)
		s.Filled(copy(s.Space(), head+declared+">"))
		if _, err := s.Header(stanza.NSClient); err != nil {
			return
		}
		s.Filled(copy(s.Space(), raw))
		st, err := s.Next()
		if err != nil || st.Kind == stanza.Other {
			return
		}
		out := st.Append(nil, "f@x", "t@x", []byte("<e xmlns='urn:e'/>"))
		kids := len(st.Children)
		other := New(Limits{Stanza: 1 << 16, Tag: 1 << 16, Depth: 128, Attrs: 64, Namespaces: 128})
		other.Reset(other.limits, stanza.NSClient, []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}})
		got, err := other.Whole(out)
		if err != nil {
			t.Fatalf("%q %q -> %q: %v", declared, raw, out, err)
		}
		if string(got.From) != "f@x" || string(got.To) != "t@x" || len(got.Children) != kids+1 || got.Kind == stanza.Other {
			t.Fatalf("%q %q -> %q", declared, raw, out)
		}
	})
}
