package watcher

import (
	"strings"
	"testing"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/siptest"
)

func (b *bed) set(id string, edit func(*device.Device)) {
	b.Helper()
	if _, err := b.devices.Set(b.Context(), id, func(d *device.Device) error { edit(d); return nil }); err != nil {
		b.Fatal(err)
	}
	b.after(20 * time.Millisecond)
}

// A device that is another line is subscribed to anew, and one that has another name
// only is not.
func TestDeviceChanges(t *testing.T) {
	start(t, func(b *bed, p *pbx, sub *siptest.Message) {
		b.set("2001", func(d *device.Device) { d.Name = "Ada's desk" })
		p.silent()
		if l := b.stands("2001", Dialog, Told); l.Device.Name != "Ada's desk" {
			t.Errorf("%+v", l.Device)
		}
		b.set("2001", func(d *device.Device) { d.User = "2099" })
		ended, begun := false, false
		for _, m := range p.take() {
			same := m.Header("Call-ID") == sub.Header("Call-ID")
			switch {
			case same && m.Header("Expires") == "0":
				ended = true
			case !same && m.Header("To") == "<sip:2099@192.0.2.9:5060>":
				begun = true
				p.Take(m)
				p.say("200\nExpires: 600")
				p.notify(m, "active;expires=600", p.calls(m), "200")
			default:
				t.Errorf("this came:\n%s", m.Raw)
			}
		}
		if !ended || !begun {
			t.Errorf("ended %v, begun %v", ended, begun)
		}
		b.stands("2001", Dialog, Told)
		b.set("2001", func(d *device.Device) { d.Disabled = true })
		if m := p.one("SUBSCRIBE"); m.Header("Expires") != "0" {
			t.Error(m.Raw)
		}
		if l := b.last("2001"); !l.Gone {
			t.Errorf("%+v", l)
		}
		p.say("200")
		p.say("NOTIFY\nEvent: dialog\nSubscription-State: terminated;reason=timeout")
		p.one("481")
	})
}

func TestDeviceComesAndGoes(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, nil, func(b *bed) {
		p := b.pbx()
		b.after(time.Second)
		if b.synced == 0 {
			t.Error("there is nobody to wait for")
		}
		if _, err := b.devices.Add(b.Context(), desk); err != nil {
			t.Fatal(err)
		}
		b.after(20 * time.Millisecond)
		p.begin(600)
		b.stands("2001", Dialog, Told)
		if err := b.devices.Remove(b.Context(), "2001"); err != nil {
			t.Fatal(err)
		}
		b.after(20 * time.Millisecond)
		if m := p.one("SUBSCRIBE"); m.Header("Expires") != "0" || !strings.Contains(m.Header("To"), "tag=") {
			t.Error(m.Raw)
		}
		if l := b.last("2001"); !l.Gone || l.PBX != "hq" {
			t.Errorf("%+v", l)
		}
		b.Watcher.mu.Lock()
		defer b.Watcher.mu.Unlock()
		if len(b.calls)+len(b.watched)+len(b.agenda)+len(b.outbox) > 0 {
			t.Errorf("%v %v %v", b.calls, b.watched, b.agenda)
		}
	})
}

// A configuration that is taken up changes what it changes.
func TestReload(t *testing.T) {
	other := device.Device{ID: "3001", User: "3001", Upstream: "branch"}
	branch := hq()
	branch.Name, branch.Packages = "branch", []string{"presence"}
	play(t, Config{Upstreams: []Upstream{hq()}}, []device.Device{desk, other}, func(b *bed) {
		p := b.pbx()
		b.after(20 * time.Millisecond)
		p.begin(600)
		if l := b.last("3001"); l.Lacks == "" || !l.Settled() {
			t.Errorf("%+v", l)
		}
		b.Use(Config{Upstreams: []Upstream{hq(), branch}})
		b.after(20 * time.Millisecond)
		if m := p.one("SUBSCRIBE"); m.Header("Event") != "presence" || m.Header("To") != "<sip:3001@192.0.2.9:5060>" {
			t.Error(m.Raw)
		}
		changed := hq()
		changed.Line = "x{user}"
		b.Use(Config{Upstreams: []Upstream{changed, branch}, Expires: time.Hour})
		b.after(20 * time.Millisecond)
		all := p.take()
		if len(all) != 2 || all[0].Header("Expires")+all[1].Header("Expires") != "03600" && all[0].Header("Expires")+all[1].Header("Expires") != "36000" {
			t.Errorf("%v", all)
		}
		b.Use(Config{})
		b.after(20 * time.Millisecond)
		if l := b.last("2001"); l.Lacks == "" || l.PBX != "hq" {
			t.Errorf("%+v", l)
		}
	})
}

// A device may name its PBX by the host, or by a URI.
func TestPlaces(t *testing.T) {
	named := hq()
	named.Host = "pbx.example.org"
	w := New(Parts{Devices: nobody}, Config{Upstreams: []Upstream{named}})
	for name, want := range map[string]Upstream{
		"hq":                                named,
		"PBX.example.org":                   named,
		"sip:pbx.example.org":               named,
		"other":                             {Name: "other"},
		"sip:192.0.2.33:5070;transport=tcp": {Name: "192.0.2.33:5070", Host: "192.0.2.33:5070", Transport: "tcp", Packages: []string{"dialog", "presence"}, Exchange: true},
		"sips:[2001:db8::1]":                {Name: "[2001:db8::1]", Host: "[2001:db8::1]", Transport: "tls", Packages: []string{"dialog", "presence"}, Exchange: true},
	} {
		p := w.place(name)
		if !p.cfg.same(&want) {
			t.Errorf("%s: %+v", name, p.cfg)
		}
		if w.place(name) != p {
			t.Errorf("%s: two places", name)
		}
	}
}

// A phone that registers here is asked for its calls where it is, and anew after it has
// been started anew.
func TestPhones(t *testing.T) {
	here := device.Device{ID: "2001", User: "2001"}
	play(t, Config{Phones: true}, []device.Device{here}, func(b *bed) {
		p := b.pbx()
		b.after(time.Second)
		p.silent()
		reach := func(contact string) {
			b.mu.Lock()
			b.reach["2001"] = Binding{Contact: contact}
			b.mu.Unlock()
		}
		reach("sip:2001@" + pbxAt)
		b.Moved("2001", false)
		b.after(20 * time.Millisecond)
		sub := p.begin(600)
		if sub.URI != "sip:2001@"+pbxAt || sub.Header("To") != "<sip:2001@phones.x>" || sub.Header("From")[:14] != "<sip:phones.x>" {
			t.Error(sub.Raw)
		}
		if l := b.stands("2001", Dialog, Told); l.PBX != "" {
			t.Errorf("%+v", l)
		}
		// It registers again: nothing is to be done.
		b.Moved("2001", false)
		b.after(20 * time.Millisecond)
		p.silent()
		b.Moved("2001", true)
		b.after(20 * time.Millisecond)
		again := false
		for _, m := range p.take() {
			if m.Header("Call-ID") != sub.Header("Call-ID") {
				again = true
				p.Take(m)
				p.say("489\nAllow-Events: message-summary")
			}
		}
		if !again {
			t.Error("it is not asked again")
		}
		b.stands("2001", Dialog, Refused)
		b.after(20 * time.Hour)
		p.silent()
		b.mu.Lock()
		delete(b.reach, "2001")
		b.mu.Unlock()
		b.Moved("2001", false)
		if l := b.last("2001"); !l.Gone {
			t.Errorf("%+v", l)
		}
		b.Moved("nobody", false)
	})
}

// A connection that a PBX closes may be the sign that it has been restarted.
func TestConnectionLost(t *testing.T) {
	play(t, Config{}, nil, func(b *bed) {
		p := b.plug("pbx", "192.0.2.10:5060", true)
		b.after(time.Millisecond)
		d := device.Device{ID: "2001", User: "2001", Upstream: "sip:192.0.2.10;transport=tcp"}
		if _, err := b.devices.Add(b.Context(), d); err != nil {
			t.Fatal(err)
		}
		b.after(20 * time.Millisecond)
		for _, m := range p.take() {
			p.Take(m)
			if m.Header("Event") != "dialog" {
				p.say("489")
				continue
			}
			p.say("200\nExpires: 600\nContact: <sip:192.0.2.10;transport=tcp>")
			p.notify(m, "active;expires=600\nContact: <sip:192.0.2.10;transport=tcp>", p.calls(m), "200")
		}
		b.stands("2001", Dialog, Told)
		b.after(2 * time.Minute)
		p.silent()
		p.Close()
		b.after(5 * time.Second) // in which it is asked, and nobody is there
		p = b.plug("pbx", "192.0.2.10:5060", true)
		if m := p.await("SUBSCRIBE", 0, time.Minute); m.Header("Event") != "dialog" || m.Header("CSeq") == "1 SUBSCRIBE" {
			t.Error(m.Raw)
		}
		p.say("481")
		b.after(20 * time.Millisecond)
		if m := p.one("SUBSCRIBE"); m.Header("CSeq") != "1 SUBSCRIBE" {
			t.Error(m.Raw)
		}
		b.stands("2001", Dialog, Told)
	})
}

// Whose NOTIFY it is is known by its Call-ID.
func TestOwns(t *testing.T) {
	start(t, func(b *bed, p *pbx, sub *siptest.Message) {
		if !b.Owns(sub.Header("Call-ID")) || b.Owns("another") {
			t.Error("not ours, or another's")
		}
	})
}
