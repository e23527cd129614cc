package entity

import (
	"testing"

	"rollcall/xmpp/form"
)

// The examples of XEP-0115 §5.2 and §5.3, out of order.
func TestVerification(t *testing.T) {
	features := []string{
		NSInfo, "http://jabber.org/protocol/muc", NSItems, NSCaps, NSInfo,
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
	s := i.Sorted()
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
	want := "<query xmlns='" + NSInfo + "' node='n&apos;1'>" +
		"<identity category='client' type='pc' xml:lang='en' name='Tom &amp; Jerry&apos;s'/>" +
		"<feature var='a&lt;b'/>" +
		"<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>t</value></field>" +
		"<field var='v'><value>1</value><value>2</value></field></x></query>"
	if got := string(i.Append(nil, "n'1")); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
