package dialoginfo

import (
	"strings"
	"testing"
	"time"

	"rollcall/presence"
)

var (
	ringing = Live{Dialog: Dialog{
		ID: "d1", CallID: "c&1", LocalTag: "lt", RemoteTag: "rt", Direction: Recipient, State: Early, Code: 180, Duration: -1,
		Local:  Party{Identity: "sip:alice@example.org", Target: "sip:alice@10.0.0.5"},
		Remote: Party{Identity: "sip:bob@example.org", Display: `B "ob"`, Target: "sip:bob@10.0.0.6"},
	}, Began: now.Add(-3 * time.Second), Since: now.Add(-3 * time.Second)}
	held = Live{Dialog: Dialog{
		ID: "d2", CallID: "c2", LocalTag: "l2", RemoteTag: "r2", Direction: Initiator, State: Confirmed, Duration: -1,
		Local:  Party{Target: "sip:alice@10.0.0.5", Rendering: RenderingNo, Line: "1"},
		Remote: Party{Target: "sip:conf@10.0.0.9", Focus: true},
	}, Began: now.Add(-time.Minute)}
	dialing = Live{Dialog: Dialog{ID: "d3", Direction: Initiator, State: Early, Event: "x", Referred: "sip:carol@example.org", Replaces: Replaces{"c0", "l0", "r0"}}}
)

const (
	ringingFull = `<dialog id="d1" call-id="c&amp;1" local-tag="lt" remote-tag="rt" direction="recipient"><state code="180">early</state><duration>3</duration>` +
		`<local><identity>sip:alice@example.org</identity><target uri="sip:alice@10.0.0.5"/></local>` +
		`<remote><identity display="B &quot;ob&quot;">sip:bob@example.org</identity><target uri="sip:bob@10.0.0.6"/></remote></dialog>`
	heldFull = `<dialog id="d2" call-id="c2" local-tag="l2" remote-tag="r2" direction="initiator"><state>confirmed</state><duration>60</duration>` +
		`<local><target uri="sip:alice@10.0.0.5"><param pname="+sip.rendering" pval="no"/><param pname="x-line-id" pval="1"/></target></local>` +
		`<remote><target uri="sip:conf@10.0.0.9"><param pname="isfocus" pval="true"/></target></remote></dialog>`
	dialingFull = `<dialog id="d3" direction="initiator"><state event="x">early</state>` +
		`<replaces call-id="c0" local-tag="l0" remote-tag="r0"/><referred-by>sip:carol@example.org</referred-by></dialog>`
	dummy = `<dialog id="0000"><state>terminated</state></dialog>`
)

func TestView(t *testing.T) {
	line := func(s string) string { return `<dialog id="line">` + s + `</dialog>` }
	tests := []struct {
		name    string
		level   presence.Level
		options Options
		hide    bool
		dialogs []Live
		want    string
	}{
		{"idle", presence.Full, Options{}, false, nil, ""},
		{"idle for Yealink and Bria", presence.Full, Options{Dummy: true}, false, nil, dummy},
		{"a lost phone as busy", presence.Full, Options{}, false, Occupied(), `<dialog id="offline"><state>confirmed</state></dialog>`},
		{"hidden", presence.Hidden, Options{}, false, []Live{ringing, held}, ""},
		{"hidden for Yealink", presence.Hidden, Options{Dummy: true}, false, []Live{ringing, held}, dummy},

		{"basic: in a call", presence.Basic, Options{}, false, []Live{ringing, held}, line("<state>confirmed</state>")},
		{"basic: nothing before it is answered", presence.Basic, Options{}, false, []Live{ringing}, ""},
		{"basic: nor for Linksys", presence.Basic, Options{CallerAnswered: true}, false, []Live{dialing}, ""},

		{"status: rings", presence.Status, Options{}, false, []Live{ringing}, line("<state>early</state>")},
		{"status: rings beside a call", presence.Status, Options{}, false, []Live{held, ringing}, line("<state>early</state>")},
		{"status: call first", presence.Status, Options{ConfirmedFirst: true}, false, []Live{ringing, held}, line("<state>confirmed</state>")},
		{"status: a person's ringing is not shown", presence.Status, Options{}, true, []Live{ringing}, ""},
		{"status: a person's ringing does not hide the call", presence.Status, Options{}, true, []Live{ringing, held}, line("<state>confirmed</state>")},

		{
			"detail: direction and duration", presence.Detail, Options{}, true, []Live{ringing},
			`<dialog id="line" direction="recipient"><state>early</state><duration>3</duration></dialog>`,
		},
		{
			"detail: hold", presence.Detail, Options{}, false, []Live{held},
			`<dialog id="line" direction="initiator"><state>confirmed</state><duration>60</duration>` +
				`<local><target uri="sip:alice@example.org"><param pname="+sip.rendering" pval="no"/></target></local></dialog>`,
		},

		{"full: ringing first", presence.Full, Options{}, false, []Live{held, ringing}, ringingFull + heldFull},
		{"full: call first", presence.Full, Options{ConfirmedFirst: true}, false, []Live{ringing, held}, heldFull + ringingFull},
		{"full: Linksys crashes on two", presence.Full, Options{Single: true}, false, []Live{held, ringing}, ringingFull},
		{"full: a transfer in the making", presence.Full, Options{}, false, []Live{dialing}, dialingFull},
		{"full: Linksys blinks when it calls", presence.Full, Options{CallerAnswered: true}, false, []Live{dialing}, strings.Replace(dialingFull, "early", "confirmed", 1)},
	}
	for _, tt := range tests {
		v := View{Entity: "sip:alice@example.org", Version: 7, Level: tt.level, Options: tt.options, HideRinging: tt.hide, Dialogs: tt.dialogs}
		got := string(v.Append(nil, now))
		want := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
			`<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="7" state="full" entity="sip:alice@example.org">` +
			tt.want + "</dialog-info>\n"
		if got != want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, want)
		}
		if _, err := Parse([]byte(got)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestNothingLeaksBelowFull(t *testing.T) {
	for level := presence.Hidden; level < presence.Full; level++ {
		v := View{Entity: "sip:alice@example.org", Level: level, Dialogs: []Live{ringing, held, dialing}}
		doc := string(v.Append(nil, now))
		for _, secret := range []string{"bob", "carol", "c&amp;1", "c2", "l2", "r2", "10.0.0", "d1", "d2"} {
			if strings.Contains(doc, secret) {
				t.Errorf("level %d shows %s: %s", level, secret, doc)
			}
		}
	}
}

func TestViewAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 4096)
	v := View{Entity: "sip:alice@example.org", Version: 1, Level: presence.Full, Dialogs: []Live{ringing, held}}
	if n := testing.AllocsPerRun(100, func() { buf = v.Append(buf[:0], now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkViewVirtual(b *testing.B) { benchView(b, presence.Status) }
func BenchmarkViewFull(b *testing.B)    { benchView(b, presence.Full) }

func benchView(b *testing.B, level presence.Level) {
	buf := make([]byte, 0, 4096)
	v := View{Entity: "sip:alice@example.org", Version: 1, Level: level, Dialogs: []Live{ringing}}
	b.ReportAllocs()
	for b.Loop() {
		buf = v.Append(buf[:0], now)
	}
}
