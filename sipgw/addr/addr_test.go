package addr

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for s, want := range map[string]URI{
		"sip:a":                             {Host: "a"},
		"SIP:a":                             {Host: "a"},
		"sips:ada@x.example:5061":           {Secure: true, User: "ada", Host: "x.example", Port: 5061},
		"sip:ada:pw@192.0.2.1;lr;a=b?c=d":   {User: "ada", Password: "pw", Host: "192.0.2.1", Params: ";lr;a=b", Headers: "c=d"},
		"sip:a;b?c=d@h":                     {User: "a;b?c=d", Host: "h"},
		"sip:+49;phone-context=x@h;user=ph": {User: "+49;phone-context=x", Host: "h", Params: ";user=ph"},
		"sip:[2001:db8::1]":                 {Host: "[2001:db8::1]"},
		"sip:a@[::1]:5060;x":                {User: "a", Host: "[::1]", Port: 5060, Params: ";x"},
		"sip:a_b.c-d":                       {Host: "a_b.c-d"},
		"sip:%61%40@h":                      {User: "%61%40", Host: "h"},
	} {
		if got, err := Parse(s); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", s, got, err)
		}
	}
	for s, want := range map[string]error{
		"":                                 errScheme,
		"a":                                errScheme,
		"tel:+49":                          errScheme,
		"sip:":                             errHost,
		"sip:a@":                           errHost,
		"sip:@h":                           errChar,
		"sip:a@b@c":                        errChar,
		"sip:a b@c":                        errChar,
		"sip:a@h\r\nX: y":                  errChar,
		"sip:zo\u00eb@h":                   errChar,
		"sip:a%4@h":                        errEscape,
		"sip:a%zz@h":                       errEscape,
		"sip:h%":                           errEscape,
		"sip:h%41":                         errHost,
		"sip:h:":                           errPort,
		"sip:h:0":                          errPort,
		"sip:h:65536":                      errPort,
		"sip:h:+1":                         errPort,
		"sip:[::1":                         errPort,
		"sip:[]":                           errHost,
		"sip:[::1]5060":                    errPort,
		"sip:a/b":                          errHost,
		"sip:" + strings.Repeat("a", 256):  errHost,
		"sip:" + strings.Repeat("a", 1000): errLong,
	} {
		if got, err := Parse(s); err != want {
			t.Errorf("%s: got %+v, %v; want %v", s, got, err, want)
		}
	}
}

// RFC 3261 §19.1.4, with its examples.
func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
		{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
		{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com", "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
		{"sip:a@h", "sips:a@h", false},
		{"sip:a@h", "sip:a:pw@h", false},
		{"sip:a@h", "sip:h", false},
		{"sip:a@h;user=phone", "sip:a@h", false},
		{"sip:a@h", "sip:a@h;maddr=x", false},
		{"sip:a@h?x=1&x=1", "sip:a@h?x=1&y=1", false},
		{"sip:a@h?x=1", "sip:a@h?x=1&x=1", false},
	} {
		a, err := Parse(tt.a)
		if err != nil {
			t.Fatal(tt.a, err)
		}
		b, err := Parse(tt.b)
		if err != nil {
			t.Fatal(tt.b, err)
		}
		if Equal(a, b) != tt.want || Equal(b, a) != tt.want {
			t.Errorf("%s and %s: %v, %v, want %v", tt.a, tt.b, Equal(a, b), Equal(b, a), tt.want)
		}
	}
}

func TestSamePlace(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"sip:x", "sip:X:5060;transport=tcp", true},
		{"sips:x", "sips:x:5061", true},
		{"sip:x", "sip:x:5061", false},
		{"sip:x", "sips:x:5060", false},
		{"sip:a@x", "sip:x", false},
	} {
		a, _ := Parse(tt.a)
		b, _ := Parse(tt.b)
		if SamePlace(a, b) != tt.want || SamePlace(b, a) != tt.want {
			t.Errorf("%s and %s are not %v", tt.a, tt.b, tt.want)
		}
	}
}

// RFC 3261 §10.3 step 5.
func TestAOR(t *testing.T) {
	for s, want := range map[string]string{
		"sip:2001@PHONES.x:5060;user=phone": "2001@phones.x",
		"sips:%61da@x":                      "ada@x",
		"sip:ada:pw@x?a=b":                  "ada@x",
		"sip:x":                             "",
	} {
		u, err := Parse(s)
		if got := u.AOR(); err != nil || got != want {
			t.Errorf("%s: %q, %v", s, got, err)
		}
	}
}

func TestField(t *testing.T) {
	for s, want := range map[string]Field{
		`"A <b>, \"c\"" <sip:a;x=1>;tag=t`: {Name: `"A <b>, \"c\""`, URI: "sip:a;x=1", Params: ";tag=t"},
		`Ada <sip:a> ; tag="a;b" ;x`:       {Name: "Ada", URI: "sip:a", Params: `; tag="a;b" ;x`},
		`sip:a;tag=t`:                      {URI: "sip:a", Params: ";tag=t"},
		"\t<sip:a>":                        {URI: "sip:a"},
	} {
		if got, err := ParseField(s); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "<>", "<sip:a", `"x <sip:a>`, "<sip:a>x", "<sip:a\n>", ";tag=t", strings.Repeat("a", maxValue+1)} {
		// A name that does not end is taken for a URI, which it is not.
		if got, err := ParseField(s); err == nil {
			if _, err := Parse(got.URI); err == nil {
				t.Errorf("%q: got %+v", s, got)
			}
		}
	}
	f, _ := ParseField(`<sip:a>; Tag = t ;x;y="a;b";y=2`)
	for name, want := range map[string]string{"tag": "t", "X": "", "y": "a;b"} {
		if got, found := f.Param(name); got != want || !found {
			t.Errorf("%s: %q, %v", name, got, found)
		}
	}
	if _, found := f.Param("z"); found {
		t.Error("there is a z")
	}
}

func TestSplit(t *testing.T) {
	for s, want := range map[string][]string{
		"":                             nil,
		" , ,":                         nil,
		"a, b ,c":                      {"a", "b", "c"},
		`"a,b" <sip:c,d>;x="e,f", <g>`: {`"a,b" <sip:c,d>;x="e,f"`, "<g>"},
		`<a"b>, c"`:                    {`<a"b>`, `c"`},
		`"a\",b", c`:                   {`"a\",b"`, "c"},
		`<a`:                           {"<a"},
	} {
		var got []string
		Split(s, func(v string) bool { got = append(got, v); return true })
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q", s, got)
		}
	}
	n := 0
	Split("a,b,c", func(string) bool { n++; return n < 2 })
	if n != 2 {
		t.Errorf("it went on to %d", n)
	}
	if !Lists([]string{"", "timer, Path"}, "path") || Lists([]string{"pathx"}, "path") {
		t.Error("Lists")
	}
}

// FuzzAddress: whatever is read can be compared, and is the same as itself.
func FuzzAddress(f *testing.F) {
	f.Add(`"Ada" <sips:a;b?c=d:pw@[::1]:5061;x=%20;y?h=1&i=2>;q=1;z="a,b", sip:b`)
	f.Fuzz(func(t *testing.T, s string) {
		Split(s, func(v string) bool {
			field, err := ParseField(v)
			if err != nil {
				return true
			}
			for rest, n := field.Params, 0; rest != ""; n++ {
				if _, rest = CutParam(rest); n > maxValue {
					t.Fatal("there is no end of parameters")
				}
			}
			u, err := Parse(field.URI)
			if err != nil {
				return true
			}
			if !Equal(u, u) || !SamePlace(u, u) {
				t.Fatalf("%q is not itself", field.URI)
			}
			if strings.ContainsAny(u.Host, " \r\n<>\"@;?") {
				t.Fatalf("%q has the host %q", field.URI, u.Host)
			}
			u.AOR()
			return true
		})
	})
}
