package rlmi

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/sipgw/event"
)

func lamps() *Notification {
	return &Notification{
		List: List{
			URI: "sip:blf-door@example.org", Version: 5, Full: true, Name: "Doors & gates",
			Resources: []Resource{
				{URI: "sip:door-1@example.org", Name: "North", Instances: []Instance{{ID: "1", State: event.Active, CID: "d1@x"}}},
				{URI: "sip:door-2@example.org", Instances: []Instance{{ID: "1", State: event.Pending}}},
				{URI: "sip:door-3@example.org", Instances: []Instance{{ID: "1", State: event.Terminated, Reason: event.Rejected}}},
				{URI: "sip:door-4@example.org"},
			},
		},
		Parts: []Part{{CID: "d1@x", Type: "application/dialog-info+xml", Body: []byte("<dialog-info/>\n")}},
	}
}

const root = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
	`<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="sip:blf-door@example.org" version="5" fullState="true">` + "\n" +
	`<name>Doors &amp; gates</name>` +
	`<resource uri="sip:door-1@example.org"><name>North</name><instance id="1" state="active" cid="d1@x"/></resource>` + "\n" +
	`<resource uri="sip:door-2@example.org"><instance id="1" state="pending"/></resource>` + "\n" +
	`<resource uri="sip:door-3@example.org"><instance id="1" state="terminated" reason="rejected"/></resource>` + "\n" +
	`<resource uri="sip:door-4@example.org"></resource>` + "\n</list>\n"

func TestAppend(t *testing.T) {
	body, kind := lamps().Append([]byte("before|"))
	want := "before|--rollcall-5\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <list@rollcall>\r\n" +
		`Content-Type: application/rlmi+xml;charset="UTF-8"` + "\r\n\r\n" + root +
		"\r\n--rollcall-5\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <d1@x>\r\nContent-Type: application/dialog-info+xml\r\n\r\n" +
		"<dialog-info/>\n\r\n--rollcall-5--\r\n"
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Error(diff)
	}
	if kind != `multipart/related;type="application/rlmi+xml";start="<list@rollcall>";boundary="rollcall-5"` {
		t.Error(kind)
	}
	again, err := Parse(kind, body[len("before|"):])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lamps(), again); diff != "" {
		t.Error(diff)
	}
	if p := again.Part("d1@x"); p == nil || again.Part("nobody") != nil {
		t.Error("part")
	}
}

// A part can hold whatever it likes: it ends where we say.
func TestBoundaryInAPart(t *testing.T) {
	n := lamps()
	n.Parts[0].Body = []byte("--rollcall-6\r\n--rollcall-5\r\nContent-ID: <evil>\r\n\r\nrollcall-7--\r\n")
	body, kind := n.Append(nil)
	if !strings.Contains(kind, `boundary="rollcall-7"`) {
		t.Error(kind)
	}
	again, err := Parse(kind, body)
	if err != nil || len(again.Parts) != 1 || string(again.Parts[0].Body) != string(n.Parts[0].Body) {
		t.Errorf("%+v %v", again, err)
	}
}

// As flexisip and Yealink's exchanges write it: the root is not first, lines end in
// LF, headers are folded, and there is a list in the list.
func TestParseForeign(t *testing.T) {
	inner := strings.Join([]string{
		"--in", "Content-ID: <r2>", "Content-Type: application/rlmi+xml", "",
		`<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="sip:sub@x" version="0" fullState="1"><resource uri="sip:c@x"/></list>`,
		"--in--", "",
	}, "\n")
	body := strings.Join([]string{
		"a preamble", "--ab", "content-type:", "  Application/PIDF+xml; charset=UTF-8", "Content-ID:<p1>", "", "<presence/>--ab", "--abc",
		"--ab", "Content-ID: <n1>", `Content-Type: multipart/related; type="application/rlmi+xml"; boundary="in"`, "", inner,
		"--ab  ", "Content-Id: <root>", "Content-Type: application/rlmi+xml", "",
		`<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="sip:l@x" version="3" fullState="false" cid="cid:root">` +
			`<name xml:lang="de">Liste</name><resource uri="sip:a@x"><name>A</name><name xml:lang="de">Ä</name>` +
			`<instance id="i" state="active" cid="&lt;p1&gt;"/><instance id="j" state="terminated" reason="what ever"/></resource></list>`,
		"--ab--", "an epilogue",
	}, "\n")
	n, err := Parse(`multipart/related; type="application/rlmi+xml"; start="<root>"; boundary=ab`, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := &Notification{
		List: List{URI: "sip:l@x", Version: 3, CID: "root", Name: "Liste", Resources: []Resource{{URI: "sip:a@x", Name: "A", Instances: []Instance{
			{ID: "i", State: event.Active, CID: "p1"}, {ID: "j", State: event.Terminated},
		}}}},
		Parts: []Part{
			{CID: "p1", Type: "application/pidf+xml", Body: []byte("<presence/>--ab\n--abc")},
			{CID: "n1", Type: "multipart/related", Body: []byte(inner), Nested: &Notification{
				List: List{URI: "sip:sub@x", Full: true, Resources: []Resource{{URI: "sip:c@x"}}},
			}},
		},
	}
	if diff := cmp.Diff(want, n); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	const kind = `multipart/related;type="application/rlmi+xml";boundary=b`
	list := func(inner string) string {
		return "--b\r\nContent-Type: application/rlmi+xml\r\n\r\n" + `<list xmlns="` + Namespace + `" uri="u" version="0" fullState="true">` + inner + "</list>\r\n--b"
	}
	nested := "--b\r\nContent-Type: application/rlmi+xml\r\n\r\n" + `<list xmlns="` + Namespace + `"/>`
	for range maxDepth {
		nested += "\r\n--b\r\nContent-Type: " + kind + "\r\n\r\n--b\r\nContent-Type: application/rlmi+xml\r\n\r\n" + `<list xmlns="` + Namespace + `"/>`
	}
	tests := []struct {
		name, kind, body string
		want             error
	}{
		{"another type", "multipart/mixed;boundary=b", list("") + "--\r\n", ErrMultipart},
		{"no boundary", "multipart/related", list("") + "--\r\n", ErrMultipart},
		{"a boundary too long", "multipart/related;boundary=" + strings.Repeat("b", 71), "", ErrMultipart},
		{"no type", "", "", ErrMultipart},
		{"empty", kind, "", ErrMultipart},
		{"no end", kind, list("") + "\r\n", ErrMultipart},
		{"no parts", kind, "--b--\r\n", ErrMultipart},
		{"no headers", kind, "--b\r\nnothing\r\n--b--", ErrMultipart},
		{"no list", kind, "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--", ErrMultipart},
		{"base64", kind, "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nhi\r\n--b--", ErrMultipart},
		{"headers without end", kind, "--b\r\n" + strings.Repeat("a: b\r\n", 20) + "\r\n\r\n--b--", ErrMultipart},
		{"a list that is broken", kind, list("<resource>") + "--", nil},
		{"resources without end", kind, list(strings.Repeat("<resource/>", MaxResources+1)) + "--", ErrTooMany},
		{"instances without end", kind, list("<resource>"+strings.Repeat("<instance/>", 17)+"</resource>") + "--", ErrTooMany},
		{"parts without end", kind, list("") + strings.Repeat("\r\n\r\n\r\n--b", MaxResources+1) + "--", ErrTooMany},
		{"lists in lists in lists", kind, nested + strings.Repeat("\r\n--b--", maxDepth+1), ErrMultipart},
		{"too big", kind, strings.Repeat(" ", MaxBody+1), ErrMultipart},
	}
	for _, tt := range tests {
		_, err := Parse(tt.kind, []byte(tt.body))
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestTable(t *testing.T) {
	l := func(version uint32, full bool, uris ...string) *List {
		l := &List{Version: version, Full: full}
		for _, u := range uris {
			l.Resources = append(l.Resources, Resource{URI: u})
		}
		return l
	}
	var table Table
	for _, s := range []struct {
		list *List
		out  Outcome
		want string
	}{
		{l(1, true, "a", "b"), Outcome{}, "[a b]"},
		{l(2, false, "b", "c", "c"), Outcome{}, "[a b c]"},
		{l(1, true), Outcome{Ignored: true}, "[a b c]"},
		{l(4, false, "a"), Outcome{Refresh: true}, "[a b c]"},
		{l(5, true, "c", "d"), Outcome{Gone: []string{"a", "b"}}, "[c d]"},
		{l(6, true), Outcome{Gone: []string{"c", "d"}}, "[]"},
	} {
		out := table.Apply(s.list)
		if diff := cmp.Diff(s.out, out); diff != "" || fmt.Sprint(table.Resources()) != s.want {
			t.Errorf("version %d: %v %s", s.list.Version, table.Resources(), diff)
		}
	}
	if out := (&Table{}).Apply(l(0, false, "a")); !out.Refresh {
		t.Error("it begins with a partial one")
	}
}

func FuzzParse(f *testing.F) {
	body, kind := lamps().Append(nil)
	f.Add(kind, body)
	f.Add("multipart/related;boundary=b", []byte("--b\nContent-Type: application/rlmi+xml\n\n<list xmlns='urn:ietf:params:xml:ns:rlmi'/>\n--b--"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		n, err := Parse(kind, body)
		if err != nil {
			return
		}
		for i := range n.Parts {
			if strings.ContainsAny(n.Parts[i].CID+n.Parts[i].Type, "\r\n") {
				t.Errorf("a line break in %+v", n.Parts[i])
			}
		}
		(&Table{}).Apply(&n.List)
	})
}

func BenchmarkAppendList(b *testing.B) {
	n, buf := lamps(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = n.List.Append(buf[:0])
	}
}

func BenchmarkAppend(b *testing.B) {
	n, buf := lamps(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = n.Append(buf[:0])
	}
}

func BenchmarkParse(b *testing.B) {
	body, kind := lamps().Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(kind, body); err != nil {
			b.Fatal(err)
		}
	}
}
