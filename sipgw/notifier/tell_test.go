package notifier

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/event"
	"rollcall/sipgw/mwi"
	"rollcall/sipgw/profile"
	"rollcall/sipgw/reginfo"
)

// A chat user's state is told by level.
func TestPresence(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.levels["hidden@x"], b.levels["basic@x"], b.levels["detail@x"] = presence.Hidden, presence.Basic, presence.Detail
		p := b.phone("2001")
		for _, tt := range []struct {
			who  presence.Subject
			open []string
			dnd  []string
		}{
			{"hidden@x", nil, nil},
			{"basic@x", []string{"<basic>open</basic>", "!<note", "!activities"}, []string{"<show xmlns=\"jabber:client\">dnd</show>", "<rpid:busy/>", "!<note"}},
			{"status@x", []string{"<basic>open</basic>", "!activities", "!timestamp"}, []string{"dnd</show>", "<rpid:busy/>", "<note xml:lang=\"en\">Do not disturb</note>"}},
			{"detail@x", []string{"<basic>open</basic>", `<tuple id="ID-desk">`, "<timestamp>"}, []string{"dnd</show>", "Do not disturb since"}},
		} {
			p.subscribes("sip:"+string(tt.who), "presence")
			b.has(p.told("active;expires="), "<basic>closed</basic>", `entity="sip:`+string(tt.who)+`"`)
			b.online(tt.who, "available")
			if tt.open == nil {
				p.nothing() // and no sign that there would be something
				b.online(tt.who, "dnd")
				p.nothing()
				continue
			}
			b.has(p.told("active"), tt.open...)
			b.online(tt.who, "dnd")
			b.has(p.told("active"), tt.dnd...)
			b.online(tt.who, "dnd")
			p.nothing() // what is the same is not said again
			b.says(tt.who, presence.Person, "client/desk")
			b.has(p.told("active"), "<basic>closed</basic>", "!ID-desk")
		}
	})
}

// From level detail on there is a tuple for each client and phone.
func TestEach(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.levels["alice@x"] = presence.Detail
		b.says("alice@x", presence.Person, "client/desk", presence.Contribution{
			Axis: presence.Willingness, State: "available", Channels: presence.Chat, Facets: presence.Facets{Priority: 5, Text: "here"},
		})
		b.says("alice@x", presence.Person, "phone/2001",
			presence.Contribution{Axis: presence.Reachability, Channels: presence.Voice, Facets: presence.Facets{Device: "Desk phone"}},
			presence.Contribution{Axis: presence.Engagement, State: "on_call", Channels: presence.Voice})
		b.says("alice@x", presence.Person, "manual", presence.Contribution{Axis: presence.Willingness, State: "dnd"})
		b.says("alice@x", presence.Person, "client/gone", presence.Contribution{Axis: presence.Willingness, State: "idle"})
		p := b.phone("2002")
		p.subscribes("sip:alice@x", "presence")
		m := b.has(p.told("active"), `<tuple id="ID-desk">`, `<tuple id="ID-2001">`, "Desk phone", "!ID-gone", "!ID-manual")
		if strings.Count(m.Body, "<tuple") != 3 || strings.Index(m.Body, "ID-merged") > strings.Index(m.Body, "ID-desk") {
			t.Error(m.Raw)
		}
		p.subscribes("sip:alice@x", "presence", "User-Agent: snom")
		b.has(p.told("active"), "!ID-desk")
	})
}

// Old phones get xpidf if they ask for it, and some if they only accept it.
func TestTypes(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.online("alice@x", "dnd")
		both := "Accept: application/pidf+xml, application/xpidf+xml"
		p := b.phone("2001")
		for _, tt := range []struct{ agent, accept, want string }{
			{"Phone/1", "Accept: application/xpidf+xml", "application/xpidf+xml"},
			{"Phone/1", both, "application/pidf+xml"},
			{"Phone/1", "Accept: */*", "application/pidf+xml"},
			{"PolycomSoundPointIP-SPIP_650-UA/3.3", both, "application/xpidf+xml"},
			{"PolycomSoundPointIP-SPIP_650-UA/3.3", "Accept: application/pidf+xml", "application/pidf+xml"},
			{"PolycomSoundPointIP-SPIP_650-UA/3.3", "Supported: eventlist", "application/pidf+xml"},
		} {
			p.subscribes("sip:alice@x", "presence", tt.accept, "User-Agent: "+tt.agent)
			if m := p.told("active"); m.Header("Content-Type") != tt.want {
				t.Errorf("%+v: %s", tt, m.Raw)
			}
		}
		p.subscribes("sip:alice@x", "presence", "Accept-Language: fr, de-AT;q=0.8")
		b.has(p.told("active"), `xml:lang="de"`)
	})
}

// Who was in a call before a restart is in one until somebody who knows has spoken: not
// who is in none, nor who does something else.
func TestRemembered(t *testing.T) {
	n := New(Parts{Catalogue: presence.DefaultCatalogue}, Config{LampsForPeople: true})
	for _, tt := range []struct {
		name  string
		level presence.Level
		kind  presence.Kind
		said  []presence.Contribution
		lit   bool
	}{
		{"in a call", presence.Status, presence.Device, []presence.Contribution{{State: "on_call", Stale: true}}, true},
		{"in a call as a person", presence.Basic, presence.Person, []presence.Contribution{{State: "available", Stale: true}, {State: "on_call", Stale: true}}, true},
		{"who sees nothing", presence.Hidden, presence.Device, []presence.Contribution{{State: "on_call", Stale: true}}, false},
		{"it is known better", presence.Status, presence.Device, []presence.Contribution{{State: "on_call"}}, false},
		{"in no call", presence.Status, presence.Device, []presence.Contribution{{State: "degraded", Stale: true}}, false},
		{"nothing", presence.Status, presence.Device, nil, false},
	} {
		e := &presence.Effective{Kind: tt.kind, State: "idle", Channels: presence.Voice, All: tt.said}
		l := &look{entity: "sip:2002@x", level: tt.level, profile: profile.Default().For("")}
		if d := n.writeDialog(l, &facts{state: e}, time.Now()); strings.Contains(string(d.body), "confirmed") != tt.lit {
			t.Errorf("%s: %s", tt.name, d.body)
		}
	}
}

// A lamp follows the calls of a device, as far as the level goes.
func TestDialogs(t *testing.T) {
	for _, tt := range []struct {
		level            presence.Level
		ringing, talking []string
	}{
		{presence.Basic, nil, []string{`<dialog id="line"><state>confirmed</state></dialog>`}},
		{presence.Status, []string{`<dialog id="line"><state>early</state></dialog>`}, []string{`<state>confirmed</state></dialog>`, "!pstn"}},
		{presence.Detail, []string{`direction="recipient"`, "<duration>0<"}, []string{"<state>confirmed", "!pstn"}},
		{presence.Full, []string{`id="c1"`, `call-id="call-c1"`, `local-tag="l"`, `remote-tag="r"`, "sip:+4930@pstn.x"}, []string{"<state>confirmed"}},
	} {
		play(t, Config{}, func(b *bed) {
			b.levels["2002@phones.x"] = tt.level
			b.registered("2002@phones.x", true)
			p := b.phone("2001")
			p.subscribes("sip:2002@phones.x", "dialog")
			version := 0
			told := func(texts ...string) {
				t.Helper()
				b.has(p.told("active"), append(texts, fmt.Sprintf(`version="%d" state="full" entity="sip:2002@phones.x"`, version))...)
				version++
			}
			told("!<dialog ")
			b.talks("2002@phones.x", call("c1", dialoginfo.Early, dialoginfo.Recipient))
			if tt.ringing == nil {
				p.nothing()
			} else {
				told(tt.ringing...)
			}
			b.talks("2002@phones.x", call("c1", dialoginfo.Confirmed, dialoginfo.Recipient))
			told(tt.talking...)
			after(time.Minute)
			b.talks("2002@phones.x", b.calls["2002@phones.x"]...)
			p.nothing() // that time passes is no news
			p.say("SUBSCRIBE\nEvent: dialog")
			if tt.level >= presence.Detail {
				told("<duration>60<")
			} else {
				told()
			}
			after(time.Minute)
			p.say("SUBSCRIBE\nEvent: dialog")
			if tt.level >= presence.Detail {
				told("<duration>120<")
			} else {
				told()
			}
			b.talks("2002@phones.x")
			told("!<dialog ")
		})
	}
}

// What is said of a phone that cannot be reached, and of people, depends on who looks.
func TestLamps(t *testing.T) {
	play(t, Config{LampsForPeople: true}, func(b *bed) {
		b.registered("2002@phones.x", false)
		b.online("alice@x", "dnd")
		b.n.parts.Profiles = profile.Default().With([]profile.Profile{
			{Name: "dim", Match: []string{"Dim"}, Offline: profile.Terminate}, {Name: "lit", Match: []string{"Lit"}, Offline: profile.Busy},
		})
		p := b.phone("2001")
		for _, tt := range []struct {
			uri, agent, state string
			texts             []string
		}{
			{"sip:2002@phones.x", "Phone", "active", []string{"!<dialog "}},
			{"sip:2002@phones.x", "Yealink SIP-T46S", "active", []string{`<dialog id="0000"><state>terminated</state>`}},
			{"sip:2002@phones.x", "Dim", "terminated;reason=noresource", nil},
			{"sip:2002@phones.x", "Lit", "active", []string{`<dialog id="line"><state>confirmed</state>`}},
			{"sip:hidden@phones.x", "Phone", "active", []string{"!<dialog "}},
			{"sip:alice@x", "Phone", "active", []string{`<dialog id="line"><state>confirmed</state>`}},
		} {
			p.subscribes(tt.uri, "dialog", "User-Agent: "+tt.agent)
			b.has(p.told(tt.state), tt.texts...)
		}
		p.subscribes("sip:alice@x", "dialog")
		p.Forget()
		b.online("alice@x", "available")
		b.has(p.told("active"), "!<dialog ")
		// It is lost while it is watched.
		b.registered("2002@phones.x", true)
		b.has(p.told("active"), "!<dialog ")
		p.subscribes("sip:2002@phones.x", "dialog", "User-Agent: Dim")
		p.told("active")
		b.registered("2002@phones.x", false)
		if m := p.told("terminated;reason=noresource"); m.Body != "" || b.n.Count() != 2 {
			t.Error(b.n.Count(), m.Raw)
		}
	})
}

func TestRegistrations(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		me := presence.Subject("2001@phones.x")
		b.bindings[me] = reginfo.Registration{AOR: "sip:2001@phones.x", ID: "a", State: reginfo.Init}
		p := b.phone("2001")
		if res := p.subscribes("sip:2001@phones.x", "reg"); res.Header("Expires") != "3761" {
			t.Error(res.Raw)
		}
		b.has(p.told("active"), `version="0" state="full"`, `state="init"`)
		b.set(func() {
			b.bindings[me] = reginfo.Registration{AOR: "sip:2001@phones.x", ID: "a", State: reginfo.Active, Contacts: []reginfo.Contact{{
				ID: "1", State: reginfo.Active, Event: reginfo.Registered, URI: "sip:2001@192.0.2.49", Expires: time.Hour, Duration: 0,
			}}}
		})
		b.n.Changed("reg", me)
		b.has(p.told("active"), `version="1"`, `event="registered"`, `expires="3600"`)
		after(time.Minute)
		b.n.Changed("reg", me)
		p.nothing()
		after(time.Minute)
		p.say("SUBSCRIBE\nEvent: reg")
		b.has(p.told("active"), `duration-registered="60"`, `expires="3540"`)
	})
}

func TestWaiting(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.owners["2001"] = "alice@x"
		p := b.phone("2001")
		p.subscribes("sip:alice@x", "message-summary", "User-Agent: SMT-i5343")
		b.has(p.told("active"), "Messages-Waiting: no\r\n", "Voice-Message: 0/0 (0/0)\r\n")
		s := mwi.Summary{Waiting: true}
		s.Counts[mwi.Text] = mwi.Count{New: 2, Known: true}
		b.set(func() { b.waiting["alice@x"] = s })
		b.n.Changed("message-summary", "alice@x", "bob@x")
		b.has(p.told("active"), "Messages-Waiting: yes\r\n", "Text-Message: 2/0 (0/0)\r\n")
		after(2 * time.Hour)
		b.has(p.told("terminated"), "Messages-Waiting") // which this make wants
		p.subscribes("sip:2001@phones.x", "message-summary")
		p.told("active") // those of the device itself
	})
}

// Who goes takes nothing from those who stay.
func TestLeaving(t *testing.T) {
	play(t, Config{LampsForPeople: true}, func(b *bed) {
		p := b.phone("2001")
		p.subscribes("sip:alice@x", "presence")
		p.told("active")
		for range 2 {
			p.subscribes("sip:alice@x", "dialog")
			p.told("active")
			p.say("SUBSCRIBE\nEvent: dialog\nExpires: 0")
			p.told("terminated")
		}
		b.online("alice@x", "dnd")
		b.has(p.told("active"), "dnd")
	})
}

// Somebody has to be asked, and says yes, and takes it back.
func TestApproval(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.online("shy@x", "dnd")
		b.said["shy@x"] = event.Undecided
		p := b.phone("2001")
		p.subscribes("sip:shy@x", "presence")
		if m := p.told("pending"); m.Body != "" {
			t.Error(m.Raw)
		}
		b.online("shy@x", "available")
		p.nothing()
		p.subscribes("sip:shy@x", "dialog", "Expires: 0")
		if m := p.told("terminated"); m.Body != "" {
			t.Error(m.Raw)
		}
		b.n.Recheck("2001@phones.x", "shy@x")
		p.nothing()
		b.set(func() { b.said["shy@x"] = event.Allowed })
		b.n.Recheck("someone@else", "shy@x")
		p.nothing()
		b.n.Recheck("2001@phones.x", "shy@x")
		b.has(p.told("active"), "<basic>open</basic>")
		b.set(func() { b.said["shy@x"] = event.Refused })
		b.n.Recheck("", "")
		if m := p.told("terminated;reason=rejected"); m.Body != "" {
			t.Error(m.Raw)
		}
		if b.n.Count() != 0 {
			t.Error("it is still there")
		}
	})
}

// Rules change, and whom that concerns is told.
func TestLevels(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.online("alice@x", "dnd")
		p := b.phone("2001")
		p.subscribes("sip:alice@x", "presence")
		b.has(p.told("active"), "Do not disturb")
		for _, tt := range []struct {
			level presence.Level
			text  string
		}{{presence.Basic, "!Do not disturb"}, {presence.Hidden, "<basic>closed</basic>"}, {presence.Full, "since"}} {
			b.set(func() { b.levels["alice@x"] = tt.level })
			b.n.Recheck("", "alice@x")
			b.has(p.told("active"), tt.text)
		}
		q := b.phone("2002")
		q.subscribes("sip:alice@x", "reg")
		b.has(q.told("active"), "reginfo")
		q.subscribes("sip:alice@x", "dialog")
		q.told("active")
		p.Forget()
		b.set(func() { b.levels["alice@x"] = presence.Hidden })
		b.n.Recheck("", "")
		b.has(p.told("active"), "closed")
		for range 2 {
			m := q.Unread()[0]
			q.Take(m)
			if m.Header("Subscription-State") != "terminated;reason=rejected" || m.Body != "" {
				t.Error(m.Raw)
			}
		}
	})
}

// However often things change, a watcher hears as often as the package allows, and of
// the latest state.
func TestPace(t *testing.T) {
	play(t, Config{Pace: UsualPace}, func(b *bed) {
		b.registered("2002@phones.x", true)
		p := b.phone("2001")
		p.subscribes("sip:2002@phones.x", "dialog")
		p.told("active")
		for i := range 9 {
			after(100 * time.Millisecond)
			b.talks("2002@phones.x", call(fmt.Sprint(i), dialoginfo.State(3+i%2), dialoginfo.Recipient))
		}
		p.nothing()
		after(100 * time.Millisecond)
		b.has(p.told("active"), "early")
		b.talks("2002@phones.x")
		b.talks("2002@phones.x", call("8", dialoginfo.Early, dialoginfo.Recipient))
		after(time.Minute)
		p.nothing() // it is as it was
		b.talks("2002@phones.x")
		b.has(p.told("active"), "!<dialog ") // after a rest it is told at once

		q := b.phone("2003")
		q.subscribes("sip:2002@phones.x", "dialog;max-rate=0.1")
		q.told("active")
		b.talks("2002@phones.x", call("9", dialoginfo.Confirmed, dialoginfo.Recipient))
		after(9 * time.Second)
		q.nothing()
		after(time.Second)
		q.told("active")
	})
}

// That a help point is lost is told within a second.
func TestCritical(t *testing.T) {
	play(t, Config{Pace: UsualPace}, func(b *bed) {
		p := b.phone("2001")
		b.levels["help@phones.x"] = presence.Full
		p.subscribes("sip:help@phones.x", "presence")
		p.told("active")
		e := &presence.Effective{Subject: "help@phones.x", Kind: presence.Device, Critical: true, State: "idle", Channels: presence.Voice}
		lost := *e
		lost.State, lost.Channels = presence.Offline, 0
		fake := states{e}
		b.n.parts.States = &fake
		tell := func() {
			b.n.inbox.put(b.n.packs[0], []presence.Subject{"help@phones.x"})
			synctest.Wait()
		}
		after(5 * time.Second)
		tell()
		b.has(p.told("active"), "<basic>open</basic>")
		after(100 * time.Millisecond)
		fake.e = &lost
		tell()
		p.nothing()
		after(900 * time.Millisecond)
		b.has(p.told("active"), "<basic>closed</basic>")
		after(100 * time.Millisecond)
		fake.e = e
		tell() // that it is back is not that urgent
		after(4 * time.Second)
		p.nothing()
		after(time.Second)
		b.has(p.told("active"), "<basic>open</basic>")
	})
}

type states struct{ e *presence.Effective }

func (s *states) State(presence.Subject) *presence.Effective { return s.e }

// While an answer is awaited nothing else is sent; afterwards the latest is.
func TestOneAtATime(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		p := b.phone("2001", manual)
		p.subscribes("sip:alice@x", "presence")
		first := p.told("active")
		b.online("alice@x", "available")
		b.online("alice@x", "dnd")
		p.nothing()
		p.Take(first)
		p.answers("200")
		second := b.has(p.told("active"), "dnd")
		// A refresh is told at once. What was on its way before is of no account.
		p.say("SUBSCRIBE\nEvent: presence")
		third := b.has(p.told("active"), "dnd")
		b.online("alice@x", "available")
		p.Take(second)
		p.answers("481")
		p.nothing()
		p.Take(third)
		p.answers("200")
		b.has(p.told("active"), "!dnd")
	})
}

// answers answers what was taken last.
func (p *phone) answers(lines ...string) {
	p.b.t.Helper()
	m := must(p.b.t, strings.Join(lines, "\n"))
	if err := p.Say(m); err != nil {
		p.b.t.Fatal(err)
	}
	synctest.Wait()
}

// A NOTIFY that is lost suspends, and is tried again; or when the phone is back.
func TestLost(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		p := b.phone("2001")
		p.subscribes("sip:alice@x", "presence", "Expires: 7200")
		p.told("active")
		p.say("INFO sip:192.0.2.1")
		cut := func(is bool) {
			b.net.Lose(func(_, to netip.AddrPort, _ []byte) bool { return is && to.Addr() == netip.MustParseAddr("192.0.2.49") })
		}
		cut(true)
		b.online("alice@x", "available")
		after(33 * time.Second)
		b.online("alice@x", "dnd")
		cut(false)
		p.nothing() // it is waited
		after(12 * time.Second)
		b.has(p.told("active"), "dnd")

		cut(true)
		b.online("alice@x", "available")
		after(33 * time.Second)
		cut(false)
		b.n.Registered("2001", "sip:2001@192.0.2.49:5060", "", b.flow(p))
		b.has(p.told("active"), "!dnd")
		b.n.Registered("2001", "sip:2001@192.0.2.49:5060", "", b.flow(p))
		p.nothing()

		cut(true)
		b.online("alice@x", "dnd")
		after(2 * time.Hour)
		if b.n.Count() != 0 {
			t.Error("it never ends")
		}
	})
}

// What a phone answers decides what becomes of its subscription (RFC 6665 §4.2.2).
func TestAnswers(t *testing.T) {
	for answer, stays := range map[string]bool{
		"200": true, "500": true, "503\nRetry-After: 100": true, "408": true, "481": false, "489": false, "404": false, "604": false,
	} {
		play(t, Config{}, func(b *bed) {
			p := b.phone("2001", manual)
			p.subscribes("sip:alice@x", "presence")
			p.told("active")
			p.answers(answer)
			if (b.n.Count() == 1) != stays {
				t.Errorf("%s: %d subscriptions", answer, b.n.Count())
			}
			b.online("alice@x", "dnd")
			if answer == "200" {
				p.told("active")
			} else {
				p.nothing()
			}
			wait := 12 * time.Second
			if strings.Contains(answer, "Retry") {
				after(wait)
				p.nothing()
				wait = 90 * time.Second
			}
			after(wait)
			if got := len(p.Unread()); answer != "200" && (got == 1) != stays {
				t.Errorf("%s: %d more", answer, got)
			}
		})
	}
}

// A phone whose connection is gone is told on the next one.
func TestConnection(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		p := b.phone("2001", overTCP)
		p.subscribes("sip:alice@x", "presence")
		first := p.told("active")
		p.Close()
		b.online("alice@x", "dnd")
		after(time.Minute)
		// It may be called where it says that it is.
		l, err := b.net.Listen("192.0.2.49:5060")
		if err != nil {
			t.Fatal(err)
		}
		after(time.Minute)
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 6)
		if _, err := io.ReadFull(nc, head); err != nil || string(head) != "NOTIFY" {
			t.Fatalf("%q %v", head, err)
		}
		nc.Close()
		l.Close()
		after(time.Minute)
		q := b.phone("2001", overTCP)
		if res := q.say("INFO sip:192.0.2.1"); res.Status != 200 {
			t.Fatal(res.Raw)
		}
		b.n.Registered("2001", "sip:2001@192.0.2.49:5060;transport=tcp", "", b.flow(q))
		b.has(q.told("active"), "dnd")
		// A refresh by another connection has it told on that.
		q.Close()
		r := b.phone("2001", overTCP)
		if res := r.say("SUBSCRIBE sip:gw\nEvent: presence\nCSeq: 99 SUBSCRIBE\nCall-ID: " + first.Header("Call-ID") +
			"\nFrom: " + first.Header("To") + "\nTo: " + first.Header("From")); res.Status != 200 {
			t.Fatal(res.Raw)
		}
		r.told("active")
		b.online("alice@x", "available")
		b.has(r.told("active"), "!dnd")
	})
}

// Who stops for good tells everybody to ask again.
func TestStop(t *testing.T) {
	for _, end := range []bool{true, false} {
		play(t, Config{EndOnStop: end}, func(b *bed) {
			p, q := b.phone("2001"), b.phone("2002")
			p.subscribes("sip:alice@x", "presence")
			q.subscribes("sip:alice@x", "dialog")
			p.Forget()
			q.Forget()
			b.stop()
			if !end {
				p.nothing()
				return
			}
			p.told("terminated;reason=deactivated")
			q.told("terminated;reason=deactivated")
		})
	}
}
