package notifier

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/event"
)

// keeps has the notifier begin anew with a store.
func (b *bed) keeps() {
	b.stop()
	b.store = &memory{rows: map[uint64]Saved{}}
	b.start()
}

// kill is kill -9: what was stored by then is there afterwards, and nothing else.
func (b *bed) kill() {
	b.t.Helper()
	b.store.mu.Lock()
	rows := maps.Clone(b.store.rows)
	b.store.mu.Unlock()
	b.stop()
	b.store = &memory{rows: rows}
}

// After a restart subscriptions go on, and numbers never go back.
func TestRestart(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.keeps()
		p := b.phone("2001")
		b.groups["all"] = []Member{{"3001@phones.x", "sip:3001@phones.x", ""}}
		b.said["shy@x"] = event.Undecided
		p.subscribes("sip:3001@phones.x", "dialog;id=7", "User-Agent: Yealink SIP", "Record-Route: <sip:192.0.2.49;lr>")
		p.subscribes("sip:blf-all@x", "dialog", "Supported: eventlist")
		p.subscribes("sip:shy@x", "presence")
		p.subscribes("sip:once@x", "presence", "Expires: 0")
		short := p.subscribes("sip:short@x", "presence", "Expires: 60")
		p.Forget()
		after(time.Second)
		for range 10 {
			b.talks("3001@phones.x", call("1", dialoginfo.Confirmed, dialoginfo.Initiator))
			b.talks("3001@phones.x")
		}
		last := map[string]int{}
		for _, m := range p.Unread() {
			seq, _ := m.CSeq()
			last[m.Header("Call-ID")] = max(last[m.Header("Call-ID")], seq)
		}
		p.Forget()
		b.kill()
		b.talks("3001@phones.x", call("2", dialoginfo.Confirmed, dialoginfo.Initiator))
		time.Sleep(time.Minute)
		b.start()
		after(5 * time.Second)
		all := p.Unread()
		if len(all) != 3 || b.n.Count() != 3 {
			t.Fatalf("%d are told, %d are there: %s", len(all), b.n.Count(), raws(all))
		}
		for _, m := range all {
			seq, _ := m.CSeq()
			if m.Header("Call-ID") == short.Header("Call-ID") || seq <= last[m.Header("Call-ID")] || seq > last[m.Header("Call-ID")]+1010 {
				t.Errorf("after %d: %s", last[m.Header("Call-ID")], m.Raw)
			}
			switch {
			case m.Header("Event") == "dialog;id=7":
				b.has(m, "<state>confirmed", `state="full"`)
				if d, err := dialoginfo.Parse([]byte(m.Body)); err != nil || d.Version <= 21 || d.Version > 1100 {
					t.Errorf("%v %+v", err, d)
				}
				if !strings.HasPrefix(m.Header("Subscription-State"), "active;expires=353") || len(m.Values("Route")) != 1 {
					t.Error(m.Raw)
				}
			case m.Header("Require") != "":
				b.has(m, `fullState="true"`, "<state>confirmed")
			default:
				if m.Header("Event") != "presence" || m.Body != "" || !strings.HasPrefix(m.Header("Subscription-State"), "pending;expires=353") {
					t.Error(m.Raw)
				}
			}
		}
		p.Forget()
		b.talks("3001@phones.x")
		b.has(p.Unread()[0], "!<state>confirmed")
		p.Forget()
		// The dialog is known, and goes on.
		if res := p.say("SUBSCRIBE\nEvent: presence\nExpires: 0\nCall-ID: " + short.Header("Call-ID")); res.Status != 481 {
			t.Error(res.Raw)
		}
	})
}

// What the database has not got yet is not used.
func TestNumbersAreStoredFirst(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.keeps()
		p := b.phone("2001")
		p.subscribes("sip:3001@phones.x", "dialog")
		after(time.Second)
		b.store.mu.Lock()
		b.store.fail = errors.New("no room")
		b.store.mu.Unlock()
		p.Forget()
		for range 600 {
			b.talks("3001@phones.x", call("1", dialoginfo.Confirmed, dialoginfo.Initiator))
			b.talks("3001@phones.x")
		}
		most := 0
		for _, m := range p.Unread() {
			seq, _ := m.CSeq()
			most = max(most, seq)
		}
		if most != ahead+1 {
			t.Errorf("the last was %d", most)
		}
		p.Forget()
		b.talks("3001@phones.x", call("2", dialoginfo.Confirmed, dialoginfo.Initiator))
		p.nothing()
		b.store.mu.Lock()
		b.store.fail = nil
		b.store.mu.Unlock()
		after(10 * time.Second)
		b.has(p.told("active"), "<state>confirmed")
		for _, v := range b.store.rows {
			if v.CSeq != ahead+1+ahead || v.Version < ahead {
				t.Errorf("%+v", v)
			}
		}
	})
}

// Nor is it after a restart, or one that is not the last would use the same numbers as the
// next.
func TestNumbersAfterRestarts(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.keeps()
		p := b.phone("2001")
		p.subscribes("sip:3001@phones.x", "dialog")
		after(time.Second)
		p.Forget()
		broken := func(err error) {
			b.store.mu.Lock()
			defer b.store.mu.Unlock()
			b.store.fail = err
		}
		b.kill()
		broken(errors.New("no room"))
		b.start()
		after(10 * time.Second)
		p.nothing()
		broken(nil)
		after(10 * time.Second)
		first, _ := p.told("active").CSeq()
		b.kill()
		b.start()
		after(5 * time.Second)
		if second, _ := p.told("active").CSeq(); second <= first {
			t.Errorf("after %d comes %d", first, second)
		}
	})
}

// A phone whose connection ended with the program is told when it is back.
func TestRestartOverTCP(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.keeps()
		p := b.phone("2001", overTCP)
		p.subscribes("sip:alice@x", "presence")
		p.told("active")
		after(time.Second)
		p.Close()
		b.kill()
		b.start()
		after(time.Second)
		q := b.phone("2001", overTCP)
		q.say("INFO sip:192.0.2.1")
		b.n.Registered("2001", "sip:2001@192.0.2.49:5060;transport=tcp", "", b.flow(q))
		q.told("active")
	})
}
