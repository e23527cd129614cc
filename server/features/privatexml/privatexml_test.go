package privatexml

import (
	"strings"
	"testing"

	"rollcall/server"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// request is what a client could send, or nil if it does not get through.
func request(raw string) *server.Request {
	l := stream.Limits{Stanza: 1 << 18, Tag: 1 << 14, Depth: 64, Attrs: 32, Namespaces: 32}
	sc := stream.New(l)
	sc.Reset(l, stanza.NSClient, []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}})
	st, err := sc.Whole([]byte("<iq type='set' id='1'>" + raw + "</iq>"))
	if err != nil || len(st.Children) != 1 {
		return nil
	}
	return &server.Request{Stanza: st, Payload: st.Payload()}
}

func TestElementsAreBounded(t *testing.T) {
	var b strings.Builder
	for n := range maxNamespaces + 1 {
		b.WriteString("<a xmlns='urn:" + strings.Repeat("x", n+1) + "'/>")
	}
	if _, err := elements(request("<query xmlns='jabber:iq:private'>" + b.String() + "</query>")); err == nil {
		t.Error("too many namespaces were taken")
	}
	// A declaration that all elements share is kept with each.
	long := strings.Repeat("n", 1000)
	items, err := elements(request("<query xmlns='jabber:iq:private' xmlns:p='" + long + "'>" + strings.Repeat("<p:a/>", 10_000) + "</query>"))
	if err != nil || len(items) != 1 {
		t.Fatalf("%d, %v", len(items), err)
	}
	if items[0].write(1<<16) != nil {
		t.Error("60 elements in 64 KiB, and 10000 were written")
	}
}

// FuzzElements: whatever a client has kept is a sequence of elements that means
// the same wherever it stands, within its limit.
func FuzzElements(f *testing.F) {
	for _, s := range []string{
		"<query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'><nick a='1'>H &amp; &lt;</nick></exodus></query>",
		"<query xmlns='jabber:iq:private' xmlns:p='urn:p'><p:a p:b='1'><p:c/></p:a><a xmlns='urn:q'><![CDATA[<]]></a>text</query>",
		"<p:query xmlns:p='jabber:iq:private' xmlns='urn:o'><a/><p:b/></p:query>", "<query xmlns='jabber:iq:private'/>",
		"<stream:query><a xmlns='b'><stream:c/></a></stream:query>", "<query xmlns='q'><a xmlns='&amp;&#10;'/></query>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := request(raw)
		if r == nil || r.Payload == nil {
			return
		}
		items, err := elements(r)
		if err != nil {
			if _, known := stanza.AsError(err); !known {
				t.Fatalf("no refusal: %v", err)
			}
			return
		}
		for _, it := range items {
			const most = 1 << 16
			kept := it.write(most)
			if kept == nil {
				continue
			}
			if len(kept) > most {
				t.Fatalf("%d bytes", len(kept))
			}
			again := request("<query xmlns='jabber:iq:private'>" + string(kept) + "</query>")
			if again == nil {
				t.Fatalf("kept as %q, which cannot be sent", kept)
			}
			want := ""
			for _, e := range r.Payload.Elements() {
				if e.Space == it.Namespace {
					want += string(e.AppendXML(nil, ""))
				}
			}
			got := ""
			for _, e := range again.Payload.Elements() {
				got += string(e.AppendXML(nil, ""))
			}
			if got != want {
				t.Fatalf("%q became %q", want, got)
			}
		}
	})
}
