package stanza_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

func TestAppendChild(t *testing.T) {
	for raw, want := range map[string]string{
		"<iq><q xmlns='a'><b/></q></iq>": "<q xmlns='a'><b/></q>",
		"<iq><q/></iq>":                  "<q xmlns='jabber:client'/>",
		"<iq xmlns:p='u' xmlns:r='v'><p:q a='1'><b/></p:q></iq>":   "<p:q xmlns:p='u' xmlns='jabber:client' a='1'><b/></p:q>",
		"<iq xmlns:p='u'><q xmlns='a' xmlns:p='w'><p:b/></q></iq>": "<q xmlns='a' xmlns:p='w'><p:b/></q>",
		"<iq xmlns:p='u&amp;\"'><q xmlns='a' p:b=\"'\"/></iq>":     "<q xmlns:p='u&amp;&quot;' xmlns='a' p:b=\"'\"/>",
		"<c:iq xmlns:c='jabber:client' xmlns='d'><q/></c:iq>":      "<q xmlns='d'/>",
		"<iq><q xmlns='a'><stream:b/></q></iq>":                    "<q xmlns:stream='" + stanza.NSStream + "' xmlns='a'><stream:b/></q>",
	} {
		st, err := scan([]byte(raw), stream.DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if got := string(st.AppendChild(nil, &st.Children[0])); got != want {
			t.Errorf("%s\n got %s\nwant %s", raw, got, want)
		}
	}
}

// A child that is taken out is well-formed and means what it meant.
func FuzzAppendChild(f *testing.F) {
	f.Add([]byte("<iq xmlns:p='u' xmlns:r='v'><p:q a='1'><b xmlns:p=''/></p:q></iq>"))
	f.Add([]byte("<c:iq xmlns:c='jabber:client' xmlns='d' xml:lang='e'><q c:f='g'/><stream:q/></c:iq>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		st, err := scan(raw, stream.DefaultLimits)
		if err != nil || len(st.Children) == 0 {
			return
		}
		before := st.Payload()
		out := st.AppendChild(nil, &st.Children[0])
		l := stream.DefaultLimits
		l.Attrs, l.Namespaces, l.Stanza, l.Tag = 64, 1<<16, 1<<24, 1<<24
		sc := stream.New(l)
		sc.Reset(l, "elsewhere", nil)
		alone, err := sc.Whole(out)
		if err != nil {
			t.Fatalf("%q\ngave\n%q\n%v", raw, out, err)
		}
		after, err := stanza.Parse(alone.Raw, "elsewhere", nil)
		if err != nil {
			t.Fatalf("%q\ngave\n%q\n%v", raw, out, err)
		}
		if d := cmp.Diff(before, after, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("%q\ngave\n%q\n%s", raw, out, d)
		}
	})
}
