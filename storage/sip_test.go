package storage

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/sipgw/publish"
	"rollcall/sipgw/registrar"
)

var bindingTime = time.UnixMicro(1_700_000_000_000_001)

func binding(id uint64) *registrar.Binding {
	return &registrar.Binding{
		ID: id, AOR: fmt.Sprintf("%d@x", id), Contact: "sip:a@192.0.2.1:5060;ob", Params: `;q=0.5;+sip.instance="<urn:uuid:1>"`,
		Q: 500, Instance: "<urn:uuid:1>", RegID: 1<<31 - 1, Path: []string{"<sip:p1;lr>", "<sip:p2;lr>"}, CallID: "a'b\"c", CSeq: 1<<31 - 1,
		UserAgent: "Zo\u00eb \U0001F41D",
		Flow: registrar.Flow{
			Transport: registrar.WSS, Remote: netip.MustParseAddrPort("[2001:db8::1]:5061"), Local: netip.MustParseAddrPort("127.0.0.1:5060"),
		},
		Created: bindingTime, Refreshed: bindingTime.Add(time.Second), Expires: bindingTime.Add(time.Hour),
	}
}

func sameBindings(t *testing.T, s *SIPBindings, want ...*registrar.Binding) {
	t.Helper()
	got, err := s.LoadBindings(t.Context())
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(registrar.Flow{}), cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("wanted (-) and kept (+), %v:\n%s", err, diff)
	}
}

func TestSIPBindings(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s, ctx := db.SIPBindings(), t.Context()
		sameBindings(t, s)
		one, two, three := binding(1), binding(2), &registrar.Binding{
			ID: 1<<63 - 1, Contact: "sip:b", Created: bindingTime, Refreshed: bindingTime, Expires: bindingTime,
		}
		if err := s.SaveBindings(ctx, []*registrar.Binding{two, three, one}, []uint64{4711}); err != nil {
			t.Fatal(err)
		}
		sameBindings(t, s, one, two, three)
		moved := *two
		moved.AOR, moved.Contact, moved.Path, moved.Expires = "other@x", "sip:c", nil, bindingTime.Add(time.Minute)
		moved.Params, moved.Q, moved.Instance, moved.RegID, moved.CallID, moved.CSeq = "", 0, "", 0, "d", 0
		moved.UserAgent, moved.Flow = "", registrar.Flow{Remote: netip.MustParseAddrPort("192.0.2.1:1")}
		moved.Created, moved.Refreshed = bindingTime.Add(-time.Hour), bindingTime.Add(time.Minute)
		if err := s.SaveBindings(ctx, []*registrar.Binding{&moved}, []uint64{1}); err != nil {
			t.Fatal(err)
		}
		sameBindings(t, s, &moved, three)
	})
}

// What is saved together is saved whole or not at all.
func TestSIPBindingsAreWhole(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s := db.SIPBindings()
		if err := s.SaveBindings(t.Context(), []*registrar.Binding{binding(1)}, nil); err != nil {
			t.Fatal(err)
		}
		bad := binding(3)
		bad.UserAgent = "\x00\xff" // PostgreSQL has no such text
		ctx, cancel := context.WithCancel(t.Context())
		if db.Kind() == SQLite {
			cancel() // and SQLite takes anything
		}
		defer cancel()
		if err := s.SaveBindings(ctx, []*registrar.Binding{binding(2), bad}, []uint64{1}); err == nil {
			t.Error("it was saved")
		}
		sameBindings(t, s, binding(1))
	})
}

// A registrar that is started again on the same database knows what it knew.
func TestRegistrarOnDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		parts := registrar.Parts{Store: db.SIPBindings(), Log: slog.New(slog.DiscardHandler)}
		first := registrar.New(parts, registrar.Config{})
		now := time.Now().Truncate(time.Second)
		const devices = 700 // more than are saved at once
		for i := range devices {
			contacts, _, err := registrar.ParseContacts([]string{fmt.Sprintf("<sip:%d@192.0.2.1>", i)})
			if err != nil {
				t.Fatal(err)
			}
			got := first.Register(now, registrar.Registration{AOR: fmt.Sprintf("%d@x", i), CallID: "a", CSeq: 1, Contacts: contacts, Expires: -1})
			if got.Status != 200 {
				t.Fatalf("%+v", got)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		first.Run(ctx) // stores the rest
		second := registrar.New(parts, registrar.Config{})
		if err := second.Load(t.Context(), now); err != nil || second.Count() != devices {
			t.Fatalf("there are %d, %v", second.Count(), err)
		}
		want, got := first.Lookup("42@x"), second.Lookup("42@x")
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(registrar.Flow{})); diff != "" {
			t.Errorf("before (-) and after (+):\n%s", diff)
		}
	})
}

func TestSIPPublications(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s, ctx := db.SIPPublications(), t.Context()
		same := func(want ...*publish.Publication) {
			t.Helper()
			got, err := s.LoadPublications(ctx)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Errorf("wanted (-) and kept (+), %v:\n%s", err, diff)
			}
		}
		same()
		one := &publish.Publication{
			ID: 1, Resource: "2001@x", Event: "presence", ETag: "a", Publisher: "2001", ContentType: "application/pidf+xml",
			Body: []byte("<x>\x00\xff'</x>"), Since: bindingTime, Expires: bindingTime.Add(time.Hour),
		}
		two := &publish.Publication{ID: 2, Body: []byte(strings.Repeat("x", 1<<14)), Since: bindingTime, Expires: bindingTime}
		if err := s.SavePublications(ctx, []*publish.Publication{two, one}, []uint64{4711}); err != nil {
			t.Fatal(err)
		}
		same(one, two)
		changed := publish.Publication{
			ID: 1, Resource: "2002@x", Event: "dialog", ETag: "b", Publisher: "2002", ContentType: "y",
			Body: []byte("z"), Since: bindingTime.Add(time.Second), Expires: bindingTime.Add(time.Minute),
		}
		if err := s.SavePublications(ctx, []*publish.Publication{&changed}, []uint64{2}); err != nil {
			t.Fatal(err)
		}
		same(&changed)
	})
}
