package markup

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// walk writes down what the reader sees, a line for each element.
func walk(doc string, doctype bool) (string, error) {
	var r Reader
	r.Reset([]byte(doc))
	if doctype {
		r.AllowDoctype()
	}
	var b strings.Builder
	var element func()
	element = func() {
		in := r.Depth()
		fmt.Fprintf(&b, "%s{%s}%s", strings.Repeat(" ", in-1), r.Space(), r.Local())
		for i := range r.numAttrs {
			fmt.Fprintf(&b, " %s=%q", r.attrs[i].name, r.attrs[i].value)
		}
		if r.Local() == "t" {
			fmt.Fprintf(&b, " %q\n", r.Text())
			return
		}
		b.WriteByte('\n')
		for r.Child(in) {
			element()
		}
	}
	for r.Err() == nil && r.Depth() == 0 && r.at < len(r.s) {
		if r.next() == start {
			element()
			break
		}
	}
	return b.String(), r.Finish()
}

func TestReader(t *testing.T) {
	tests := []struct{ name, doc, want string }{
		{"empty element", `<a/>`, "{}a\n"},
		{"declaration and white space", "<?xml version=\"1.0\"?>\r\n<a> </a>\r\n", "{}a\n"},
		{"declaration without its question mark", "<?xml version='1.0'>\n<a/>", "{}a\n"},
		{"byte order mark", "\uFEFF<a/>", "{}a\n"},
		{"namespaces", `<a xmlns="u:d" xmlns:p="u:p"><p:b/><c xmlns="u:c"><d/></c><e/></a>`,
			"{u:d}a\n {u:p}b\n {u:c}c\n  {u:c}d\n {u:d}e\n"},
		{"a prefix bound anew", `<p:a xmlns:p="1"><p:b xmlns:p="2"/><p:c/></p:a>`, "{1}a\n {2}b\n {1}c\n"},
		{"a prefix that nobody declared", `<rpid:busy/>`, "{rpid}busy\n"},
		{"attributes", `<a x='1' y = "2&amp;3"/>`, "{}a x=\"1\" y=\"2&3\"\n"},
		{"an attribute without a value", `<a type /><!---->`, "{}a type=\"\"\n"},
		{"an attribute without a value before others", `<a type subtype="x"/>`, "{}a type=\"\" subtype=\"x\"\n"},
		{"text", `<t> a &lt;b&gt; <!-- no --> c<x>skipped</x>&#x21;</t>`, "{}t \"a <b>  c!\"\n"},
		{"cdata", `<t><![CDATA[<&>]]> and</t>`, "{}t \"<&> and\"\n"},
		{"cdata may hold an end", `<t><![CDATA[</t>]]></t>`, "{}t \"</t>\"\n"},
		{"processing instructions", `<?a b?><a><?c?></a>`, "{}a\n"},
		{"a NUL behind", "<a/>\x00", "{}a\n"},
		{"latin-1", "<?xml version='1.0' encoding='ISO-8859-1'?><t>caf\xe9</t>", "{}t \"café\"\n"},
		{"latin-1 that is none", "<?xml version='1.0' encoding='ISO-8859-1'?><t>café</t>", "{}t \"café\"\n"},
		{"white space in an end tag", "<a><b></b\n></a >", "{}a\n {}b\n"},
	}
	for _, tt := range tests {
		got, err := walk(tt.doc, false)
		if err != nil || got != tt.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.name, err, got, tt.want)
		}
	}
}

func TestRefuses(t *testing.T) {
	tests := []struct {
		name, doc string
		want      error
	}{
		{"nothing", "", errNotFinished},
		{"no element", "<?xml version='1.0'?>", errNotFinished},
		{"text alone", "hello", errNotFinished},
		{"text before", "hello<a/>", ErrBroken},
		{"text behind", "<a/>hello", ErrBroken},
		{"two roots", "<a/><b/>", ErrBroken},
		{"cut off", "<a><b>", errNotFinished},
		{"cut off in a tag", "<a b='", errNotFinished},
		{"cut off in a comment", "<a><!-- ", errNotFinished},
		{"crossed", "<a><b></a></b>", ErrBroken},
		{"other prefix", "<p:a></a>", ErrBroken},
		{"end alone", "</a>", ErrBroken},
		{"no name", "<a>< b/></a>", ErrBroken},
		{"value without quotes", "<a b=c/>", ErrBroken},
		{"tag in a value", "<a b='<'/>", ErrBroken},
		{"doctype", "<!DOCTYPE a SYSTEM 'x'><a/>", ErrDoctype},
		{"entities", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", ErrDoctype},
		{"unknown entity", "<t>&b;</t>", ErrEntity},
		{"entity in a value", "<t a='&b;'/>", ErrEntity},
		{"a reference to nothing", "<t>&#0;</t>", ErrEntity},
		{"half a pair", "<t>&#xD800;</t>", ErrEntity},
		{"no end of an entity", "<t>a & b</t>", ErrEntity},
		{"not UTF-8", "<t>caf\xe9</t>", ErrNotText},
		{"too deep", strings.Repeat("<a>", MaxDepth+1), ErrTooDeep},
		{"too many elements", "<a>" + strings.Repeat("<b/>", MaxElements) + "</a>", ErrTooMany},
		{"too many attributes", "<a" + strings.Repeat(" b='1'", MaxAttrs+1) + "/>", ErrTooMany},
		{"too many namespaces", "<a" + strings.Repeat(" xmlns:b='1'", maxBindings+1) + "/>", ErrTooMany},
		{"too big", "<a>" + strings.Repeat(" ", MaxBytes) + "</a>", ErrTooBig},
	}
	for _, tt := range tests {
		if _, err := walk(tt.doc, false); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestDoctype(t *testing.T) {
	const xpidf = "<?xml version=\"1.0\"?>\n<!DOCTYPE presence\nPUBLIC \"-//IETF//DTD RFCxxxx XPIDF 1.0//EN\" \"xpidf.dtd\">\n<presence/>"
	if got, err := walk(xpidf, true); err != nil || got != "{}presence\n" {
		t.Errorf("%q %v", got, err)
	}
	for _, doc := range []string{
		"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
		"<!DOCTYPE a %b; ><a/>",
		"<a><!DOCTYPE a></a>",
		"<!ENTITY b 'c'><a/>",
	} {
		if _, err := walk(doc, true); !errors.Is(err, ErrDoctype) {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func TestLongText(t *testing.T) {
	var r Reader
	r.Reset([]byte("<t>a" + strings.Repeat("ü<!---->", MaxText) + "</t>"))
	if err := r.Root("", "t"); err != nil {
		t.Fatal(err)
	}
	// An odd number of bytes before the first two-byte character, so that the cut
	// would fall into one.
	if got := r.Text(); len(got) != MaxText-1 || !strings.HasSuffix(got, "ü") || r.Finish() != nil {
		t.Errorf("%d bytes, %v", len(got), r.Err())
	}
}

func TestRoot(t *testing.T) {
	var r Reader
	r.Reset([]byte("<a xmlns='u'/>"))
	if err := r.Root("u", "a"); err != nil {
		t.Error(err)
	}
	r.Reset([]byte("<a xmlns='v'/>"))
	if err := r.Root("u", "a"); !errors.Is(err, ErrWrongRoot) {
		t.Error(err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add("<?xml version='1.0'?><a xmlns:p='u'><p:b c='d'>e&amp;f</p:b><![CDATA[x]]><!-- y --></a>", true)
	f.Add("<!DOCTYPE a><t>&#x41;</t>", true)
	f.Add("<a type />", false)
	f.Fuzz(func(t *testing.T, doc string, doctype bool) {
		out, err := walk(doc, doctype)
		if err == nil && out == "" {
			t.Error("no element and no error")
		}
	})
}

func BenchmarkWalk(b *testing.B) {
	doc := []byte("<?xml version='1.0'?>\n<a xmlns='urn:one' xmlns:p='urn:two'>" +
		strings.Repeat("<p:b c='d'><e>text</e></p:b>\n", 20) + "</a>")
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		var r Reader
		r.Reset(doc)
		if err := r.Root("urn:one", "a"); err != nil {
			b.Fatal(err)
		}
		for r.Child(1) {
		}
		if err := r.Finish(); err != nil {
			b.Fatal(err)
		}
	}
}
