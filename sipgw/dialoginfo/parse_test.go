package dialoginfo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCorpus(t *testing.T) {
	tests := []struct {
		file string
		want Document
	}{
		{"asterisk-pjsip-ringing.xml", Document{
			Entity: "sip:2001@pbx.example.org", Version: 3,
			Dialogs: []Dialog{{
				ID: "2001", CallID: "pickup-fe1b2a", LocalTag: "sip:2001@pbx.example.org", RemoteTag: "sip:2002@pbx.example.org",
				Direction: Recipient, State: Early, Duration: -1,
				Local:  Party{Identity: "sip:2001@pbx.example.org", Display: "Alice", Target: "sip:2001@pbx.example.org"},
				Remote: Party{Identity: "sip:2002@pbx.example.org", Display: `Bob "B" Jones`, Target: "sip:2002@pbx.example.org"},
			}},
		}},
		{"asterisk-idle.xml", Document{
			Entity: "sip:2001@192.0.2.27", Version: 4,
			Dialogs: []Dialog{{ID: "2001", State: Terminated, Duration: -1}},
		}},
		{"asterisk-hold.xml", Document{
			Entity: "sip:2001@192.0.2.27", Version: 5,
			Dialogs: []Dialog{{
				ID: "2001", State: Confirmed, Duration: -1,
				Local: Party{Target: "sip:2001@192.0.2.27", Rendering: RenderingNo},
			}},
		}},
		{"freeswitch-confirmed.xml", Document{
			Entity: "sip:1000@fs.example.org", Version: 17, Partial: true,
			Dialogs: []Dialog{{
				ID: "6b7a0e9c-8f3e-4cf4-9b0e-7a2a3b1c9d10", Direction: Initiator, State: Confirmed, Duration: -1,
				Local:  Party{Identity: "sip:1000@fs.example.org", Display: "1000", Target: "sip:1000@fs.example.org", Rendering: RenderingYes},
				Remote: Party{Identity: "sip:1001@fs.example.org", Display: "1001", Target: "sip:**1000@fs.example.org"},
			}},
		}},
		{"kamailio-early.xml", Document{
			Entity: "sip:bob@kam.example.org", Version: 12,
			Dialogs: []Dialog{{
				ID: "8d1c7f@198.51.100.9", CallID: "8d1c7f@198.51.100.9", LocalTag: "as5f", RemoteTag: "8e1a",
				Direction: Recipient, State: Early, Duration: -1,
				Local:  Party{Identity: "sip:bob@kam.example.org", Target: "sip:bob@198.51.100.4:5060"},
				Remote: Party{Identity: "sip:carol@kam.example.org", Display: "Carol", Target: "sip:carol@198.51.100.9:5060"},
			}},
		}},
		{"polycom-offhook.xml", Document{
			Entity: "sip:100@test.example.org", Version: 1, Partial: true,
			Dialogs: []Dialog{{
				ID: "ida648720b", Direction: Initiator, State: Trying, Duration: -1,
				Local: Party{Identity: "sip:100@test.example.org", Display: "100", Target: "sip:100@203.0.113.7", Line: "0"},
			}},
		}},
		{"yealink-conference.xml", Document{
			Entity: "sip:301@example.org", Version: 9,
			Dialogs: []Dialog{{
				ID: "12", CallID: "0_11@10.0.0.3", LocalTag: "99", RemoteTag: "88",
				Direction: Recipient, State: Confirmed, Code: 200, Duration: 61 * time.Second,
				Local: Party{Identity: "sip:301@example.org", Display: "Room", Target: "sip:301@10.0.0.3", Focus: true},
			}},
		}},
	}
	for _, tt := range tests {
		got, err := Parse(read(t, tt.file))
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
		} else if diff := cmp.Diff(&tt.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.file, diff)
		}
	}
	if all, _ := filepath.Glob("testdata/*.xml"); len(all) != len(tests) {
		t.Errorf("%d files, %d tests", len(all), len(tests))
	}
}

// wrap puts dialogs into a document.
func wrap(version, state, dialogs string) string {
	return `<dialog-info xmlns="` + Namespace + `" version="` + version + `" state="` + state +
		`" entity="sip:alice@example.com">` + dialogs + `</dialog-info>`
}

// The pieces of RFC 4235 that its own schema does not allow.
func TestParseLenient(t *testing.T) {
	doc, err := Parse([]byte(wrap("5", "partial", `
		<dialog id="z" direction="receiver">
		  <state reason="replaced">terminated</state>
		  <replaces call-id="c" local-tag="l" remote-tag="r"/>
		  <referred-by> sip:vm.example.net </referred-by>
		  <local><target uri="sip:alice@pc33.example.com"/><param pname="+sip.rendering" pval="no"/></local>
		  <route-set><hop>sip:a</hop></route-set>
		  <future xmlns="urn:other"><state>early</state></future>
		</dialog>`)))
	if err != nil {
		t.Fatal(err)
	}
	want := Dialog{
		ID: "z", Direction: Recipient, State: Terminated, Event: "replaced", Duration: -1,
		Replaces: Replaces{"c", "l", "r"}, Referred: "sip:vm.example.net",
		Local: Party{Target: "sip:alice@pc33.example.com", Rendering: RenderingNo},
	}
	if diff := cmp.Diff(want, doc.Dialogs[0]); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for doc, want := range map[string]error{
		wrap("1", "", ""):         ErrNoState,
		wrap("1", "partly", ""):   ErrNoState,
		`<presence xmlns="urn"/>`: nil,
		``:                        nil,
		wrap("1", "full", strings.Repeat("<dialog id='1'/>", MaxDialogs+1)): ErrTooMany,
		wrap("1", "full", "<dialog id='1'><state>early</dialog>"):           nil,
	} {
		_, err := Parse([]byte(doc))
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%.80s: %v, want %v", doc, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	all, _ := filepath.Glob("testdata/*.xml")
	for _, name := range all {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, err := Parse(b)
		if err != nil {
			return
		}
		var table Table
		now := time.Unix(0, 0)
		table.Apply(doc, now)
		// What is written of it can be read, and says the same.
		v := View{Entity: doc.Entity, Version: doc.Version, Level: 4, Dialogs: table.Live()}
		again, err := Parse(v.Append(nil, now))
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Dialogs) != len(table.Live()) {
			t.Errorf("%d dialogs, %d after writing", len(table.Live()), len(again.Dialogs))
		}
	})
}

func BenchmarkParse(b *testing.B) {
	doc, err := os.ReadFile("testdata/asterisk-pjsip-ringing.xml")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := Parse(doc); err != nil {
			b.Fatal(err)
		}
	}
}
