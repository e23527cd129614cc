package pidf

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var at = time.Date(2026, 11, 22, 13, 0, 0, 5000, time.FixedZone("", 3600))

func alice() *Document {
	return &Document{
		Entity: "sip:alice@example.org",
		Tuples: []Tuple{{
			ID: "ID-merged", Basic: Open, Show: "dnd", Contact: "sip:alice@example.org", Priority: Thousandths(800),
			Notes: []Note{{Text: "On the phone"}}, Timestamp: at,
		}},
		Persons: []Person{{ID: "p1", Activities: OnThePhone, Notes: []Note{{Text: "On the phone"}}}},
	}
}

// The shape that linphonec, baresip and Snom read.
func TestAppend(t *testing.T) {
	const head = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:alice@example.org">` + "\n"
	tests := []struct {
		name string
		doc  *Document
		want string
	}{
		{
			"on the phone", alice(),
			`<tuple id="ID-merged"><status><basic>open</basic><show xmlns="jabber:client">dnd</show></status>` +
				`<contact priority="0.8">sip:alice@example.org</contact><note>On the phone</note>` +
				`<timestamp>2026-11-22T12:00:00Z</timestamp></tuple>` + "\n" +
				`<dm:person id="p1"><rpid:activities><rpid:on-the-phone/></rpid:activities><dm:note>On the phone</dm:note></dm:person>` + "\n",
		},
		{
			"closed", &Document{Entity: "sip:alice@example.org", Tuples: []Tuple{{ID: "ID-merged", Basic: Closed}}},
			`<tuple id="ID-merged"><status><basic>closed</basic></status></tuple>` + "\n",
		},
		{
			"everything", &Document{
				Entity: "sip:alice@example.org",
				Tuples: []Tuple{
					{ID: "a", Basic: Open, Contact: "sip:<a>", Input: Input{Idle, at}, DeviceID: "urn:d", Activities: Busy | Other, Other: "r&d"},
					{ID: "b"},
				},
				Notes:   []Note{{"de", "Mahlzeit"}},
				Persons: []Person{{ID: "p", Activities: Meeting | DND | Alerting, Until: at, Input: Input{State: Active}, Timestamp: at}},
				Devices: []Person{{ID: "d", DeviceID: "urn:d"}},
			},
			`<tuple id="a"><status><basic>open</basic></status><rpid:activities><rpid:busy/><rpid:other>r&amp;d</rpid:other></rpid:activities>` +
				`<rpid:user-input last-input="2026-11-22T12:00:00Z">idle</rpid:user-input><dm:deviceID>urn:d</dm:deviceID>` +
				`<contact>sip:&lt;a&gt;</contact></tuple>` + "\n" +
				`<tuple id="b"><status></status></tuple>` + "\n" +
				`<note xml:lang="de">Mahlzeit</note>` + "\n" +
				`<dm:person id="p"><rpid:activities until="2026-11-22T12:00:00Z"><rpid:meeting/></rpid:activities>` +
				`<rpid:user-input>active</rpid:user-input><dm:timestamp>2026-11-22T12:00:00Z</dm:timestamp></dm:person>` + "\n" +
				`<dm:device id="d"><dm:deviceID>urn:d</dm:deviceID></dm:device>` + "\n",
		},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(head+tt.want+"</presence>\n", string(tt.doc.Append(nil))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.name, diff)
		}
	}
}

// What is read and written again is the same, but for what is only read.
func TestRoundTrip(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.x*")
	for _, name := range files {
		doc := parseFile(t, name)
		for i := range doc.Tuples {
			doc.Tuples[i].Extended, doc.Tuples[i].Online, doc.Tuples[i].Digium = "", false, Digium{}
		}
		for i := range doc.Persons {
			doc.Persons[i].Activities &= written
			doc.Persons[i].Basic = Unsaid
		}
		again, err := Parse(doc.Append(nil))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(dump(doc), dump(again)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAppendX(t *testing.T) {
	tests := []struct {
		basic       Basic
		tuple, does Activities
		status, sub string
	}{
		{Open, 0, 0, "open", "online"},
		{Open, 0, Working, "open", "online"},
		{Open, 0, OnThePhone, "inuse", "onthephone"},
		{Open, OnThePhone, 0, "inuse", "onthephone"},
		{Open, 0, Busy, "inuse", "busy"},
		{Open, 0, Meeting, "inuse", "busy"},
		{Open, 0, Away, "inactive", "away"},
		{Open, 0, Lunch, "inactive", "outtolunch"},
		{Closed, 0, OnThePhone, "closed", "offline"},
		{Unsaid, 0, 0, "closed", "offline"},
	}
	for _, tt := range tests {
		d := &Document{
			Entity:  "sip:a@x",
			Tuples:  []Tuple{{ID: "1", Basic: tt.basic, Activities: tt.tuple}},
			Persons: []Person{{Activities: tt.does}},
		}
		got := string(d.AppendX(nil))
		want := `<?xml version="1.0"?>` + "\n" + `<!DOCTYPE presence PUBLIC "-//IETF//DTD RFCxxxx XPIDF 1.0//EN" "xpidf.dtd">` + "\n" +
			`<presence><presentity uri="sip:a@x;method=SUBSCRIBE"/><atom id="1"><address uri="sip:a@x;user=ip" priority="0.800000">` +
			`<status status="` + tt.status + `"/><msnsubstatus substatus="` + tt.sub + `"/></address></atom></presence>` + "\n"
		if got != want {
			t.Errorf("%v %v: %s", tt.basic, tt.does, got)
		}
	}
	if s := string((&Document{Entity: "sip:a@x"}).AppendX(nil)); !strings.Contains(s, `"closed"`) {
		t.Error(s)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	buf, d := make([]byte, 0, 4096), alice()
	if n := testing.AllocsPerRun(100, func() { buf = d.Append(buf[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	buf, d := make([]byte, 0, 4096), alice()
	b.ReportAllocs()
	for b.Loop() {
		buf = d.Append(buf[:0])
	}
}
