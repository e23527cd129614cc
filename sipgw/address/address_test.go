package address

import (
	"errors"
	"strings"
	"testing"

	"rollcall/xmpp/jid"
)

var mapper = &Mapper{
	Hosts:   map[string]string{"10.0.0.1": "phones.example.org", "sip.example.org": "example.org"},
	Domains: map[string]string{"example.org": "sip.example.org"},
	Numbers: Plan{Domain: "phones.example.org", Country: "49", Trunk: "0", Abroad: "00"},
}

// The vectors of RFC 7247 §6.4 and what stands around them.
func TestJID(t *testing.T) {
	tests := []struct{ uri, want string }{
		{"sip:f%C3%BC@sip.example", "fü@sip.example"},
		{"sip:o'malley@sip.example", `o\27malley@sip.example`},
		{"sip:foo@sip.example;gr=bar", "foo@sip.example/bar"},
		{"sip:m&m@x.example", `m\26m@x.example`},
		{"sip:a/b@x.example", `a\2fb@x.example`},
		{"sip:a%22b@x.example", `a\22b@x.example`},
		{"sip:a%20b@x.example", `a\20b@x.example`},
		{"sip:a%3Ab@x.example", `a\3ab@x.example`},
		{"sip:a%3C%3E%40@x.example", `a\3c\3e\40@x.example`},
		{`sip:a%5C27@x.example`, `a\5c27@x.example`},
		{`sip:a%5Cb@x.example`, `a\b@x.example`},
		{"SIP:Alice@X.Example", "alice@x.example"},
		{"sip:alice:secret@x.example", "alice@x.example"},
		{"sip:alice@x.example:5061;transport=tcp?Subject=hi", "alice@x.example"},
		{"sip:alice@x.example;gr=", "alice@x.example"},
		{"sip:alice@x.example;gr", "alice@x.example"},
		{"sip:alice@x.example;gr=urn:uuid:f81d%20x", "alice@x.example/urn:uuid:f81d x"},
		{"sip:x.example", "x.example"},
		{"sip:alice@[2001:db8::1]:5060", "alice@[2001:db8::1]"},
		{"sip:alice@x.example.", "alice@x.example"},
		{`"A <b>" <sip:alice@x.example;lr>;tag=1`, "alice@x.example"},
		{"<sip:alice@x.example>", "alice@x.example"},
		{"pres:romeo@example.net", "romeo@example.net"},
		{"im:romeo@example.net", "romeo@example.net"},
		{"sip:2001@10.0.0.1", "2001@phones.example.org"},
		{"sip:alice@sip.example.org", "alice@example.org"},

		{"tel:+49-30-1234", "+49301234@phones.example.org"},
		{"tel:+49(30)12.34;ext=5", "+49301234@phones.example.org"},
		{"tel:2001;phone-context=example.org", "2001@phones.example.org"},
		{"tel:1234;phone-context=+4930", "+49301234@phones.example.org"},
		{"tel:0301234", "+49301234@phones.example.org"},
		{"tel:0043123", "+43123@phones.example.org"},
		{"sip:+49301234@gw.example;user=phone", "+49301234@phones.example.org"},
	}
	for _, tt := range tests {
		got, err := mapper.Parse(tt.uri)
		if err != nil || got.String() != tt.want {
			t.Errorf("%s: %s %v, want %s", tt.uri, got, err, tt.want)
		}
	}
	for _, bad := range []string{
		"", "alice", "alice@x.example", "sip:", "sip:@x.example", "sip:a@", "mailto:a@x", "http://x", "sip:a@x:port", "sip:a@x:123456",
		"sip:a@x:", "sip:a%2@x.example", "sip:a%zz@x.example", "sip:%FF@x.example", "sip:a%00@x.example", "sip:a%0d%0a@x.example",
		"sip:a b@x.example", "sip:a@x y", "sip:%20a@x.example", "sip:a%20@x.example", "sip:a@[::1", "sip:a@[nonsense]", "sip:a@b@c",
		"sip:a@x/y", "<sip:a@x", "tel:", "tel:+", "tel:alice", "tel:12+34", "tel:" + strings.Repeat("1", 40), "sip:a@" + strings.Repeat("x", MaxURI),
		"sip:alice@gw.example;user=phone", "sip:a@-x-.example\n",
	} {
		if got, err := mapper.Parse(bad); err == nil {
			t.Errorf("%q is %s", bad, got)
		}
	}
}

// The vectors of RFC 7247 §6.5.
func TestURI(t *testing.T) {
	tests := []struct{ jid, want string }{
		{`m\26m@xmpp.example`, "sip:m&m@xmpp.example"},
		{"tschüss@xmpp.example", "sip:tsch%C3%BCss@xmpp.example"},
		{"baz@xmpp.example/qux", "sip:baz@xmpp.example;gr=qux"},
		{`o\27malley@sip.example`, "sip:o'malley@sip.example"},
		{`a\2fb@x.example`, "sip:a/b@x.example"},
		{`a\20\22\3a\3c\3e\40@x.example`, "sip:a%20%22%3A%3C%3E%40@x.example"},
		{`a\5c27@x.example`, "sip:a%5C27@x.example"},
		{"#%[]^`{|}@x.example", "sip:%23%25%5B%5D%5E%60%7B%7C%7D@x.example"},
		{"!$()*+,-.;=?_~@x.example", "sip:!$()*+,-.;=?_~@x.example"},
		{"baz@xmpp.example/Büro 2;x=1", "sip:baz@xmpp.example;gr=B%C3%BCro%202%3Bx%3D1"},
		{"x.example", "sip:x.example"},
		{"alice@example.org", "sip:alice@sip.example.org"},
		{"alice@bücher.example", "sip:alice@xn--bcher-kva.example"},
		{"alice@[2001:db8::1]", "sip:alice@[2001:db8::1]"},
		{"+49301234@phones.example.org", "tel:+49301234"},
		{"+49301234@phones.example.org/sip", "sip:+49301234@phones.example.org;gr=sip"},
		{"2001@phones.example.org", "sip:2001@phones.example.org"},
		{"+49301234@elsewhere.example", "sip:+49301234@elsewhere.example"},
	}
	for _, tt := range tests {
		got, err := mapper.URI(jid.MustParse(tt.jid))
		if err != nil || got != tt.want {
			t.Errorf("%s: %s %v, want %s", tt.jid, got, err, tt.want)
		}
	}
}

func TestSecure(t *testing.T) {
	if _, err := mapper.Parse("sips:alice@x.example"); !errors.Is(err, ErrSecure) {
		t.Error(err)
	}
	agreed := *mapper
	agreed.Secure = true
	if j, err := agreed.Parse("sips:alice@x.example"); err != nil || j.String() != "alice@x.example" {
		t.Error(j, err)
	}
}

func TestEscape(t *testing.T) {
	// XEP-0106's examples of when a backslash is escaped, and that all comes back.
	for plain, want := range map[string]string{
		`c:\net`: `c\3a\net`, `c:\\net`: `c\3a\\net`, `c:\cool stuff`: `c\3a\cool\20stuff`, `c:\5commas`: `c\3a\5c5commas`,
		`d'artagnan`: `d\27artagnan`, `/.fanboy`: `\2f.fanboy`, `::foo::`: `\3a\3afoo\3a\3a`, `<foo>`: `\3cfoo\3e`,
		`user@host`: `user\40host`, `\`: `\`, `\2`: `\2`, `\20`: `\5c20`, `\5c`: `\5c5c`, `plain`: `plain`,
	} {
		got := Escape(plain)
		if got != want || Unescape(got) != plain {
			t.Errorf("%s: %s, and back %s", plain, got, Unescape(got))
		}
	}
	if Unescape(`a\2Fb`) != "a/b" {
		t.Error("upper case")
	}
}

func TestNumber(t *testing.T) {
	p := mapper.Numbers
	for in, want := range map[string]string{
		"+49 30 1234": "+49301234", "030-1234": "+49301234", "0049301234": "+49301234", "2001": "2001", "*98": "*98", "0": "0", "00": "00",
		"": "", "alice": "", "+": "", "(030) 12.34": "+49301234",
	} {
		if got := p.Number(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := (Plan{}).Number("030"); got != "030" {
		t.Error("a plan that knows nothing", got)
	}
}

func FuzzMapper(f *testing.F) {
	for _, s := range []string{"sip:f%C3%BC@sip.example;gr=bar", `"A" <sip:o'malley@sip.example:5060>`, "tel:+49-30;phone-context=+1", "sip:[::1]", `sip:a%5C5c27@x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		j, err := mapper.Parse(s)
		if err != nil {
			return
		}
		uri, err := mapper.URI(j)
		if err != nil {
			return // a domain that the DNS cannot have
		}
		if strings.ContainsAny(uri, " <>\"\r\n\x00") {
			t.Errorf("%q", uri)
		}
		// Back again it is the same address, but for hosts that are renamed one way.
		same := *mapper
		same.Hosts, same.Domains = nil, nil
		uri, _ = same.URI(j)
		again, err := same.Parse(uri)
		if err != nil || again != j {
			t.Errorf("%q: %q is %q, then %q: %v", s, uri, j, again, err)
		}
	})
}

func BenchmarkJID(b *testing.B) {
	for b.Loop() {
		if _, err := mapper.Parse("<sip:alice@sip.example.org:5060;transport=tcp>"); err != nil {
			b.Fatal(err)
		}
	}
}
