package storage

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/sipgw/call"
	"rollcall/sipgw/registrar"
)

func talk(id uint64) *call.Dialog {
	end := func(device string) call.End {
		return call.End{
			Device: device, AOR: device + "@x", Binding: 1<<63 - 1, Row: "row " + device, Header: `"Zo` + "\u00eb" + `'" <sip:` + device + "@x>;tag=1",
			Identity: "sip:" + device + "@x", Display: "\U0001F41D", Contact: "sip:a@192.0.2.1:5060;ob", Routes: []string{"<sip:p1;lr>", "<sip:p2;lr>"},
			CSeq: 1<<31 - 1, Held: true, Since: bindingTime.Add(3 * time.Second),
			Flow: registrar.Flow{
				Transport: registrar.WSS, Remote: netip.MustParseAddrPort("[2001:db8::1]:5061"), Local: netip.MustParseAddrPort("127.0.0.1:5060"),
			},
		}
	}
	return &call.Dialog{
		ID: id, CallID: "a'b\"c", Began: bindingTime, Answered: bindingTime.Add(time.Second), Session: 1800 * time.Second,
		Refreshed: bindingTime.Add(2 * time.Second), Ends: [2]call.End{end("2001"), end("2002")},
	}
}

func sameDialogs(t *testing.T, s *SIPDialogs, want ...*call.Dialog) {
	t.Helper()
	got, err := s.LoadDialogs(t.Context())
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(registrar.Flow{}), cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("wanted (-) and kept (+), %v:\n%s", err, diff)
	}
}

func TestSIPDialogs(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s, ctx := db.SIPDialogs(), t.Context()
		sameDialogs(t, s)
		one, two := talk(1), talk(2)
		last := &call.Dialog{ID: 1<<63 - 1, CallID: "z", Began: bindingTime, Answered: bindingTime, Refreshed: bindingTime}
		last.Ends[0].Since, last.Ends[1].Since = bindingTime, bindingTime
		if err := s.SaveDialogs(ctx, []*call.Dialog{two, last, one}, []uint64{4711}); err != nil {
			t.Fatal(err)
		}
		sameDialogs(t, s, one, two, last)
		other := *two
		other.CallID, other.Session, other.Refreshed = "d", 0, bindingTime.Add(time.Hour)
		other.Began, other.Answered = bindingTime.Add(time.Minute), bindingTime.Add(2*time.Minute)
		e := &other.Ends[1]
		e.Device, e.AOR, e.Binding, e.Row, e.Header, e.Identity, e.Display, e.Contact = "", "", 0, "", "h", "i", "", "c"
		e.Routes, e.CSeq, e.Held, e.Since, e.Flow = nil, 0, false, bindingTime, registrar.Flow{}
		if err := s.SaveDialogs(ctx, []*call.Dialog{&other}, []uint64{1}); err != nil {
			t.Fatal(err)
		}
		sameDialogs(t, s, &other, last)
		if err := s.SaveDialogs(ctx, nil, []uint64{2, 1<<63 - 1}); err != nil {
			t.Fatal(err)
		}
		sameDialogs(t, s)
	})
}
