package registrar

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseContacts(t *testing.T) {
	got, star, err := ParseContacts([]string{
		`"A, \"B\" <x>" <sip:a@h;x=1?y=2>;Q=0.75;Expires=60;+sip.instance="<urn:uuid:1>";reg-id=2, sip:b@h;q=1`,
		`<sips:c@[::1]:5061>`,
	})
	for i := range got {
		got[i].uri.Host = "" // is tested elsewhere
		got[i].uri = Contact{}.uri
	}
	want := []Contact{
		{URI: "sip:a@h;x=1?y=2", Params: `;Q=0.75;Expires=60;+sip.instance="<urn:uuid:1>";reg-id=2`, Q: 750, Expires: 60, Instance: "<urn:uuid:1>", RegID: 2},
		{URI: "sip:b@h", Params: ";q=1", Q: 1000, Expires: -1},
		{URI: "sips:c@[::1]:5061", Q: 1000, Expires: -1},
	}
	if err != nil || star || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, %v", got, star, err)
	}
	if got, star, err := ParseContacts([]string{" * "}); len(got) != 0 || !star || err != nil {
		t.Errorf("*: %v, %v, %v", got, star, err)
	}
	for _, bad := range []string{
		"<sip:a", "<>", "mailto:a@h", "tel:+49", "<sip:a>x", "<sip:a>;q=2", "<sip:a>;q=0.1234", "<sip:a>;q=.5", "<sip:a>;q=",
		"<sip:a>;reg-id=0", "<sip:a>;reg-id=x", "<sip:a\r\nX: y>", "<sip:a>;x=\"\r\nX: y\"", "<sip:a>;x=\xff", "*, <sip:a>", "<sip:a>, *",
		"<sip:a>" + strings.Repeat(";a=b", maxParams), strings.Repeat("<sip:a>,", maxContacts+1),
	} {
		if got, star, err := ParseContacts([]string{bad}); err == nil {
			t.Errorf("%q: got %+v, %v", bad, got, star)
		}
	}
}

func TestParseQ(t *testing.T) {
	for s, want := range map[string]int{
		"0": 0, "1": 1000, "0.": 0, "0.5": 500, "0.05": 50, "0.123": 123, "1.000": 1000, "1.001": -1, "2": -1, "": -1, "0.x": -1, "01": -1, "-1": -1,
	} {
		q, ok := parseQ(s)
		if ok != (want >= 0) || ok && int(q) != want {
			t.Errorf("%q: %d, %v", s, q, ok)
		}
	}
}

func TestParseSeconds(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "3600": 3600, "4294967295": 4294967295, "4294967296": 4294967295, "99999999999999999999999": 4294967295, "": -1, "-1": -1, "1.5": -1, "x": -1,
	} {
		if got := ParseSeconds(s); got != want {
			t.Errorf("%q: %d", s, got)
		}
	}
}

func TestParsePath(t *testing.T) {
	for _, bad := range []string{"<sip:a", "<mailto:a>", strings.Repeat("<sip:a>,", maxPaths+1), "<sip:a>;x=" + strings.Repeat("x", maxPath)} {
		if got, err := ParsePath([]string{bad}); err == nil {
			t.Errorf("%q: got %q", bad, got)
		}
	}
}

// What is kept is text, wherever it is cut.
func TestAgent(t *testing.T) {
	for s, want := range map[string]string{
		"":                                  "",
		"Phone 1.0":                         "Phone 1.0",
		"a\xffb\x00c\r\nd":                  "abcd",
		strings.Repeat("a", 300):            strings.Repeat("a", maxAgent),
		strings.Repeat("a", 127) + "\u00eb": strings.Repeat("a", 127),
	} {
		if got := agent(s); got != want {
			t.Errorf("%q became %q", s, got)
		}
	}
}

// FuzzContacts: whatever is registered can be registered again from the answer, and
// is the same binding then.
func FuzzContacts(f *testing.F) {
	f.Add(`"A, \"B\" <x>" <sip:a@h;x=1?y=2>;q=0.75;expires=60;+sip.instance="<urn:uuid:1>";reg-id=2, sip:b@h;q=1`, "<sip:p;lr;ob>")
	f.Add("*", "")
	f.Add("<sips:c@[::1]:5061>;a=\"b;c,d\"", "<sip:p1;lr>, <sip:p2;lr>")
	f.Fuzz(func(t *testing.T, contact, path string) {
		contacts, star, err := ParseContacts([]string{contact})
		paths, pathErr := ParsePath([]string{path})
		if err != nil || pathErr != nil || len(contacts) == 0 {
			return
		}
		o := newOffice(t, Config{MinExpires: 1})
		reg := Registration{AOR: "2001@x", CallID: "a", CSeq: 1, Contacts: contacts, Star: star, Expires: -1, Path: paths, FirstHop: true}
		got := o.Register(start, reg)
		if got.Status != 200 {
			return
		}
		if answer := strings.Join(got.Contacts(start), ""); strings.ContainsAny(answer, "\r\n\x00") {
			t.Fatalf("the answer has %q", answer)
		}
		again, _, err := ParseContacts(got.Contacts(start))
		if err != nil {
			t.Fatalf("%q is not understood: %v", got.Contacts(start), err)
		}
		reg.Contacts, reg.CSeq = again, 2
		second := o.Register(start, reg)
		if second.Status != 200 || len(second.Bindings) != len(got.Bindings) {
			t.Fatalf("%d bindings became %d: %+v", len(got.Bindings), len(second.Bindings), second)
		}
		slices.SortFunc(second.Bindings, func(a, b *Binding) int { return int(a.ID) - int(b.ID) })
		for i, b := range second.Bindings {
			if b.ID != got.Bindings[i].ID {
				t.Fatalf("a binding is another: %+v, %+v", b, got.Bindings[i])
			}
		}
	})
}
