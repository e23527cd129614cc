package storage

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/sipgw/notifier"
	"rollcall/sipgw/transport"
)

func TestSIPSubscriptions(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s, ctx := db.SIPSubscriptions(), t.Context()
		same := func(want ...*notifier.Saved) {
			t.Helper()
			got, err := s.LoadSubscriptions(ctx)
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(notifier.Flow{}), cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Errorf("wanted (-) and kept (+), %v:\n%s", err, diff)
			}
		}
		same()
		at := time.UnixMicro(1_700_000_000_000_001).UTC()
		one := &notifier.Saved{
			ID: 1, User: "2001", Entity: "sip:a@x;user=phone", Event: "dialog", EventID: "7", Pace: 5 * time.Second, Type: "application/x",
			Profile: "Zo\u00eb \U0001F41D", Lang: "de", Phone: "<urn:uuid:1>", CallID: "a'b\"c", LocalTag: "l", RemoteTag: "r",
			From: `"A" <sip:a@x>;tag=l`, To: "<sip:b@x>;tag=r", Target: "sip:b@192.0.2.1", Routes: []string{"<sip:p1;lr>", "<sip:p2;lr>"},
			Theirs: 1<<31 - 1, CSeq: 1<<32 - 1, Version: 1<<32 - 1, Expires: at,
			Flow: notifier.Flow{
				Kind: transport.WSS, Remote: netip.MustParseAddrPort("[2001:db8::1]:5061"), Local: netip.MustParseAddrPort("127.0.0.1:5060"),
			},
		}
		two := &notifier.Saved{ID: 1<<63 - 1, Event: "presence", Expires: at}
		if err := s.SaveSubscriptions(ctx, []*notifier.Saved{two, one}, []uint64{4711}); err != nil {
			t.Fatal(err)
		}
		same(one, two)
		moved := *one
		moved.Target, moved.Theirs, moved.CSeq, moved.Version, moved.Expires = "sip:c@x", 1, 2, 3, at.Add(time.Hour)
		moved.Flow = notifier.Flow{Remote: netip.MustParseAddrPort("192.0.2.1:1")}
		if err := s.SaveSubscriptions(ctx, []*notifier.Saved{&moved}, []uint64{two.ID}); err != nil {
			t.Fatal(err)
		}
		same(&moved)
	})
}
