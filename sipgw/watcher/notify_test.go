package watcher

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/siptest"
)

// start plays the beginning of a subscription.
func start(t *testing.T, test func(*bed, *pbx, *siptest.Message)) {
	t.Helper()
	play(t, Config{Upstreams: []Upstream{hq()}}, []device.Device{desk}, func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		test(b, p, p.begin(600))
	})
}

// Partial documents change what they name; where one is missing all is asked for.
func TestPartial(t *testing.T) {
	start(t, func(b *bed, p *pbx, sub *siptest.Message) {
		p.notify(sub, "active", document(1, "partial", "confirmed"), "200")
		p.notify(sub, "active", document(2, "partial", "", "early"), "200")
		if l := b.last("2001"); len(l.Calls) != 2 {
			t.Fatalf("%+v", l.Calls)
		}
		p.notify(sub, "active", document(2, "partial", "", "terminated"), "200")
		p.silent()
		// Version 3 is lost. What is known is used, and the rest asked for.
		p.notify(sub, "active", document(4, "partial", "", "", "confirmed"), "200")
		b.after(20 * time.Millisecond)
		refresh := p.subscribe("200\nExpires: 600")
		if refresh.Header("Call-ID") != sub.Header("Call-ID") {
			t.Errorf("not a refresh:\n%s", refresh.Raw)
		}
		if l := b.last("2001"); len(l.Calls) != 2 {
			t.Errorf("%+v", l.Calls)
		}
		p.notify(sub, "active", document(5, "full", "", "", "confirmed"), "200")
		if l := b.last("2001"); len(l.Calls) != 1 || l.Calls[0].ID != "c3" {
			t.Errorf("%+v", l.Calls)
		}
		// One that is older is none.
		p.notify(sub, "active", document(3, "full", "confirmed"), "200")
		if l := b.last("2001"); len(l.Calls) != 1 || l.Calls[0].ID != "c3" {
			t.Errorf("%+v", l.Calls)
		}
	})
}

// A notifier whose documents always lack one is not asked on and on.
func TestGapAfterGap(t *testing.T) {
	start(t, func(b *bed, p *pbx, sub *siptest.Message) {
		asked := 0
		for v := 2; v < 200; v += 2 {
			p.notify(sub, "active", document(v, "partial", "confirmed"), "200")
			b.after(100 * time.Millisecond)
			for range p.take() {
				asked++
				p.say("200\nExpires: 600")
			}
		}
		if asked == 0 || asked > 3 {
			t.Errorf("asked %d times in 10 seconds", asked)
		}
	})
}

// NOTIFYs that overtake one another: the older one is refused. If a notifier counts
// anew for good, it is subscribed to anew.
func TestOvertaken(t *testing.T) {
	start(t, func(b *bed, p *pbx, sub *siptest.Message) {
		say := func(cseq int, status string, states ...string) {
			t.Helper()
			p.say(fmt.Sprintf("NOTIFY\nCSeq: %d NOTIFY\nEvent: dialog\nSubscription-State: active\nContent-Type: %s\n--\n%s", cseq, accepts[Dialog], p.calls(sub, states...)))
			p.answered(status)
		}
		say(100, "200", "confirmed")
		say(99, "500")
		if l := b.last("2001"); len(l.Calls) != 1 {
			t.Errorf("%+v", l.Calls)
		}
		say(101, "200", "confirmed")
		for n := 1; n < 3; n++ {
			say(n, "500")
		}
		p.silent()
		say(3, "500")
		b.after(20 * time.Millisecond)
		again := p.one("SUBSCRIBE")
		if again.Header("Call-ID") == sub.Header("Call-ID") {
			t.Errorf("not anew:\n%s", again.Raw)
		}
		b.stands("2001", Dialog, Told)
	})
}

// Several phones take up one SUBSCRIBE: the calls of all of them count.
func TestForks(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, []device.Device{desk}, func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		p.subscribe("200\nExpires: 600")
		say := func(tag, state, status string, states ...string) {
			t.Helper()
			p.say(fmt.Sprintf("NOTIFY\nFrom: <sip:2001@hq>;tag=%s\nContact: <sip:%s@%s>\nEvent: dialog\nSubscription-State: %s\nContent-Type: %s\n--\n%s",
				tag, tag, pbxAt, state, accepts[Dialog], document(len(tag), "full", states...)))
			p.answered(status)
		}
		say("a", "active;expires=600", "200")
		say("b", "active;expires=600", "200", "confirmed")
		if l := b.stands("2001", Dialog, Told); len(l.Calls) != 1 {
			t.Fatalf("%+v", l.Calls)
		}
		say("a", "active;expires=600", "200", "early")
		if l := b.stands("2001", Dialog, Told); len(l.Calls) != 2 {
			t.Fatalf("%+v", l.Calls)
		}
		say("b", "terminated;reason=timeout", "200")
		if l := b.stands("2001", Dialog, Told); len(l.Calls) != 1 {
			t.Fatalf("%+v", l.Calls)
		}
		p.silent() // a fork is not begun anew
		say("c", "active;expires=600", "200")
		refreshed := map[string]bool{}
		for range 9 * 60 {
			b.after(time.Second)
			for _, m := range p.take() {
				p.Take(m)
				p.say("200\nExpires: 600")
				refreshed[m.URI] = true
			}
		}
		if !refreshed["sip:a@"+pbxAt] || !refreshed["sip:c@"+pbxAt] {
			t.Errorf("%v", refreshed)
		}
		// Who comes late has not taken up that request.
		say("d", "active;expires=600", "481")
	})
}

func TestForksAreFew(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, []device.Device{desk}, func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		p.subscribe("200\nExpires: 600")
		for n := range maxForks + 2 {
			p.say(fmt.Sprintf("NOTIFY\nFrom: <sip:2001@hq>;tag=t%d\nEvent: dialog\nSubscription-State: active;expires=600", n))
			want := "200"
			if n > maxForks {
				want = "481"
			}
			p.one(want)
		}
	})
}

// What belongs to no subscription is answered 481, what cannot be read 400 or 415; the
// subscription goes on.
func TestOddNotifies(t *testing.T) {
	start(t, func(b *bed, p *pbx, sub *siptest.Message) {
		to := sub.Header("From")
		uri := "NOTIFY sip:192.0.2.1:5060\n"
		for text, want := range map[string]string{
			uri + "Event: dialog\nSubscription-State: active":                                                              "481",
			uri + "To: <sip:a@b>;tag=x\nEvent: dialog\nSubscription-State: active":                                         "481",
			uri + "To: " + to + "\nEvent: dialog\nSubscription-State: active":                                              "481",
			uri + "To: <sip:a@b>;tag=x\nCall-ID: " + sub.Header("Call-ID") + "\nEvent: dialog\nSubscription-State: active": "481",
			"NOTIFY\nEvent: presence\nSubscription-State: active":                                                          "481",
			"NOTIFY\nEvent: dialog;sla\nSubscription-State: active":                                                        "481",
			"NOTIFY\nEvent: dialog":              "400",
			"NOTIFY\nSubscription-State: active": "400",
			"NOTIFY\nEvent: dialog\nSubscription-State: active\nContent-Type: " + accepts[Dialog] + "\n--\n<dialog-info":                       "400",
			"NOTIFY\nEvent: dialog\nSubscription-State: active\nContent-Type: text/plain\n--\non the phone":                                    "415",
			"NOTIFY\nEvent: dialog\nSubscription-State: active":                                                                                "200",
			"NOTIFY\nEvent: dialog\nSubscription-State: halted;expires=500\nContent-Type: " + accepts[Dialog] + "\n--\n" + document(9, "full"): "200",
			"NOTIFY\nRequire: future\nEvent: dialog\nSubscription-State: active":                                                               "420",
		} {
			if strings.HasPrefix(text, "NOTIFY\n") {
				text = strings.Replace(text, "\n", "\nCall-ID: "+sub.Header("Call-ID")+"\n", 1)
			}
			p.say(text)
			p.one(want)
			b.stands("2001", Dialog, Told)
		}
	})
}

// A PBX tells unasked of messages that wait; nobody else may.
func TestWaiting(t *testing.T) {
	start(t, func(b *bed, p *pbx, _ *siptest.Message) {
		const head = "NOTIFY sip:2001@192.0.2.1:5060\nEvent: message-summary\nSubscription-State: active\nContent-Type: "
		const body = "application/simple-message-summary\n--\nMessages-Waiting: yes\nVoice-Message: 2/8 (0/0)\n"
		p.say(head + body)
		p.one("200")
		if len(b.waiting) != 1 || b.waiting[0].Device.ID != "2001" || b.waiting[0].PBX != "hq" || b.waiting[0].Summary.Counts[0].New != 2 {
			t.Errorf("%+v", b.waiting)
		}
		p.say(strings.Replace(head, "2001", "rollcall", 1) + strings.Replace(body, "yes", "yes\nMessage-Account: sip:2001@hq", 1))
		p.one("200")
		if len(b.waiting) != 2 || b.waiting[1].Device.ID != "2001" {
			t.Errorf("%+v", b.waiting)
		}
		b.waiting = b.waiting[:1]
		p.say(strings.Replace(head, "2001", "2999", 1) + body)
		p.one("404")
		p.say(head + "text/plain\n--\nyes")
		p.one("415")
		p.say(head + "application/simple-message-summary\n--\nyes")
		p.one("400")
		stranger := b.peer("eve", "192.0.2.66:5060")
		stranger.say(head + body)
		stranger.one("481")
		if len(b.waiting) != 1 {
			t.Errorf("%+v", b.waiting)
		}
	})
}

// Two PBXs can be at one address.
func TestWaitingAtOneAddress(t *testing.T) {
	branch := desk
	branch.ID, branch.User, branch.Upstream = "3001", "3001", "branch"
	other := hq()
	other.Name, other.Host = "branch", "192.0.2.9:5062"
	play(t, Config{Upstreams: []Upstream{hq(), other}}, []device.Device{desk, branch}, func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		p.begin(600)
		b.mu.Lock()
		b.waiting = nil
		b.mu.Unlock()
		b.Watcher.mu.Lock()
		b.places["branch"].hosts = b.places["hq"].hosts
		b.Watcher.mu.Unlock()
		for _, user := range []string{"2001", "3001"} {
			for range 5 {
				p.say("NOTIFY sip:" + user + "@192.0.2.1:5060\nEvent: message-summary\nSubscription-State: active\nContent-Type: " +
					"application/simple-message-summary\n--\nMessages-Waiting: yes\n")
				p.one("200")
			}
		}
		for i, w := range b.waiting {
			if want := []string{"2001 hq", "3001 branch"}[i/5]; w.Device.ID+" "+w.PBX != want {
				t.Errorf("%d: %s of %s, want %s", i, w.Device.ID, w.PBX, want)
			}
		}
		if len(b.waiting) != 10 {
			t.Errorf("there are %d", len(b.waiting))
		}
	})
}

func TestNamed(t *testing.T) {
	for _, c := range []struct {
		line, name, want string
		ok               bool
	}{
		{"", "2001", "2001", true},
		{"", "", "", false},
		{"{number}", "+4930", "+4930", true},
		{"ext-{user}-a", "ext-2001-a", "2001", true},
		{"ext-{user}", "2001", "2001", false},
		{"ext-{user}", "ext-", "", false},
		{"{user}-{number}", "1-2", "1-2", false},
	} {
		u := Upstream{Line: c.line}
		if got, ok := u.user(c.name); ok != c.ok || ok && got != c.want {
			t.Errorf("%q at %q is %q, %v; want %q, %v", c.name, c.line, got, ok, c.want, c.ok)
		}
	}
}

// Nobody who sends what is none of it changes anything.
func FuzzNotified(f *testing.F) {
	f.Add("dialog", "active;expires=600", accepts[Dialog], document(1, "partial", "confirmed"))
	f.Add("dialog", "terminated;reason=probation;retry-after=5", "", "")
	f.Add("message-summary", "active", "application/simple-message-summary", "Messages-Waiting: yes\n")
	f.Fuzz(func(t *testing.T, event, state, kind, body string) {
		if strings.ContainsAny(event+state+kind, "\r\n\x00") {
			return
		}
		n, r := fuzzed(event, state, kind, body)
		if r == nil {
			return
		}
		w := New(Parts{Devices: nobody}, Config{})
		x := &watched{at: w.phones, device: &desk}
		g := newLeg(x, Dialog, time.Hour)
		g.begin()
		g.callID, g.local = r.CallID(), r.To().Tag()
		x.legs[Dialog], w.calls[g.callID] = g, g
		if status := w.notified(r, n); status == 200 && g.told && g.m.Standing == 0 {
			t.Errorf("told without being in force: %+v", g)
		}
	})
}
