package stanza_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// scan returns raw as the one stanza that it is.
func scan(raw []byte, l stream.Limits) (*stanza.Stanza, error) {
	sc := stream.New(l)
	sc.Reset(l, stanza.NSClient, []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}})
	return sc.Whole(raw)
}

// again writes an element as a stanza's payload would be, and reads it.
func again(e *stanza.Element) ([]byte, *stanza.Element, error) {
	raw := e.AppendXML(nil, stanza.NSClient)
	st, err := scan(raw, stream.Limits{Stanza: 1 << 24, Tag: 1 << 24, Depth: 128, Attrs: 64, Namespaces: 1 << 16})
	if err != nil {
		return raw, nil, err
	}
	back, err := st.Element()
	return raw, back, err
}

func TestAppendXML(t *testing.T) {
	var many strings.Builder
	for i := range 14 {
		fmt.Fprintf(&many, " xmlns:p%d='q%d' p%d:a=''", i, i, i)
	}
	for _, raw := range []string{
		"<iq/>",
		"<iq><q xmlns='a'><b/>text &lt;&amp; <c xmlns='d'><e xmlns=''/></c></q></iq>",
		"<iq><p:q xmlns:p='a'><p:b/><c/></p:q></iq>",
		"<iq xml:lang='en' xmlns:p='q' p:a='1' a='2'/>",
		"<iq" + many.String() + " xmlns:z='y' a='' z:a='' z:b=''/>",
		"<iq><xml:base><a xmlns='b'><xml:c/></a></xml:base></iq>",
		"<iq a='&#x9;&apos;&quot;'><![CDATA[<&]]>&gt;</iq>",
		"<iq><stream:error/></iq>",
	} {
		st, err := scan([]byte(raw), stream.DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		first, err := st.Element()
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		out, second, err := again(first)
		if err != nil {
			t.Errorf("%s\nwas written as\n%s\n%v", raw, out, err)
			continue
		}
		if d := cmp.Diff(first, second, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s\nwas written as\n%s\n%s", raw, out, d)
		}
	}
}

// What was let in can be written out again, and means the same: a feature that
// stores an element must not break the stream of whoever gets it.
func FuzzAppendXML(f *testing.F) {
	f.Add([]byte("<iq><q xmlns='a' xmlns:b='c' b:d='e' xml:lang='f'>g&amp;<b:h/></q></iq>"))
	f.Add([]byte("<iq><xml:q/><![CDATA[]]]]><![CDATA[>]]></iq>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		st, err := scan(raw, stream.DefaultLimits)
		if err != nil {
			return
		}
		first, err := st.Element()
		if err != nil {
			t.Fatalf("%q was scanned and not parsed: %v", raw, err)
		}
		out, second, err := again(first)
		if err != nil {
			t.Fatalf("%q\nwas written as\n%q\n%v", raw, out, err)
		}
		third := second.AppendXML(nil, stanza.NSClient)
		if string(out) != string(third) {
			t.Fatalf("%q\nwas written as\n%q\nand then as\n%q", raw, out, third)
		}
	})
}
