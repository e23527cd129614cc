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

// The strings that a hash is made of can be cut in more than one way. What is said in
// another way has the same hash, and is to be believed of nobody else (XEP-0115 §5.1
// knows no difference).
func TestAmbiguous(t *testing.T) {
	client := []Identity{{"client", "pc", "", "C/2"}}
	honest := Info{Identities: client, Features: []string{"http://a/b", "urn:x", "urn:y+notify"}}
	if honest.Ambiguous() {
		t.Error("what an honest client says is ambiguous")
	}
	f := form.Form{Type: "urn:xmpp:dataforms:softwareinfo", Fields: []form.Field{{Var: "os", Values: []string{"Mac"}}}}
	if (Info{Identities: client, Features: []string{"urn:xmpp:ping"}, Forms: []form.Form{f}}).Ambiguous() {
		t.Error("a form is ambiguous")
	}
	for _, c := range []struct {
		name string
		said Info
	}{
		{"features as one", Info{Identities: client, Features: []string{"http://a/b", "urn:x<urn:y+notify"}}},
		{"features as an identity", Info{Identities: []Identity{{"client", "pc", "", "C/2<http://a/b<urn:x<urn:y+notify"}}}},
		{"a feature as an identity", Info{Identities: append([]Identity{{"http:", "", "a", "b"}}, client...), Features: []string{"urn:x", "urn:y+notify"}}},
		{"an identity as a feature", Info{Features: append([]string{"client/pc//C/2"}, honest.Features...)}},
		{"features as a form", Info{Identities: client, Features: []string{"http://a/b"}, Forms: []form.Form{{Type: "urn:x", Fields: []form.Field{{Var: "urn:y+notify"}}}}}},
		{"a feature as a form", Info{Identities: client, Features: []string{"http://a/b", "urn:x"}, Forms: []form.Form{{Type: "urn:y+notify"}}}},
		{"a type with a slash", Info{Identities: []Identity{{"client", "pc/", "C", "2"}}, Features: honest.Features}},
	} {
		if !c.said.Ambiguous() {
			t.Errorf("%s is not ambiguous", c.name)
		}
		if c.said.Verification() != honest.Verification() {
			t.Errorf("%s has another hash, and so shows nothing", c.name)
		}
	}
}
