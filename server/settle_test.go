package server

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/xmpp/jid"
)

// slow is a Keeper whose writes end when the test says so.
type slow struct {
	settled Ticket
	waiting []func(bool)
}

func (k *slow) Keep(*Kept) Ticket { return 0 }
func (k *slow) Settled() Ticket   { return k.settled }

func (k *slow) WhenSettled(_ Ticket, f func(bool)) { k.waiting = append(k.waiting, f) }

func (k *slow) end(stored bool) {
	k.settled++
	for _, f := range k.waiting {
		f(stored)
	}
	k.waiting = nil
}

// unsettled is a session one of whose stanzas is being stored.
func unsettled(t *testing.T) (*Session, *slow) {
	k := &slow{}
	srv := New(context.Background(), Options{
		Config: Config{Domains: []Domain{{Name: "x"}}, OutboxBytes: 1 << 20}, Accounts: everybody{}, Keeper: k,
	})
	s, err := srv.Bind(context.Background(), NewAccount(jid.Bare("ada@x"), 1), "desk", &drain{})
	if err != nil {
		t.Fatal(err)
	}
	s.counted, s.covered = 3, 1
	return s, k
}

// A session that can be resumed, and so tells a count, is kept only once what
// the count covers is stored (XEP-0198 §5).
func TestHibernateWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, k := unsettled(t)
		s.KeepFor(time.Minute)
		kept := make(chan bool, 1)
		go func() { kept <- s.Hibernate() }()
		synctest.Wait()
		if len(kept) != 0 {
			t.Fatal("kept before it is known what is stored")
		}
		k.end(true)
		if !<-kept {
			t.Error("not kept")
		}
		s.Release()
		s.End(context.Background())
	})
}

// What could not be stored is not acknowledged.
func TestNoAckForWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, k := unsettled(t)
		var acked []uint32
		s.WhenStored(func(h uint32) { acked = append(acked, h) })
		k.end(false)
		if len(acked) != 0 {
			t.Errorf("acknowledged %v, which was lost", acked)
		}
		s.covered = 2
		s.WhenStored(func(h uint32) { acked = append(acked, h) })
		if len(acked) != 0 {
			t.Errorf("acknowledged %v before it is stored", acked)
		}
		k.end(true)
		if len(acked) != 1 || acked[0] != 3 {
			t.Errorf("acknowledged %v, want 3", acked)
		}
		s.Release()
		s.End(context.Background())
	})
}
