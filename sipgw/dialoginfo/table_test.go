package dialoginfo

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// now is when the tests begin; documents come ten seconds apart.
var now = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

// brief writes down the live dialogs in a line.
func brief(t *Table) string {
	var out []string
	for _, l := range t.Live() {
		s := fmt.Sprintf("%s/%s %s@%d", l.ID, l.RemoteTag, l.State, int(l.Since.Sub(now).Seconds()))
		if l.Local.Rendering == RenderingNo {
			s += " hold"
		}
		if l.Remote.Identity != "" {
			s += " " + l.Remote.Identity
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

type step struct {
	version, state, dialogs string
	want                    string
	out                     Outcome
}

// The steps of RFC 4235 §6.1 and §6.2, and what real notifiers do.
func TestTable(t *testing.T) {
	changed, same := Outcome{Changed: true}, Outcome{}
	tests := map[string][]step{
		"RFC 4235 §6.1: forked, one answers, the other is cancelled": {
			{"0", "full", ``, "", same},
			{"1", "full", `<dialog id="as" call-id="c" local-tag="l" remote-tag="1"><state>early</state></dialog>`, "as/1 early@10", changed},
			{
				"2", "full", `<dialog id="as" call-id="c" local-tag="l" remote-tag="1"><state>early</state></dialog>` +
					`<dialog id="as" call-id="c" local-tag="l" remote-tag="2"><state>early</state></dialog>`,
				"as/1 early@10; as/2 early@20", changed,
			},
			{"3", "partial", `<dialog id="as" call-id="c" local-tag="l" remote-tag="2"><state>confirmed</state></dialog>`, "as/2 confirmed@30", changed},
			{"4", "partial", `<dialog id="as" call-id="c" local-tag="l" remote-tag="1"><state event="cancelled">terminated</state></dialog>`, "as/2 confirmed@30", same},
			{"5", "partial", `<dialog id="as"><state event="local-bye">terminated</state></dialog>`, "", changed},
		},
		"RFC 4235 §6.2: a document says only what is new of a dialog": {
			{"0", "full", ``, "", same},
			{"1", "partial", `<dialog id="a"><state>trying</state></dialog>`, "a/ trying@10", changed},
			{
				"2", "partial", `<dialog id="a" call-id="c" local-tag="l" direction="initiator"><state>trying</state><remote><identity>sip:bob@x</identity></remote></dialog>`,
				"a/ trying@10 sip:bob@x", changed,
			},
			{"3", "partial", `<dialog id="a" call-id="c" local-tag="l" remote-tag="r"><state code="180">early</state></dialog>`, "a/r early@30 sip:bob@x", changed},
			{"4", "partial", `<dialog id="a" call-id="c" local-tag="l" remote-tag="r"><state code="200">confirmed</state></dialog>`, "a/r confirmed@40 sip:bob@x", changed},
			{
				"5", "partial", `<dialog id="a" call-id="c" local-tag="l" remote-tag="r"><state>confirmed</state><local><target uri="sip:a@pc"><param pname="+sip.rendering" pval="no"/></target></local></dialog>`,
				"a/r confirmed@50 hold sip:bob@x", changed,
			},
			{"6", "partial", `<dialog id="a"><state>confirmed</state></dialog>`, "a/r confirmed@50 hold sip:bob@x", same},
			{"7", "partial", `<dialog id="a"><state>confirmed</state><local><target uri="sip:a@pc"/></local></dialog>`, "a/r confirmed@70 sip:bob@x", changed},
			{"8", "partial", `<dialog id="a"><state event="remote-bye">terminated</state></dialog><dialog id="b"><state>trying</state></dialog>`, "b/ trying@80", changed},
			{"9", "full", ``, "", changed},
		},
		"versions: a gap before a partial document asks for a full one": {
			{"3", "full", ``, "", same},
			{"5", "partial", `<dialog id="a"><state>early</state></dialog>`, "a/ early@10", Outcome{Changed: true, Refresh: true}},
			{"4", "full", ``, "a/ early@10", Outcome{Ignored: true}},
			{"9", "full", `<dialog id="b"><state>early</state></dialog>`, "b/ early@30", changed},
			{"10", "partial", `<dialog id="b"><state>confirmed</state></dialog>`, "b/ confirmed@40", changed},
		},
		"a subscription that begins with a partial document asks for a full one": {
			{"17", "partial", `<dialog id="a"><state>confirmed</state></dialog>`, "a/ confirmed@0", Outcome{Changed: true, Refresh: true}},
		},
		"COMPAT: a notifier that never counts": {
			{"0", "full", `<dialog id="2001"><state>early</state></dialog>`, "2001/ early@0", changed},
			{"0", "full", `<dialog id="2001"><state>confirmed</state></dialog>`, "2001/ confirmed@10", changed},
			{"0", "full", `<dialog id="2001"><state>confirmed</state></dialog>`, "2001/ confirmed@10", same},
			{"0", "full", `<dialog id="2001"><state>terminated</state></dialog>`, "", changed},
			{"0", "full", `<dialog id="2001"><state>terminated</state></dialog>`, "", same},
		},
		"COMPAT: a notifier that has restarted and kept the subscription": {
			{"7", "full", `<dialog id="a"><state>confirmed</state></dialog>`, "a/ confirmed@0", changed},
			{"0", "full", ``, "", changed},
			{"1", "full", `<dialog id="b"><state>early</state></dialog>`, "b/ early@20", changed},
		},
		"missing from a full document is over": {
			{"0", "full", `<dialog id="a"><state>confirmed</state></dialog><dialog id="b"><state>early</state></dialog>`, "a/ confirmed@0; b/ early@0", changed},
			{"1", "full", `<dialog id="a"><state>confirmed</state></dialog>`, "a/ confirmed@0", changed},
		},
		"a call that is older than the subscription": {
			{"0", "full", `<dialog id="a"><state>confirmed</state><duration>90</duration></dialog>`, "a/ confirmed@-90", changed},
			{"1", "full", `<dialog id="a"><state>confirmed</state><duration>100</duration></dialog>`, "a/ confirmed@-90", same},
		},
		"transfer: the new dialog replaces the old, which is never ended": {
			{"0", "full", `<dialog id="a" call-id="c1" local-tag="l1" remote-tag="r1"><state>confirmed</state></dialog>`, "a/r1 confirmed@0", changed},
			{
				"1", "partial", `<dialog id="b" call-id="c2" local-tag="l2" remote-tag="r2"><state>confirmed</state><replaces call-id="c1" local-tag="l1" remote-tag="r1"/></dialog>`,
				"b/r2 confirmed@10", changed,
			},
		},
		"transfer: nothing is replaced before the new one is answered": {
			{"0", "full", `<dialog id="a" call-id="c1"><state>confirmed</state></dialog>`, "a/ confirmed@0", changed},
			{"1", "partial", `<dialog id="b" call-id="c2"><state>early</state><replaces call-id="c1"/></dialog>`, "a/ confirmed@0; b/ early@10", changed},
			{"2", "partial", `<dialog id="b"><state>confirmed</state></dialog>`, "b/ confirmed@20", changed},
		},
		"a full document with everything to settle": {
			{
				"0", "full", `<dialog id="a" call-id="c1"><state>confirmed</state></dialog><dialog id="f" call-id="c2" remote-tag="1"><state>early</state></dialog>` +
					`<dialog id="f" call-id="c2" remote-tag="2"><state>confirmed</state></dialog><dialog id="b" call-id="c3"><state>confirmed</state><replaces call-id="c1"/></dialog>`,
				"f/2 confirmed@0; b/ confirmed@0", changed,
			},
		},
		"an id that comes to another call": {
			{"0", "full", `<dialog id="a" call-id="c1"><state>confirmed</state></dialog>`, "a/ confirmed@0", changed},
			{"1", "partial", `<dialog id="a" call-id="c2"><state>early</state></dialog>`, "a/ early@10", changed},
		},
		"a dialog that claims to replace itself": {
			{"0", "full", `<dialog id="a" call-id="c1"><state>confirmed</state><replaces call-id="c1"/></dialog>`, "a/ confirmed@0", changed},
			{"1", "partial", `<dialog id="a" call-id="c1"><state>confirmed</state><replaces call-id="c1"/></dialog>`, "a/ confirmed@0", same},
		},
		"states that nobody knows": {
			{"0", "full", `<dialog id="a"><state>wobbling</state></dialog><dialog id="b"/>`, "", same},
			{"1", "partial", `<dialog id="a"><state>wobbling</state></dialog>`, "", same},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var table Table
			for i, s := range steps {
				doc, err := Parse([]byte(wrap(s.version, s.state, s.dialogs)))
				if err != nil {
					t.Fatal(err)
				}
				out := table.Apply(doc, now.Add(time.Duration(i)*10*time.Second))
				if got := brief(&table); got != s.want || out != s.out {
					t.Errorf("step %d: %q %+v, want %q %+v", i, got, out, s.want, s.out)
				}
			}
		})
	}
}

func TestTableForget(t *testing.T) {
	var table Table
	table.Apply(&Document{Version: 90, Dialogs: []Dialog{{ID: "a", State: Confirmed}}}, now)
	table.Forget(true)
	if brief(&table) != "a/ confirmed@0" {
		t.Errorf("not kept: %s", brief(&table))
	}
	if out := table.Apply(&Document{Version: 0}, now); out.Ignored || !out.Changed || brief(&table) != "" {
		t.Errorf("the first document of the next subscription: %+v %s", out, brief(&table))
	}
	table.Apply(&Document{Version: 1, Dialogs: []Dialog{{ID: "a", State: Confirmed}}}, now)
	table.Forget(false)
	if brief(&table) != "" {
		t.Errorf("kept: %s", brief(&table))
	}
}

// A notifier that adds dialog after dialog does not fill the memory.
func TestTableBounded(t *testing.T) {
	var table Table
	for i := range 3 * MaxDialogs {
		d := Dialog{ID: fmt.Sprint(i), State: Confirmed}
		table.Apply(&Document{Version: uint32(i), Partial: true, Dialogs: []Dialog{d}}, now)
	}
	if n := len(table.Live()); n != MaxDialogs {
		t.Errorf("%d dialogs", n)
	}
}
