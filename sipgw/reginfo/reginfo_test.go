package reginfo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func read(t testing.TB, name string) *Document {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}

func TestParse(t *testing.T) {
	want := &Document{Registrations: []Registration{{
		AOR: "sip:user@example.com", ID: "as9", State: Active,
		Contacts: []Contact{
			{ID: "76", State: Active, Event: Registered, URI: "sip:user@pc887.example.com", Q: "0.8", Duration: 7322 * time.Second, Expires: -1, RetryAfter: -1},
			{ID: "77", State: Terminated, Event: Expired, URI: "sip:user@university.edu", Q: "0.5", Duration: time.Hour, Expires: -1, RetryAfter: -1},
		},
	}}}
	if diff := cmp.Diff(want, read(t, "rfc3680.xml")); diff != "" {
		t.Error(diff)
	}
	want = &Document{Version: 3, Partial: true, Registrations: []Registration{{
		AOR: "sip:bob@kam.example.org", ID: "0x7f3c", State: Active,
		Contacts: []Contact{{
			ID: "0x7f3c_1", State: Active, Event: Refreshed, URI: "sip:bob@198.51.100.9:5060;transport=udp", Display: "Bob & Co",
			Instance: "urn:uuid:1234", CallID: "abc@198.51.100.9", CSeq: 12, Duration: 600 * time.Second, Expires: 3000 * time.Second, RetryAfter: -1,
		}},
	}}}
	if diff := cmp.Diff(want, read(t, "kamailio.xml")); diff != "" {
		t.Error(diff)
	}
}

func TestAppend(t *testing.T) {
	d := &Document{Version: 7, Registrations: []Registration{
		{AOR: "sip:a&b@x", ID: "r1", State: Active, Contacts: []Contact{
			{ID: "1", State: Active, Event: Shortened, URI: "sip:a@10.0.0.5", Display: "<A>", Instance: "urn:uuid:1", Q: "0.5", CallID: "c", CSeq: 9, Duration: time.Minute, Expires: 30 * time.Second, RetryAfter: -1},
			{ID: "2", State: Terminated, Event: Probation, URI: "sip:a@10.0.0.6", Duration: -1, Expires: 0, RetryAfter: 120 * time.Second},
		}},
		{AOR: "sip:joe@x", ID: "a7", State: Init},
	}}
	want := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="7" state="full">` + "\n" +
		`<registration aor="sip:a&amp;b@x" id="r1" state="active">` +
		`<contact id="1" state="active" event="shortened" duration-registered="60" expires="30" q="0.5" callid="c" cseq="9">` +
		`<uri>sip:a@10.0.0.5</uri><display-name>&lt;A&gt;</display-name><unknown-param name="+sip.instance">"&lt;urn:uuid:1&gt;"</unknown-param></contact>` +
		`<contact id="2" state="terminated" event="probation" retry-after="120"><uri>sip:a@10.0.0.6</uri></contact></registration>` + "\n" +
		`<registration aor="sip:joe@x" id="a7" state="init"/>` + "\n</reginfo>\n"
	if diff := cmp.Diff(want, string(d.Append(nil))); diff != "" {
		t.Error(diff)
	}
	d.Partial = true
	again, err := Parse(d.Append(nil))
	if err != nil || !again.Partial {
		t.Error(again, err)
	}
	d.Registrations[0].Contacts[1].Expires = -1 // it says nothing of one that is gone
	if diff := cmp.Diff(d, again); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	wrap := func(state, inner string) string {
		return `<reginfo xmlns="` + Namespace + `" version="1" state="` + state + `">` + inner + `</reginfo>`
	}
	for in, want := range map[string]error{
		wrap("", ""):            ErrNoState,
		wrap("active", ""):      ErrNoState,
		"<reginfo/>":            nil,
		wrap("full", "<r></x>"): nil,
		wrap("full", strings.Repeat("<registration/>", MaxRegistrations+1)):                          ErrTooMany,
		wrap("full", "<registration>"+strings.Repeat("<contact/>", MaxContacts+1)+"</registration>"): ErrTooMany,
	} {
		if _, err := Parse([]byte(in)); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%.90s: %v, want %v", in, err, want)
		}
	}
}

func TestCause(t *testing.T) {
	for e, want := range map[Event]string{
		Expired: "Registration lost", Unregistered: "Logged off", Rejected: "Administratively removed",
		Probation: "Administratively removed", Deactivated: "Told to register again", NoEvent: "Registration lost",
	} {
		c := Contact{State: Terminated, Event: e}
		if got := c.Cause(); got != want {
			t.Errorf("%v: %s, want %s", e, got, want)
		}
		c.State = Active
		if got := c.Cause(); got != "" {
			t.Errorf("%v: %s of one that is there", e, got)
		}
	}
}

// RFC 3680 §6 and the rules for versions.
func TestTable(t *testing.T) {
	const aor = "sip:joe@example.com"
	reg := func(s State, cs ...Contact) []Registration {
		return []Registration{{AOR: aor, ID: "a7", State: s, Contacts: cs}}
	}
	up, gone := Contact{ID: "76", State: Active, Event: Registered}, Contact{ID: "76", State: Terminated, Event: Unregistered}
	second, lost := Contact{ID: "77", State: Active, Event: Created}, Contact{ID: "77", State: Terminated, Event: Expired}
	steps := []struct {
		name  string
		doc   Document
		out   Outcome
		ok    bool
		cause string
	}{
		{"nobody", Document{0, false, reg(Init)}, Outcome{}, false, ""},
		{"one", Document{1, true, reg(Active, up)}, Outcome{}, true, ""},
		{"two", Document{2, true, reg(Active, second)}, Outcome{}, true, ""},
		{"one of two gone", Document{3, true, reg(Active, gone)}, Outcome{}, true, ""},
		{"old", Document{2, true, reg(Active, up)}, Outcome{Ignored: true}, true, ""},
		{"gap", Document{6, true, reg(Active, lost)}, Outcome{Refresh: true}, false, "Registration lost"},
		{"full", Document{7, false, reg(Active, up)}, Outcome{}, true, ""},
		{"full: what is missing is gone", Document{8, false, reg(Active)}, Outcome{}, false, ""},
		{"again", Document{9, true, reg(Active, up)}, Outcome{}, true, ""},
		{"terminated as a whole", Document{10, true, reg(Terminated, gone)}, Outcome{}, false, "Logged off"},
		{"again", Document{11, true, reg(Active, up)}, Outcome{}, true, ""},
		{"terminated without a word of the contact", Document{12, true, reg(Terminated)}, Outcome{}, false, "Registration lost"},
		{"again", Document{13, true, reg(Active, up)}, Outcome{}, true, ""},
		{"a full one without the address", Document{14, false, nil}, Outcome{}, false, ""},
	}
	var table Table
	for _, s := range steps {
		out := table.Apply(&s.doc)
		ok, cause := table.Reachable(aor)
		if out != s.out || ok != s.ok || cause != s.cause {
			t.Errorf("%s: %+v %v %q", s.name, out, ok, cause)
		}
	}
	table.Forget()
	if out := table.Apply(&Document{0, true, reg(Active, up)}); !out.Refresh {
		t.Error("a subscription that begins with a partial document")
	}
}

func TestTableBounded(t *testing.T) {
	var table Table
	for i := range 3 * MaxRegistrations {
		table.Apply(&Document{Version: uint32(i), Partial: true, Registrations: []Registration{{ID: fmt.Sprint(i), State: Active}}})
		table.Apply(&Document{Version: uint32(i), Partial: true, Registrations: []Registration{{ID: "0", State: Active, Contacts: []Contact{{ID: fmt.Sprint(i), State: Active}}}}})
	}
	if n := len(table.Registrations()); n != MaxRegistrations {
		t.Errorf("%d registrations", n)
	}
	if n := len(table.Registrations()[0].Contacts); n != MaxContacts {
		t.Errorf("%d contacts", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"rfc3680.xml", "kamailio.xml"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(d.Append(nil))
		if err != nil || len(again.Registrations) != len(d.Registrations) {
			t.Fatalf("%v\n%s", err, d.Append(nil))
		}
		var table Table
		table.Apply(d)
	})
}

func BenchmarkParse(b *testing.B) {
	doc, err := os.ReadFile("testdata/kamailio.xml")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	d, buf := read(b, "kamailio.xml"), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = d.Append(buf[:0])
	}
}
