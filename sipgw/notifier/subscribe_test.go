package notifier

import (
	"strings"
	"testing"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/event"
)

// What each SUBSCRIBE is answered, and whether a NOTIFY follows.
func TestSubscribeAnswers(t *testing.T) {
	ok := "SUBSCRIBE sip:alice@x\nEvent: presence\n"
	tests := []struct {
		name, text string
		status     int
		fields     map[string]string
		notify     string // how Subscription-State begins, "" is no NOTIFY
	}{
		{"granted", ok, 200, map[string]string{"Expires": "3600", "Contact": "<sip:192.0.2.1:5060>"}, "active;expires=3600"},
		{"by a short name", "SUBSCRIBE sip:alice@x\no: presence", 200, nil, "active"},
		{"with an id", "SUBSCRIBE sip:alice@x\nEvent: presence;id=7", 200, nil, "active"},
		{"no longer than a day", ok + "Expires: 9999999", 200, map[string]string{"Expires": "86400"}, "active;expires=86400"},
		{"once", ok + "Expires: 0", 200, map[string]string{"Expires": "0"}, "terminated;reason=timeout"},
		{"too short", ok + "Expires: 59", 423, map[string]string{"Min-Expires": "60"}, ""},
		{"no number", ok + "Expires: soon", 400, nil, ""},
		{"no event", "SUBSCRIBE sip:alice@x", 489, map[string]string{"Allow-Events": "presence, dialog, reg, message-summary"}, ""},
		{"an unknown event", "SUBSCRIBE sip:alice@x\nEvent: refer", 489, nil, ""},
		{"a template", "SUBSCRIBE sip:alice@x\nEvent: presence.winfo", 489, nil, ""},
		{"shared lines", "SUBSCRIBE sip:alice@x\nEvent: dialog;sla", 489, nil, ""},
		{"managed lines", "SUBSCRIBE sip:alice@x\nEvent: dialog;ma", 489, nil, ""},
		{"a bad event", "SUBSCRIBE sip:alice@x\nEvent: ;id", 400, nil, ""},
		{"a body", ok + "Content-Type: application/simple-filter+xml\n--\n<filter-set/>", 415, map[string]string{"Accept": ""}, ""},
		{"another type", ok + "Accept: text/plain", 406, map[string]string{"Accept": "application/pidf+xml, application/xpidf+xml"}, ""},
		{"an id that is none", "SUBSCRIBE sip:alice@x\nEvent: presence;id=\"a b\"", 400, nil, ""},
		{"a list, and no type of its entries", "SUBSCRIBE sip:blf-none@x\nEvent: dialog\nSupported: eventlist\nAccept: application/rlmi+xml", 406, nil, ""},
		{"a list, and no type but that", "SUBSCRIBE sip:blf-none@x\nEvent: dialog\nSupported: eventlist\nAccept: multipart/related, application/rlmi+xml", 200,
			map[string]string{"Require": "eventlist"}, "active"},
		{"an empty Accept", ok + "Accept: ", 200, nil, "active"},
		{"two contacts", ok + "Contact: <sip:a@b>, <sip:c@d>", 400, nil, ""},
		{"no contact", ok + "Contact: (none)", 400, nil, ""},
		{"a contact that is none", ok + "Contact: <tel:+49>", 400, nil, ""},
		{"contact parameters", ok + "Contact: <sip:2001@192.0.2.49:5060>;expires=5", 200, map[string]string{"Expires": "3600"}, "active"},
		{"too long", ok + "Call-ID: " + strings.Repeat("a", 4096), 400, nil, ""},
		{"no text", ok + "From: \"\xff\" <sip:2001@phones.x>;tag=1", 400, nil, ""},
		{"an unknown dialog", ok + "To: <sip:alice@x>;tag=gone", 481, nil, ""},
		{"an extension", ok + "Require: recipient-list-subscribe", 420, nil, ""},
		{"elsewhere", "SUBSCRIBE sip:alice@elsewhere\nEvent: presence", 404, nil, ""},
		{"no list of that name", "SUBSCRIBE sip:blf-no@x\nEvent: dialog\nSupported: eventlist", 404, nil, ""},
		{"somebody unknown", ok + "From: <sip:nobody@x>;tag=1", 401, nil, ""},
		{"somebody who is nobody", ok + "From: <sip:stranger@x>;tag=1", 403, nil, ""},
		{"blocked, politely", "SUBSCRIBE sip:hidden@x\nEvent: presence", 200, nil, "active"},
		{"blocked calls", "SUBSCRIBE sip:hidden@x\nEvent: dialog", 403, nil, ""},
		{"asked", "SUBSCRIBE sip:shy@x\nEvent: presence", 200, nil, "pending;expires=3600"},
		{"refused", "SUBSCRIBE sip:proud@x\nEvent: presence", 403, nil, ""},
		{"another's registrations", "SUBSCRIBE sip:alice@x\nEvent: reg", 403, nil, ""},
		{"another's messages", "SUBSCRIBE sip:alice@x\nEvent: message-summary", 403, nil, ""},
		{"one's own messages", "SUBSCRIBE sip:2001@phones.x\nEvent: message-summary", 200, nil, "active"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, Config{}, func(b *bed) {
				b.levels["hidden@x"] = presence.Hidden
				b.groups["none"] = nil
				b.said["shy@x"], b.said["proud@x"] = event.Undecided, event.Refused
				p := b.phone("2001")
				res := p.say(strings.TrimSuffix(tt.text, "\n"))
				if res.Status != tt.status {
					t.Fatalf("%s", res.Raw)
				}
				for name, want := range tt.fields {
					if got := res.Header(name); got != want || len(res.Values(name)) != 1 {
						t.Errorf("%s: %q, not %q", name, got, want)
					}
				}
				if tt.notify == "" {
					p.nothing()
					return
				}
				p.told(tt.notify)
			})
		})
	}
}

// A NOTIFY has what makes it one of the dialog (RFC 6665 §4.4.1, RFC 3261 §12.2.1.1).
func TestDialog(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		p := b.phone("2001")
		res := p.subscribes("sip:alice@x;user=phone", "presence;id=7", `To: "Al" <sip:alice@x;user=phone>`, `From: "Me" <sip:2001@phones.x>;tag=mine`,
			"Record-Route: <sip:192.0.2.49:5060;lr;n=1>, <sip:p2.x;lr>")
		m := p.told("active")
		b.has(m, `entity="sip:alice@x;user=phone"`, "<basic>closed</basic>")
		for name, want := range map[string]string{
			"From": res.Header("To"), "To": `"Me" <sip:2001@phones.x>;tag=mine`, "Call-ID": res.Header("Call-ID"), "CSeq": "1 NOTIFY",
			"Event": "presence;id=7", "Contact": "<sip:192.0.2.1:5060>", "Content-Type": "application/pidf+xml", "Max-Forwards": "70",
		} {
			if got := m.Header(name); got != want {
				t.Errorf("%s: %q, not %q", name, got, want)
			}
		}
		if got := strings.Join(m.Values("Route"), " "); got != "<sip:192.0.2.49:5060;lr;n=1> <sip:p2.x;lr>" || m.URI != "sip:2001@192.0.2.49:5060" {
			t.Errorf("to %s by %s", m.URI, got)
		}
		// A refresh moves the contact, and is told everything again.
		if res := p.say("SUBSCRIBE\nEvent: presence;id=7\nExpires: 600\nContact: <sip:new@192.0.2.49:5060>"); res.Status != 200 || res.Header("Expires") != "600" {
			t.Fatal(res.Raw)
		}
		if m := p.told("active;expires=600"); m.URI != "sip:new@192.0.2.49:5060" || m.Header("CSeq") != "2 NOTIFY" {
			t.Error(m.Raw)
		}
		for _, bad := range []struct {
			fields string
			status int
		}{
			{"Event: dialog", 481}, {"Event: presence", 481}, {"Event: presence;id=7\nCSeq: 1 SUBSCRIBE", 500},
			{"Event: presence;id=7\nFrom: <sip:2002@phones.x>;tag=mine", 403},
		} {
			if res := p.say("SUBSCRIBE\n" + bad.fields); res.Status != bad.status {
				t.Errorf("%s: %s", bad.fields, res.Raw)
			}
			p.nothing()
		}
		if res := p.say("SUBSCRIBE\nEvent: presence;id=7\nExpires: 0"); res.Status != 200 {
			t.Fatal(res.Raw)
		}
		p.told("terminated;reason=timeout")
		if res := p.say("SUBSCRIBE\nEvent: presence;id=7"); res.Status != 481 || b.n.Count() != 0 {
			t.Error(res.Raw)
		}
	})
}

// A phone that has forgotten its subscription takes the place of itself.
func TestReplaced(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		p := b.phone("2001")
		for range 5 {
			p.subscribes("sip:alice@x", "presence")
			p.told("active")
		}
		p.subscribes("sip:alice@x", "presence", "Contact: <sip:2001@192.0.2.49:6060>;+sip.instance=\"<urn:uuid:1>\"")
		p.subscribes("sip:alice@x", "presence", "Contact: <sip:2001@192.0.2.49:7070>;+sip.instance=\"<urn:uuid:1>\"")
		p.subscribes("sip:alice@x", "presence", "Contact: <sip:other@192.0.2.49:5060>")
		p.subscribes("sip:alice@x", "dialog")
		if got := b.n.Count(); got != 4 {
			t.Errorf("%d subscriptions", got)
		}
		p.Forget()
		b.online("alice@x", "available")
		if got := len(p.Unread()); got != 3 {
			t.Errorf("%d heard of it", got)
		}
	})
}

// There is an end to how many there may be.
func TestCaps(t *testing.T) {
	play(t, Config{MaxSubscriptions: 5, MaxPerWatcher: 3, MaxPerSubject: 2}, func(b *bed) {
		p, q, r := b.phone("2001"), b.phone("2002"), b.phone("2003")
		try := func(p *phone, user string, status int) {
			t.Helper()
			res := p.say("SUBSCRIBE sip:" + user + "@x\nEvent: presence")
			if res.Status != status || (status == 503) != (res.Header("Retry-After") != "") {
				t.Errorf("%s: %s", user, res.Raw)
			}
			p.Forget()
		}
		try(p, "a", 200)
		try(q, "a", 200)
		try(r, "a", 503) // two watch a
		try(p, "a", 200) // and one who has forgotten
		try(p, "b", 200)
		try(p, "c", 200)
		try(p, "d", 503) // three are p's
		try(q, "d", 200)
		try(q, "e", 503) // five are all
		b.n.mu.Lock()
		defer b.n.mu.Unlock()
		if len(b.n.topics) != 4 || len(b.n.byUser) != 2 {
			t.Errorf("%d topics, %d users", len(b.n.topics), len(b.n.byUser))
		}
	})
}

// Everybody goes, and nothing is left.
func TestNothingIsLeft(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		b.groups["all"] = []Member{{"2001@phones.x", "sip:2001@phones.x", ""}, {"alice@x", "sip:alice@x", "Alice"}}
		p := b.phone("2001")
		p.subscribes("sip:alice@x", "presence")
		p.subscribes("sip:alice@x", "dialog", "Expires: 0")
		p.subscribes("sip:blf-all@x", "dialog", "Supported: eventlist", "Expires: 120")
		p.subscribes("sip:blf-all@x", "presence", "Supported: eventlist", "Expires: 0")
		p.Forget()
		after(119 * time.Second)
		p.nothing()
		after(time.Second)
		p.told("terminated;reason=timeout")
		after(time.Hour)
		p.told("terminated;reason=timeout")
		n := b.n
		n.mu.Lock()
		defer n.mu.Unlock()
		if got := len(n.topics) + len(n.dialogs) + len(n.byTicket) + len(n.byUser) + len(n.due.all) + n.entries; got != 0 {
			t.Errorf("%+v", n)
		}
	})
}
