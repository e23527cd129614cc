package disco

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"rollcall/server"
	"rollcall/xmpp/form"
	"rollcall/xmpp/stanza"
)

// The examples of XEP-0115 §5.2 and §5.3, out of order.
func TestVerification(t *testing.T) {
	features := []string{
		nsInfo, "http://jabber.org/protocol/muc", nsItems, nsCaps, nsInfo,
	}
	for _, c := range []struct {
		name string
		info Info
		want string
	}{
		{
			"simple",
			Info{Identities: []Identity{{"client", "pc", "", "Exodus 0.9.1"}}, Features: features},
			"QgayPKawpkPSDYmwT/WM94uAlu0=",
		},
		{
			"complex",
			Info{
				Identities: []Identity{{"client", "pc", "en", "Psi 0.11"}, {"client", "pc", "el", "Ψ 0.11"}},
				Features:   features,
				Forms: []form.Form{{Type: "urn:xmpp:dataforms:softwareinfo", Fields: []form.Field{
					{Var: "software", Values: []string{"Psi"}},
					{Var: "ip_version", Values: []string{"ipv6", "ipv4"}},
					{Var: "os_version", Values: []string{"10.5.1"}},
					{Var: "os", Values: []string{"Mac"}},
					{Var: "software_version", Values: []string{"0.11"}},
				}}},
			},
			"q07IKJEyjvHSyhy//CH0CxmKi8w=",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.info.Verification(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestSortedLeavesItsArgumentAlone(t *testing.T) {
	i := Info{Features: []string{"b", "a"}, Forms: []form.Form{{Type: "f", Fields: []form.Field{{Var: "y", Values: []string{"2", "1"}}, {Var: "x"}}}}}
	s := i.sorted()
	if s.Features[0] != "a" || s.Forms[0].Fields[0].Var != "x" || s.Forms[0].Fields[1].Values[0] != "1" {
		t.Errorf("not sorted: %+v", s)
	}
	if i.Features[0] != "b" || i.Forms[0].Fields[0].Var != "y" || i.Forms[0].Fields[0].Values[0] != "2" {
		t.Errorf("the argument has changed: %+v", i)
	}
}

func TestAppend(t *testing.T) {
	i := Info{
		Identities: []Identity{{"client", "pc", "en", "Tom & Jerry's"}},
		Features:   []string{"a<b"},
		Forms:      []form.Form{{Type: "t", Fields: []form.Field{{Var: "v", Values: []string{"1", "2"}}}}},
	}
	want := "<query xmlns='" + nsInfo + "' node='n&apos;1'>" +
		"<identity category='client' type='pc' xml:lang='en' name='Tom &amp; Jerry&apos;s'/>" +
		"<feature var='a&lt;b'/>" +
		"<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>t</value></field>" +
		"<field var='v'><value>1</value><value>2</value></field></x></query>"
	if got := string(i.Append(nil, "n'1")); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestTellCollectsAllFeatures(t *testing.T) {
	got := tell([]server.Info{
		{Host: []string{"h2", "both"}, Account: []string{"a"}},
		{Host: []string{"h1", "both"}, Account: []string{"both"}},
	}, nil)
	if want := []string{"both", "h1", "h2"}; !slices.Equal(got.host.Features, want) {
		t.Errorf("the server has %v, want %v", got.host.Features, want)
	}
	if want := []string{"a", "both"}; !slices.Equal(got.registered.Features, want) || !slices.Equal(got.anonymous.Features, want) {
		t.Errorf("accounts have %v and %v, want %v", got.registered.Features, got.anonymous.Features, want)
	}
	if got.ver != got.host.Verification() {
		t.Errorf("ver is %s, not that of the server's information", got.ver)
	}
}

// What has changed is told, and what was told before too, to those who ask for
// it by its name.
func TestRefresh(t *testing.T) {
	value := "1"
	f := New(nil, func() []form.Form {
		return []form.Form{{Type: "t", Fields: []form.Field{{Var: "v", Values: []string{value}}}}}
	})
	server.New(t.Context(), server.Options{Features: []server.Feature{f}})
	asks := func(node string) string {
		b, err := f.hostInfo(t.Context(), &server.Request{Payload: &stanza.Element{Attrs: []stanza.Attr{{Local: "node", Value: node}}}})
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	first := f.told()[0].ver
	f.Refresh()
	if len(f.told()) != 1 {
		t.Error("something is remembered though nothing has changed")
	}
	value = "2"
	f.Refresh()
	if second := f.told()[0].ver; second == first || !strings.Contains(string(f.told()[0].caps), second) {
		t.Errorf("known as %s and then as %s", first, second)
	}
	if got := asks(""); !strings.Contains(got, "<value>2</value>") {
		t.Errorf("now it says %s", got)
	}
	if got := asks(Node + "#" + first); !strings.Contains(got, "<value>1</value>") {
		t.Errorf("to those who know the first it says %s", got)
	}
	for n := range maxSaid {
		value = strconv.Itoa(n + 10)
		f.Refresh()
	}
	if got := asks(Node + "#" + first); got != "item-not-found" || len(f.told()) != maxSaid {
		t.Errorf("after many changes: %s, %d are remembered", got, len(f.told()))
	}
}
