package stream

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand"
	"strings"
	"testing"

	"rollcall/xmpp/stanza"
)

const msg = `<message to='juliet@capulet.example/balcony' from='romeo@montague.example/orchard' type='chat' id='ktx72v49' xml:lang='en'><body>Art thou not Romeo, and a Montague?</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>`

var testRoot = []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}, {Prefix: "r", URI: "urn:root"}}

func testScanner(l Limits) *Scanner {
	s := New(l)
	s.Reset(l, stanza.NSClient, testRoot)
	return s
}

// feed puts in in pieces of the sizes that size returns, and collects what
// each stanza looks like until an error.
func feed(s *Scanner, in []byte, size func() int, each func(*stanza.Stanza)) error {
	for {
		st, err := s.Next()
		switch {
		case err == nil:
			each(st)
		case err != Short:
			return err
		case len(in) == 0:
			return io.EOF
		default:
			n := copy(s.Space(), in[:min(len(in), max(1, size()))])
			s.Filled(n)
			in = in[n:]
		}
	}
}

func describe(st *stanza.Stanza) string {
	var k strings.Builder
	for _, c := range st.Children {
		k.WriteString(" " + string(c.Space) + "#" + string(c.Local) + "=" + string(st.Bytes(c.Inner)))
	}
	return strings.Join([]string{string(st.Name.Space) + "#" + string(st.Name.Local), st.Kind.String(), string(st.To), string(st.From), string(st.Type), string(st.ID), string(st.Lang), k.String()}, "|")
}

func whole() int   { return 1 << 20 }
func oneByte() int { return 1 }

func TestStanzas(t *testing.T) {
	in := " \n" + msg + "\n" + `<presence/><iq type='get' id='1'><q xmlns='urn:q' xmlns:a='urn:a' a:b="x&amp;&#x41;'"><a:c d='1'/>&lt;t ]] ü<![CDATA[<x>]]></q></iq><x:message xmlns:x='jabber:client'><r:a/><x:body>hi</x:body ></x:message></stream:stream>`
	want := strings.Join([]string{
		"jabber:client#message|message|juliet@capulet.example/balcony|romeo@montague.example/orchard|chat|ktx72v49|en| jabber:client#body=Art thou not Romeo, and a Montague? http://jabber.org/protocol/chatstates#active= urn:xmpp:receipts#request=",
		"jabber:client#presence|presence||||||",
		"jabber:client#iq|iq|||get|1|| urn:q#q=<a:c d='1'/>&lt;t ]] ü<![CDATA[<x>]]>",
		"jabber:client#message|message|||||| urn:root#a= jabber:client#body=hi",
	}, "\n")
	for name, size := range map[string]func() int{"whole": whole, "byte": oneByte} {
		var got []string
		err := feed(testScanner(DefaultLimits), []byte(in), size, func(st *stanza.Stanza) { got = append(got, describe(st)) })
		if err != End {
			t.Errorf("%s: %v", name, err)
		}
		if g := strings.Join(got, "\n"); g != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, g, want)
		}
	}
}

func TestAppend(t *testing.T) {
	for _, c := range []struct{ in, from, to, extra, want string }{
		{`<presence/>`, "a@b/c", "", "", `<presence from='a@b/c'/>`},
		{`<presence/>`, "a@b/c", "", "<x xmlns='u'/>", `<presence from='a@b/c'><x xmlns='u'/></presence>`},
		{`<message from='x@y' to='z@y' id='1'>t</message>`, "a@b/c", "d@e", "<x/>", `<message id='1' from='a@b/c' to='d@e'>t<x/></message>`},
		{`<message xmlns='jabber:client' to="q"><b/></message>`, "a@b", "q@w", "", `<message from='a@b' to='q@w'><b/></message>`},
		{`<message><r:a/></message>`, "a@b", "", "", `<message from='a@b' xmlns:stream='http://etherx.jabber.org/streams' xmlns:r='urn:root'><r:a/></message>`},
		{`<message xmlns:r = 'urn:own' id='xmlns:stream='><stream:b/></message>`, "", "", "", `<message xmlns:r = 'urn:own' id='xmlns:stream=' xmlns:stream='http://etherx.jabber.org/streams'><stream:b/></message>`},
	} {
		err := feed(testScanner(DefaultLimits), []byte(c.in), whole, func(st *stanza.Stanza) {
			if got := string(st.Append(nil, c.from, c.to, []byte(c.extra))); got != c.want {
				t.Errorf("%s: got %s want %s", c.in, got, c.want)
			}
		})
		if err != io.EOF {
			t.Errorf("%s: %v", c.in, err)
		}
	}
}

func TestFaults(t *testing.T) {
	limits := Limits{Stanza: 4096, Tag: 1024, Depth: 64, Attrs: 8, Namespaces: 8}
	for in, want := range map[string]error{
		`<a><!-- c --></a>`:             ErrRestrictedXML,
		`<a><?pi?></a>`:                 ErrRestrictedXML,
		`<?xml version='1.0'?>`:         ErrRestrictedXML,
		`<!DOCTYPE a>`:                  ErrRestrictedXML,
		`<a>&foo;</a>`:                  ErrRestrictedXML,
		`<a>&#0;</a>`:                   ErrNotWellFormed,
		`<a>&#xD800;</a>`:               ErrNotWellFormed,
		"<a>\x01</a>":                   ErrNotWellFormed,
		"<a>\xff</a>":                   ErrNotWellFormed,
		"<a b='\xc3\x28'/>":             ErrNotWellFormed,
		"<a>\uFFFE</a>":                 ErrNotWellFormed,
		`<a></b>`:                       ErrNotWellFormed,
		`<a></aa>`:                      ErrNotWellFormed,
		`<ab></a>`:                      ErrNotWellFormed,
		`<a><b></a></b>`:                ErrNotWellFormed,
		`<a b='<'/>`:                    ErrNotWellFormed,
		`<a b=1/>`:                      ErrNotWellFormed,
		`<a b='1'c='2'/>`:               ErrNotWellFormed,
		`<a b='1' b='2'/>`:              ErrNotWellFormed,
		`<a b/>`:                        ErrNotWellFormed,
		`<1a/>`:                         ErrNotWellFormed,
		`<a:/>`:                         ErrNotWellFormed,
		`<a:b:c/>`:                      ErrNotWellFormed,
		`<u:a/>`:                        ErrBadPrefix,
		`<a u:b='1'/>`:                  ErrBadPrefix,
		`<a><b xmlns:u='x'/><u:c/></a>`: ErrBadPrefix,
		`<a xmlns:u=''/>`:               ErrBadPrefix,
		`<a xmlns:xml='urn:x'/>`:        ErrBadPrefix,
		`<a xmlns='http://www.w3.org/2000/xmlns/'/>`:   ErrBadPrefix,
		`<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>`: ErrNotWellFormed,
		`text`:                             ErrNotWellFormed,
		`<a>]]></a>`:                       ErrNotWellFormed,
		strings.Repeat("<a>", 100):         ErrTooDeep,
		"<a>" + strings.Repeat("x", 1<<13): ErrTooBig,
		"<a>" + strings.Repeat("x", 4096) + "</a>":                           ErrTooBig,
		"<a b='" + strings.Repeat("x", 1<<13):                                ErrTagTooBig,
		"<a b='" + strings.Repeat("x", 2000) + "'/>":                         ErrTagTooBig,
		"<a><![CDATA[" + strings.Repeat("x", 1<<13):                          ErrTooBig,
		"<a" + strings.Repeat("x", 1<<13):                                    ErrTagTooBig,
		"<a></a" + strings.Repeat(" ", 1<<13):                                ErrTagTooBig,
		"</stream:stream" + strings.Repeat(" ", 1<<13):                       ErrTagTooBig,
		`<a a='' b='' c='' d='' e='' f='' g='' h='' i=''/>`:                  ErrTooManyAttrs,
		strings.Repeat("<a xmlns='u'>", 9):                                   ErrTooManyNS,
		`<a b='1' xmlns:c='u' xmlns:d='v' c:b='1' d:b='1'/></stream:stream>`: End,
	} {
		for i, size := range []func() int{whole, oneByte} {
			err := feed(testScanner(limits), []byte(in), size, func(*stanza.Stanza) {})
			if err != want {
				t.Errorf("%d %.40q: got %v want %v", i, in, err, want)
			}
		}
	}
}

func TestHeader(t *testing.T) {
	const ns = ` xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'`
	for in, want := range map[string]error{
		`<stream:stream to='x' version='1.0'` + ns + `>`:                                         nil,
		`<?xml version='1.0' encoding='UTF-8' ?> <stream:stream to='x' version='1.0'` + ns + `>`: nil,
		`<?xml version="1.0"?><stream:stream to='x' version='1.7' xmlns:q='urn:q'` + ns + `>`:    nil,
		`<?xml version='1.0' encoding='latin1'?><stream:stream to='x' version='1.0'` + ns + `>`:  ErrEncoding,
		`<?xml-stylesheet href='x'?><stream:stream to='x' version='1.0'` + ns + `>`:              ErrRestrictedXML,
		`<stream:stream to='x'` + ns + `>`:                                                       ErrUnsupportedVersion,
		`<stream:stream to='x' version='0.9'` + ns + `>`:                                         ErrUnsupportedVersion,
		`<stream:stream to='x' version='1.0'` + ns + `/>`:                                        ErrBadFormat,
		`<stream:features to='x' version='1.0'` + ns + `>`:                                       ErrBadFormat,
		`<message to='x'>`: ErrBadFormat,
		`<stream:stream to='x' version='1.0' xmlns='jabber:client' xmlns:stream='urn:x'>`:                           ErrInvalidNamespace,
		`<stream:stream to='x' version='1.0' xmlns='jabber:wrong' xmlns:stream='http://etherx.jabber.org/streams'>`: ErrInvalidNamespace,
		`<stream:stream to='x' version='1.0' xmlns='jabber:client'>`:                                                ErrBadPrefix,
		`GET / HTTP/1.1`:  ErrNotWellFormed,
		`<!DOCTYPE html>`: ErrRestrictedXML,
	} {
		for i, size := range []func() int{whole, oneByte} {
			s := New(DefaultLimits)
			rest := []byte(in)
			h, err := s.Header(stanza.NSClient)
			for err == Short && len(rest) > 0 {
				n := copy(s.Space(), rest[:min(len(rest), size())])
				s.Filled(n)
				rest = rest[n:]
				h, err = s.Header(stanza.NSClient)
			}
			if err != want || err == nil && h.To != "x" {
				t.Errorf("%d %s: got %v (to=%q) want %v", i, in, err, h.To, want)
			}
		}
	}
}

func TestHeaderScope(t *testing.T) {
	s := New(DefaultLimits)
	in := `<s:stream to='x' version='1.0' xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' xmlns:e='urn:e'><message><e:e/></message>`
	s.Filled(copy(s.Space(), in))
	if _, err := s.Header(stanza.NSClient); err != nil {
		t.Fatal(err)
	}
	st, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(st.Append(nil, "", "")), `<message xmlns:s='http://etherx.jabber.org/streams' xmlns:e='urn:e'><e:e/></message>`; got != want {
		t.Errorf("got %s want %s", got, want)
	}
}

// Whatever the scanner accepts, encoding/xml must accept too and agree on; and
// how the bytes come in pieces must not matter.
func FuzzScanner(f *testing.F) {
	f.Add([]byte(msg), int64(1))
	f.Add([]byte(`<iq type='get' id='1'><q xmlns='urn:q' xmlns:a='urn:a' a:b="x&amp;&#x41;'"><a:c d='1'/>&lt;t ]] ü<![CDATA[<x>]]></q></iq>`), int64(2))
	f.Add([]byte(`<a:b xmlns:a="u"><é ü='ñ'>&apos;]]&gt;</é></a:b>`), int64(3))
	f.Add([]byte(`<message><r:a/></message>`), int64(4))
	f.Fuzz(func(t *testing.T, in []byte, seed int64) {
		rnd := rand.New(rand.NewSource(seed))
		var a, b, raw []string
		errA := feed(testScanner(DefaultLimits), in, whole, func(st *stanza.Stanza) {
			a, raw = append(a, describe(st)), append(raw, string(st.Append(nil, "f", "t")))
			checkElement(t, st)
		})
		errB := feed(testScanner(DefaultLimits), in, func() int { return 1 + rnd.Intn(7) }, func(st *stanza.Stanza) { b = append(b, describe(st)) })
		if errA != errB || strings.Join(a, "\n") != strings.Join(b, "\n") {
			t.Fatalf("whole: %v %q\npieces: %v %q", errA, a, errB, b)
		}
		for i := range raw {
			oracle(t, raw[i], strings.Count(a[i], "#")-1)
		}
	})
}

func oracle(t *testing.T, raw string, children int) {
	d := xml.NewDecoder(strings.NewReader("<r xmlns='jabber:client' xmlns:stream='" + stanza.NSStream + "'>" + raw + "</r>"))
	depth, kids := 0, 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if strings.Contains(err.Error(), "invalid XML name") {
				return // its name tables are those of the fourth edition
			}
			t.Fatalf("accepted %q, encoding/xml says %v", raw, err)
		}
		switch tok.(type) {
		case xml.StartElement:
			if depth++; depth == 3 {
				kids++
			}
		case xml.EndElement:
			depth--
		}
	}
	if strings.Contains(raw, "#") {
		return // the count of children is by that mark
	}
	if kids != children {
		t.Fatalf("%q: %d children, encoding/xml sees %d", raw, children, kids)
	}
}

// checkElement holds the tree against the view.
func checkElement(t *testing.T, st *stanza.Stanza) {
	e, err := st.Element()
	if err != nil {
		t.Fatalf("%q: %v", st.Raw, err)
	}
	if all := e.Elements(); len(all) != len(st.Children) || e.Local != local2(st.Name.Local) {
		t.Fatalf("%q: tree %d %q, view %d %q", st.Raw, len(all), e.Local, len(st.Children), st.Name.Local)
	}
	again := e.AppendXML(nil, "")
	s := testScanner(Limits{Stanza: 1 << 24, Tag: 1 << 24, Depth: 128, Attrs: 64, Namespaces: 4096})
	s.Filled(copy(grow(s, len(again)), again))
	if _, err := s.Next(); err != nil && err != ErrTooManyAttrs {
		t.Fatalf("%q rewritten as %q: %v", st.Raw, again, err)
	}
}

func grow(s *Scanner, n int) []byte {
	s.buf = make([]byte, 0, n)
	return s.buf[:n]
}

func local2(name []byte) string { return string(name[bytes.IndexByte(name, ':')+1:]) }

// Nothing is allocated for a stanza once the scanner has its buffer. The race
// detector does not mind: no pool is in the way.
func TestScanAllocates(t *testing.T) {
	s := testScanner(DefaultLimits)
	n := testing.AllocsPerRun(1000, func() {
		s.Filled(copy(s.Space(), msg))
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations for a stanza", n)
	}
}

func BenchmarkScan(b *testing.B) {
	s := testScanner(DefaultLimits)
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		s.Filled(copy(s.Space(), msg))
		if _, err := s.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestEndTag(t *testing.T) {
	for in, want := range map[string]error{
		"</stream:stream>": End, "</stream:stream \n>": End, "</stream:features>": ErrNotWellFormed,
		"</stream>": ErrNotWellFormed, "</r:stream>": ErrNotWellFormed, "</u:stream>": ErrNotWellFormed, "</message>": ErrNotWellFormed,
	} {
		if err := feed(testScanner(DefaultLimits), []byte(in), oneByte, func(*stanza.Stanza) {}); err != want {
			t.Errorf("%s: got %v want %v", in, err, want)
		}
	}
}
