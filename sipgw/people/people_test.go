package people

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/event"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

const (
	desk = jid.Bare("2001@phones.x")
	hall = jid.Bare("2002@phones.x")
	ada  = jid.Bare("ada@x")
)

// stage is the server of the people, the engine, and who hears of answers.
type stage struct {
	*Service
	t *testing.T

	mu     sync.Mutex
	down   bool
	sent   []string
	said   map[string]presence.Contribution // by source
	heard  []string
	unsure []func(bool)
}

func open(t *testing.T) *stage {
	s := &stage{t: t, said: map[string]presence.Contribution{}}
	s.Service = New(Parts{Engine: s, Send: s.send, Arrived: func(f func(bool)) { s.unsure = append(s.unsure, f) }, Answered: s.answer})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stage) send(_ context.Context, raw []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return stanza.ErrRemoteTimeout
	}
	_, rest, _ := strings.Cut(string(raw), "type='")
	s.sent = append(s.sent, strings.NewReplacer("' from='", " ", "' to='", ">", "'/>", "").Replace(rest))
	return nil
}

// Report implements Engine.
func (s *stage) Report(who presence.Subject, k presence.Kind, source string, all []presence.Contribution) error {
	if who != ada || k != presence.Person {
		return errors.New("nobody")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.said, source)
	for _, c := range all {
		s.said[source] = c
	}
	return nil
}

func (s *stage) answer(watcher, of jid.Bare) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, fmt.Sprintf("%s>%s", watcher, of))
}

// comes has a presence come.
func (s *stage) comes(raw string) {
	s.t.Helper()
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	st, err := sc.Whole([]byte(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	s.Take(st, jid.MustParse(stanza.Text(st.From)), jid.MustParse(stanza.Text(st.To)))
}

// does checks what has been sent since the last time, in any order.
func (s *stage) does(want ...string) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.sent)
	if !slices.Equal(s.sent, want) {
		s.t.Errorf("sent is %q, want %q", s.sent, want)
	}
	s.sent = nil
}

// hears checks whose answers were passed on since the last time.
func (s *stage) hears(want ...string) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.heard, want) {
		s.t.Errorf("heard is %q, want %q", s.heard, want)
	}
	s.heard = nil
}

// knows checks what the engine knows.
func (s *stage) knows(want ...string) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for name, c := range s.said {
		got = append(got, fmt.Sprintf("%s %s %q %d %v", name, c.State, c.Facets.Text, c.Facets.Priority, time.Until(c.Expires).Round(time.Minute)))
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		s.t.Errorf("known is %q, want %q", got, want)
	}
}

func (s *stage) since(source string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said[source].Since
}

func (s *stage) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.said)
}

// agree has ada let a device watch her.
func (s *stage) agree(device jid.Bare) {
	s.Approval(device, ada)
	s.comes("<presence type='subscribed' from='ada@x' to='" + string(device) + "'/>")
	s.does("probe "+string(device)+">ada@x", "subscribe "+string(device)+">ada@x")
	s.unsure[len(s.unsure)-1](true)
	time.Sleep(settle + time.Millisecond)
	s.hears(string(device) + ">ada@x")
}

// Somebody is asked once, and what follows their answer is known before it is passed on.
func TestAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		s.comes("<presence from='ada@x/desk' to='2001@phones.x'/>") // nobody has asked
		for range 2 {
			if p := s.Approval(desk, ada); p != event.Undecided {
				t.Error(p)
			}
		}
		s.does("subscribe 2001@phones.x>ada@x")
		s.comes("<presence type='subscribed' from='eve@x' to='2001@phones.x'/>") // nobody has asked her
		s.comes("<presence type='error' from='ada@x' to='2001@phones.x'><error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>")
		s.does()
		s.hears()
		s.comes("<presence type='subscribed' from='ada@x' to='2001@phones.x'/>")
		s.does("probe 2001@phones.x>ada@x")
		s.comes("<presence from='ada@x/desk' to='2001@phones.x'><show>away</show><status>tea</status><priority>5</priority></presence>")
		s.hears()
		s.unsure[0](true)
		s.hears()
		time.Sleep(settle)
		s.hears("2001@phones.x>ada@x")
		s.knows(`client/desk idle "tea" 5 26h0m0s`)
		if p := s.Approval(desk, ada); p != event.Allowed {
			t.Error(p)
		}
		s.comes("<presence type='unsubscribed' from='ada@x' to='2001@phones.x'/>")
		s.hears("2001@phones.x>ada@x")
		s.knows()
		if p := s.Approval(desk, ada); p != event.Refused {
			t.Error(p)
		}
		s.does()
		time.Sleep(askAgain)
		if p := s.Approval(desk, ada); p != event.Undecided {
			t.Error(p)
		}
		s.does("subscribe 2001@phones.x>ada@x")
		s.comes("<presence type='error' from='ada@x' to='2001@phones.x'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>")
		s.hears("2001@phones.x>ada@x")
	})
}

// What clients say is known while anybody may know it, and as long as it is true.
func TestClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		s.agree(desk)
		s.agree(hall)
		s.comes("<presence from='ada@x/desk' to='2001@phones.x'><show>dnd</show></presence>")
		s.comes("<presence from='ada@x/desk' to='2002@phones.x'><show>dnd</show></presence>")
		s.comes("<presence from='ada@x/mobile' to='2001@phones.x'><show>soon</show><status>" + strings.Repeat("ü", maxText) + "</status><priority>1000</priority></presence>")
		s.comes("<presence from='ada@x' to='2001@phones.x'/>") // of no client
		long := strings.Repeat("ü", maxText/2)
		s.knows(`client/desk dnd "" 0 26h0m0s`, `client/mobile available "`+long+`" 0 26h0m0s`)
		since := s.since("client/desk")
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		s.knows(`client/desk dnd "" 0 25h0m0s`, `client/mobile available "`+long+`" 0 25h0m0s`)
		s.comes("<presence from='ada@x/desk' to='2001@phones.x'><show>dnd</show><status>still</status></presence>")
		if s.since("client/desk") != since {
			t.Error("it began anew")
		}
		s.comes("<presence type='unavailable' from='ada@x/mobile' to='2001@phones.x'/>")
		s.comes("<presence type='unavailable' from='ada@x/none' to='2001@phones.x'/>")
		s.knows(`client/desk dnd "still" 0 26h0m0s`)
		s.DeviceGone(desk)
		s.does("unsubscribe 2001@phones.x>ada@x")
		s.knows(`client/desk dnd "still" 0 26h0m0s`)
		s.comes("<presence type='unavailable' from='ada@x' to='2002@phones.x'/>")
		s.knows()
		for i := range 2 * maxClients {
			s.comes(fmt.Sprintf("<presence from='ada@x/%d' to='2002@phones.x'/>", i))
		}
		if n := s.count(); n != maxClients {
			t.Errorf("%d clients are known", n)
		}
		s.DeviceGone(hall)
		s.does("unsubscribe 2002@phones.x>ada@x")
		s.knows()
	})
}

// While there is no link nobody knows, and then all are asked again.
func TestLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		s.agree(desk)
		s.comes("<presence from='ada@x/desk' to='2001@phones.x'/>")
		s.down = true
		s.Down()
		s.knows(`client/desk available "" 0 1m0s`)
		s.Approval(hall, ada)
		time.Sleep(30 * time.Hour) // it is not said again
		s.down = false
		s.Up()
		s.does("probe 2001@phones.x>ada@x", "subscribe 2002@phones.x>ada@x")
		s.comes("<presence from='ada@x/desk' to='2001@phones.x'/>")
		s.knows(`client/desk available "" 0 26h0m0s`)
	})
}

// How many are remembered is bounded, and no device has all the room.
func TestMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		ask := func(device jid.Bare, most, want int) {
			t.Helper()
			s.sent = nil
			for i := range most {
				s.Approval(device, jid.Bare(fmt.Sprintf("p%d@x", i)))
			}
			if len(s.sent) != want {
				t.Errorf("%s has asked %d, want %d", device, len(s.sent), want)
			}
		}
		ask(desk, maxAsks+10, maxAsks)
		for i := range maxPairs/maxAsks - 1 {
			ask(jid.Bare(fmt.Sprintf("%d@phones.x", i)), maxAsks, maxAsks)
		}
		ask(hall, 10, 0)
		if len(s.pairs) != maxPairs || s.asks[desk] != maxAsks {
			t.Errorf("%d are remembered, %d of them by one", len(s.pairs), s.asks[desk])
		}
		time.Sleep(askAgain)
		s.Approval(hall, ada)
		s.agree(hall)
		s.DeviceGone(hall)
		if len(s.pairs) != 0 || len(s.asks) != 0 {
			t.Errorf("%d are remembered, of %d devices", len(s.pairs), len(s.asks))
		}
	})
}

// FuzzRead: whatever a client says, it is a state that there is, within bounds.
func FuzzRead(f *testing.F) {
	f.Add("<show>away</show><status>x</status><priority>-1</priority>")
	f.Add("<show> dnd </show><status/><priority>300</priority><show>xa</show>")
	f.Fuzz(func(t *testing.T, body string) {
		sc := stream.New(stream.DefaultLimits)
		sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
		st, err := sc.Whole([]byte("<presence>" + body + "</presence>"))
		if err != nil {
			return
		}
		c, ok := read(st, jid.MustParse("ada@x/desk"), time.Now())
		if !ok {
			t.Fatalf("%q is nothing", body)
		}
		if _, known := presence.DefaultCatalogue().Lookup(presence.Person, c.State); !known || len(c.Facets.Text) > maxText {
			t.Errorf("%q is %+v", body, c)
		}
	})
}
