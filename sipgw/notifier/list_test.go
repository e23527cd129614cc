package notifier

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/event"
	"rollcall/sipgw/rlmi"
	"rollcall/sipgw/siptest"
)

// panel is a phone with a subscription to a list of ten devices.
func panel(b *bed, more ...func(*siptest.Options)) *phone {
	var members []Member
	for i := range 10 {
		s := presence.Subject(fmt.Sprintf("%d@phones.x", 3000+i))
		b.registered(s, true)
		members = append(members, Member{s, "sip:" + string(s), fmt.Sprint("Phone ", i)})
	}
	b.set(func() { b.groups["all"] = members })
	p := b.phone("2001", more...)
	p.subscribes("sip:blf-all@x", "dialog", "Supported: eventlist", "Accept: application/dialog-info+xml, application/rlmi+xml, multipart/related")
	return p
}

// lists is a NOTIFY of a list, taken apart.
func (p *phone) lists() *rlmi.Notification {
	p.b.t.Helper()
	m := p.told("active")
	n, err := rlmi.Parse(m.Header("Content-Type"), []byte(m.Body))
	if err != nil || m.Header("Require") != "eventlist" || n.List.URI != "sip:blf-all@x" {
		p.b.t.Fatalf("%v in\n%s", err, m.Raw)
	}
	for _, r := range n.List.Resources {
		for _, i := range r.Instances {
			if part := n.Part(i.CID); (i.State == event.Active) != (part != nil) || part != nil && part.Type != dialoginfo.ContentType {
				p.b.t.Errorf("%s: %+v in\n%s", r.URI, part, m.Raw)
			}
		}
	}
	return n
}

// shows fails unless a list is of this version and has these resources.
func (b *bed) shows(n *rlmi.Notification, version uint32, full bool, uris ...string) {
	b.t.Helper()
	var got []string
	for _, r := range n.List.Resources {
		got = append(got, r.URI)
	}
	if n.List.Version != version || n.List.Full != full || len(uris) > 0 && !slices.Equal(got, uris) {
		b.t.Errorf("version %d, full %v: %v", n.List.Version, n.List.Full, got)
	}
}

// One SUBSCRIBE lights a whole panel.
func TestList(t *testing.T) {
	play(t, Config{Pace: UsualPace}, func(b *bed) {
		b.levels["3004@phones.x"] = presence.Hidden
		b.said["3005@phones.x"] = event.Undecided
		p := panel(b)
		n := p.lists()
		b.shows(n, 0, true)
		if len(n.List.Resources) != 10 || len(n.Parts) != 8 || n.List.Resources[3].Name != "Phone 3" {
			t.Errorf("%+v", n.List)
		}
		if i := n.List.Resources[4].Instances[0]; i.State != event.Terminated || i.Reason != event.Rejected {
			t.Errorf("%+v", i)
		}
		if i := n.List.Resources[5].Instances[0]; i.State != event.Pending {
			t.Errorf("%+v", i)
		}
		after(time.Second)
		b.talks("3001@phones.x", call("1", dialoginfo.Early, dialoginfo.Recipient))
		n = p.lists()
		b.shows(n, 1, false, "sip:3001@phones.x")
		d, err := dialoginfo.Parse(n.Parts[0].Body)
		if err != nil || d.Entity != "sip:3001@phones.x" || d.Version != 1 || d.Dialogs[0].State != dialoginfo.Early {
			t.Errorf("%+v %v", d, err)
		}
		b.talks("3001@phones.x")
		b.talks("3002@phones.x", call("2", dialoginfo.Early, dialoginfo.Recipient))
		b.talks("3003@phones.x", call("3", dialoginfo.Early, dialoginfo.Recipient))
		b.talks("3003@phones.x")
		b.talks("3004@phones.x", call("4", dialoginfo.Early, dialoginfo.Recipient))
		b.talks("3005@phones.x", call("5", dialoginfo.Early, dialoginfo.Recipient))
		p.nothing()
		after(time.Second)
		b.shows(p.lists(), 2, false, "sip:3001@phones.x", "sip:3002@phones.x")
		after(time.Minute)
		p.nothing()

		p.say("SUBSCRIBE\nEvent: dialog\nSupported: eventlist\nExpires: 7200")
		b.shows(p.lists(), 3, true)
		b.set(func() { b.said["3005@phones.x"] = event.Allowed })
		b.n.Recheck("2001@phones.x", "3005@phones.x")
		after(time.Second)
		if n = p.lists(); n.List.Resources[5].Instances[0].State != event.Active {
			t.Errorf("%+v", n.List)
		}
		b.n.Recheck("", "")
		b.n.Regrouped("all")
		after(time.Second)
		p.nothing() // nothing has changed

		b.set(func() { b.groups["all"] = b.groups["all"][:2] })
		b.n.Regrouped("other")
		p.nothing()
		b.n.Regrouped("all")
		b.shows(p.lists(), 5, true, "sip:3000@phones.x", "sip:3001@phones.x")
		after(time.Second)
		b.talks("3002@phones.x")
		p.nothing()
		b.set(func() { delete(b.groups, "all") })
		b.n.Regrouped("all")
		p.told("terminated;reason=noresource")
	})
}

// What does not fit into a datagram comes in several, one after the other.
func TestListInPieces(t *testing.T) {
	for _, tt := range []struct {
		over   func(*siptest.Options)
		pieces int
	}{{func(*siptest.Options) {}, 4}, {overTCP, 1}} {
		play(t, Config{Pace: UsualPace, MaxDatagram: 1400}, func(b *bed) {
			b.online("alice@x", "available")
			p := panel(b, tt.over)
			var seen []string
			all := p.Unread()
			if len(all) != tt.pieces {
				t.Fatalf("%d pieces: %s", len(all), raws(all))
			}
			for i, m := range all {
				n, err := rlmi.Parse(m.Header("Content-Type"), []byte(m.Body))
				if err != nil || n.List.Full != (i == 0) || i == 0 && len(n.List.Resources) != 10 || i > 0 && len(n.List.Resources) != len(n.Parts) {
					t.Fatalf("%v %+v", err, n)
				}
				for _, part := range n.Parts {
					d, err := dialoginfo.Parse(part.Body)
					if err != nil {
						t.Fatal(err)
					}
					seen = append(seen, d.Entity)
				}
			}
			slices.Sort(seen)
			if len(seen) != 10 || len(slices.Compact(seen)) != 10 {
				t.Error(seen)
			}
		})
	}
}

// A list that was lost is told whole again.
func TestListLost(t *testing.T) {
	play(t, Config{}, func(b *bed) {
		p := panel(b, manual)
		first := p.lists()
		b.shows(first, 0, true)
		p.answers("500")
		b.talks("3001@phones.x", call("1", dialoginfo.Early, dialoginfo.Recipient))
		p.nothing()
		after(12 * time.Second)
		n := p.lists()
		b.shows(n, 1, true)
		if len(n.Parts) != 10 {
			t.Errorf("%+v", n.List)
		}
	})
}

// There is no list without the extension, and its entries count.
func TestListRefused(t *testing.T) {
	play(t, Config{MaxSubscriptions: 8, MaxMembers: 7}, func(b *bed) {
		b.set(func() {
			for i := range 9 {
				s := presence.Subject(fmt.Sprintf("%d@phones.x", 3000+i))
				b.groups["all"] = append(b.groups["all"], Member{s, "sip:" + string(s), ""})
			}
		})
		p, q := b.phone("2001"), b.phone("2002")
		if res := p.say("SUBSCRIBE sip:blf-all@x\nEvent: dialog"); res.Status != 421 || res.Header("Require") != "eventlist" {
			t.Error(res.Raw)
		}
		p.subscribes("sip:blf-all@x", "dialog", "Require: eventlist")
		if n := p.lists(); len(n.List.Resources) != 7 {
			t.Errorf("%+v", n.List)
		}
		if res := q.say("SUBSCRIBE sip:2001@phones.x\nEvent: dialog"); res.Status != 503 {
			t.Error(res.Raw)
		}
		if res := q.say("SUBSCRIBE sip:blf-all@x\nEvent: dialog\nSupported: eventlist"); res.Status != 503 {
			t.Error(res.Raw)
		}
		p.say("SUBSCRIBE\nEvent: dialog\nExpires: 0")
		if b.n.entries != 0 || len(b.n.topics) != 0 {
			t.Errorf("%d entries, %d topics", b.n.entries, len(b.n.topics))
		}
	})
}
