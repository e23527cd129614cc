package watcher

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/presence/device"
)

// A call begins and ends at a PBX; the subscription is refreshed before it runs out.
func TestCall(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, []device.Device{desk}, func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		sub := p.subscribe("200\nExpires: 600")
		for name, want := range map[string]string{
			"Event": "dialog", "Expires": "600", "Accept": "application/dialog-info+xml", "To": "<sip:2001@192.0.2.9:5060>",
			"CSeq": "1 SUBSCRIBE", "Contact": "<sip:192.0.2.1:5060>",
		} {
			if got := sub.Header(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		b.stands("2001", Dialog, Asked) // a 200 says nothing yet
		p.notify(sub, "active;expires=600", p.calls(sub), "200")
		l := b.stands("2001", Dialog, Told)
		if len(l.Calls) != 0 || !near(l.Words[Dialog].Until, 10*time.Minute) || l.PBX != "hq" || !l.Settled() {
			t.Errorf("%+v", l)
		}
		p.notify(sub, "active;expires=599", p.calls(sub, "early"), "200")
		p.notify(sub, "active;expires=598", p.calls(sub, "confirmed"), "200")
		if l = b.stands("2001", Dialog, Told); len(l.Calls) != 1 || l.Calls[0].State.String() != "confirmed" {
			t.Errorf("%+v", l)
		}
		p.notify(sub, "active;expires=590", p.calls(sub), "200")
		if l = b.stands("2001", Dialog, Told); len(l.Calls) != 0 {
			t.Errorf("%+v", l)
		}
		refresh := p.await("SUBSCRIBE", 7*time.Minute, 9*time.Minute) // 80 %, a tenth more or less
		p.say("200\nExpires: 600")
		if refresh.Header("Call-ID") != sub.Header("Call-ID") || !strings.Contains(refresh.Header("To"), ";tag=") || refresh.Header("CSeq") != "2 SUBSCRIBE" {
			t.Errorf("not a refresh:\n%s", refresh.Raw)
		}
		if l = b.stands("2001", Dialog, Told); !near(l.Words[Dialog].Until, 10*time.Minute) {
			t.Errorf("%+v", l)
		}
	})
}

// Whoever sends NOTIFY before the answer to SUBSCRIBE is understood (RFC 6665 §4.1.2.4).
func TestNotifyFirst(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, []device.Device{desk}, func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		sub := p.one("SUBSCRIBE")
		p.notify(sub, "active;expires=600", p.calls(sub, "confirmed"), "200")
		if l := b.stands("2001", Dialog, Told); len(l.Calls) != 1 {
			t.Errorf("%+v", l)
		}
		p.Take(sub)
		p.say("200\nExpires: 600\nCall-ID: " + sub.Header("Call-ID"))
		if l := b.stands("2001", Dialog, Told); len(l.Calls) != 1 {
			t.Errorf("%+v", l)
		}
	})
}

// What is pending is answered, and tells nothing.
func TestPending(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, []device.Device{desk}, func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		sub := p.subscribe("202\nExpires: 600")
		p.notify(sub, "pending;expires=600", p.calls(sub, "confirmed"), "200")
		b.stands("2001", Dialog, Asked)
		p.notify(sub, "active;expires=600", p.calls(sub), "200")
		b.stands("2001", Dialog, Told)
	})
}

// That there is nothing to tell is an answer, and no word of what was known: a call is
// not over, nor is a phone there. Where there was no call there is none. (RFC 6665
// §4.2.1.2, as Kamailio does)
func TestBlank(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, []device.Device{desk}, func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		sub := p.subscribe("200\nExpires: 600")
		p.notify(sub, "active;expires=600", "", "200")
		if l := b.stands("2001", Dialog, Blank); !l.Settled() || !near(l.Words[Dialog].Until, 10*time.Minute) {
			t.Errorf("%+v", l)
		}
		p.notify(sub, "active;expires=599", p.calls(sub, "confirmed"), "200")
		b.stands("2001", Dialog, Told)
		p.notify(sub, "active;expires=598", "", "200")
		b.stands("2001", Dialog, Blank)
		p.notify(sub, "active;expires=597", p.calls(sub), "200")
		p.notify(sub, "active;expires=596", "", "200")
		b.stands("2001", Dialog, Told)
		// It has been started anew, and knows nothing.
		p.notify(sub, "terminated;reason=deactivated", "", "200")
		sub = p.subscribe("200\nExpires: 600")
		b.stands("2001", Dialog, Told)
		p.notify(sub, "active;expires=600", "", "200")
		b.stands("2001", Dialog, Blank)
		b.after(20 * time.Minute)
		b.stands("2001", Dialog, Lost)
	})
}

// What each end of a subscription leads to (RFC 6665 §4.1.3).
func TestTerminated(t *testing.T) {
	for reason, want := range map[string]struct {
		again time.Duration // 0: within moments
		now   Standing
		later Standing // after 33 seconds
	}{
		"deactivated":              {0, Told, Lost},
		"timeout":                  {0, Told, Lost},
		"probation;retry-after=90": {90 * time.Second, Told, Lost},
		"giveup;retry-after=90":    {90 * time.Second, Told, Lost},
		"rejected":                 {time.Hour, Refused, Refused},
		"noresource":               {time.Hour, Absent, Absent},
		"invariant":                {time.Hour, Told, Told},
	} {
		t.Run(reason, func(t *testing.T) {
			play(t, Config{Upstreams: []Upstream{hq()}}, []device.Device{desk}, func(b *bed) {
				p := b.pbx()
				b.after(time.Millisecond)
				sub := p.begin(600)
				p.say("NOTIFY\nCall-ID: " + sub.Header("Call-ID") + "\nEvent: dialog\nSubscription-State: terminated;reason=" + reason)
				for _, m := range p.take() {
					if m.Method == "SUBSCRIBE" && want.again > 0 || m.Method == "" && m.Status != 200 {
						t.Errorf("this came:\n%s", m.Raw)
					}
				}
				b.stands("2001", Dialog, want.now)
				b.after(33 * time.Second)
				b.stands("2001", Dialog, want.later)
				p.take()
				if want.again == 0 {
					return
				}
				b.after(want.again*8/10 - 33*time.Second)
				p.silent()
				b.after(want.again * 4 / 10)
				if again := p.take(); len(again) == 0 || again[0].Header("Call-ID") == sub.Header("Call-ID") {
					t.Errorf("%v", again)
				}
			})
		})
	}
}

// What each answer to SUBSCRIBE leads to.
func TestAnswers(t *testing.T) {
	for answer, want := range map[string]struct {
		stands   Standing
		from, to time.Duration // when it is asked again
	}{
		"403":                                  {Refused, 50 * time.Minute, 70 * time.Minute},
		"489\nAllow-Events: presence":          {Refused, 50 * time.Minute, 70 * time.Minute},
		"603":                                  {Refused, 50 * time.Minute, 70 * time.Minute},
		"404":                                  {Absent, 50 * time.Second, 70 * time.Second},
		"480":                                  {Lost, 8 * time.Second, 12 * time.Second},
		"500":                                  {Lost, 8 * time.Second, 12 * time.Second},
		"503\nRetry-After: 120 (we are moved)": {Lost, 119 * time.Second, 121 * time.Second},
	} {
		t.Run(answer[:3], func(t *testing.T) {
			play(t, Config{Upstreams: []Upstream{hq()}}, []device.Device{desk}, func(b *bed) {
				p := b.pbx()
				b.after(time.Millisecond)
				p.subscribe(answer)
				b.stands("2001", Dialog, want.stands)
				b.after(want.from - time.Second)
				p.silent()
				b.after(want.to - want.from + 2*time.Second)
				if len(p.take()) == 0 {
					t.Error("it is not asked again")
				}
			})
		})
	}
}

// A PBX that wants longer subscriptions gets them.
func TestIntervalTooBrief(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}, Expires: time.Minute}, []device.Device{desk}, func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		if sub := p.subscribe("423\nMin-Expires: 3600"); sub.Header("Expires") != "60" {
			t.Error(sub.Raw)
		}
		b.after(20 * time.Millisecond)
		if sub := p.begin(3600); sub.Header("Expires") != "3600" {
			t.Error(sub.Raw)
		}
		b.stands("2001", Dialog, Told)
	})
}

// Presence and registrations are subscribed to as well.
func TestPackages(t *testing.T) {
	u := hq()
	u.Packages = []string{"presence", "reg"}
	play(t, Config{Upstreams: []Upstream{u}}, []device.Device{desk}, func(b *bed) {
		p := b.pbx()
		b.after(20 * time.Millisecond)
		for _, sub := range p.take() {
			p.Take(sub)
			p.say("200\nExpires: 600")
			switch sub.Header("Event") {
			case "presence":
				// Cisco Unified Communications Manager, of a line in a call.
				p.notify(sub, "active;expires=600", `<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:e="urn:ietf:params:xml:ns:pidf:status:rpid-status" entity="sip:2001@hq"><tuple id="1"><status><basic>closed</basic><e:activities><e:activity>busy</e:activity></e:activities></status></tuple></presence>`, "200")
			case "reg":
				p.notify(sub, "active;expires=600", `<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full"><registration aor="sip:2001@hq" id="a" state="active"><contact id="c" state="active" event="registered"><uri>sip:1</uri></contact></registration></reginfo>`, "200")
				l := b.stands("2001", Reg, Told)
				if !l.Registered {
					t.Errorf("%+v", l)
				}
				p.notify(sub, "active;expires=600", `<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="1" state="partial"><registration aor="sip:2001@hq" id="a" state="terminated"><contact id="c" state="terminated" event="expired"><uri>sip:1</uri></contact></registration></reginfo>`, "200")
			default:
				t.Errorf("%s", sub.Raw)
			}
		}
		l := b.last("2001")
		if l.Words[Dialog].Standing != Unasked || l.Heard == nil || l.Heard.State != "on_call" || l.Registered || l.Cause != "Registration lost" {
			t.Errorf("%+v %+v", l, l.Heard)
		}
	})
}

// Devices have the names that the PBX gives them.
func TestLine(t *testing.T) {
	for _, tt := range []struct {
		line, user string
		numbers    []string
		want       string
	}{
		{"", "2001", nil, "sip:2001@hq.example"},
		{"{user}", "d*1", nil, "sip:d*1@hq.example"},
		{"ext-{user}", "2001", nil, "sip:ext-2001@hq.example"},
		{"{number}", "x", []string{"2001", "+49301"}, "sip:2001@hq.example"},
		{"{number}#{user}", "x", []string{"2001"}, "sip:2001%23x@hq.example"},
		{"{number}", "x", nil, ""},
	} {
		u := Upstream{Host: "hq.example", Line: tt.line}
		if got, ok := u.line(tt.user, tt.numbers); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%+v: %q", tt, got)
		}
	}
	u := Upstream{Host: "hq.example", Transport: "tls"}
	if got := u.target("sip:1@hq.example"); got != "sip:1@hq.example;transport=tls" {
		t.Error(got)
	}
}

// A proxy is asked first, and the way that the NOTIFY came by after that.
func TestRoutes(t *testing.T) {
	u := hq()
	u.Host, u.Proxy = "hq.example", "sip:"+pbxAt
	play(t, Config{Upstreams: []Upstream{u}}, []device.Device{desk}, func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		sub := p.subscribe("200\nExpires: 600")
		if sub.URI != "sip:2001@hq.example" || sub.Header("Route") != "<sip:192.0.2.9:5060;lr>" {
			t.Error(sub.Raw)
		}
		p.say(fmt.Sprintf("NOTIFY\nEvent: dialog\nSubscription-State: active;expires=600\nContact: <sip:line@192.0.2.77>\nRecord-Route: <sip:192.0.2.9;lr>, <sip:192.0.2.10;lr>\nContent-Type: %s\n--\n%s", accepts[Dialog], p.calls(sub)))
		p.one("200")
		refresh := p.await("SUBSCRIBE", 7*time.Minute, 9*time.Minute)
		if refresh.URI != "sip:line@192.0.2.77" || fmt.Sprint(refresh.Values("Route")) != "[<sip:192.0.2.9;lr> <sip:192.0.2.10;lr>]" {
			t.Error(refresh.Raw)
		}
	})
}
