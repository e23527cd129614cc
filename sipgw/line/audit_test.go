package line

import (
	"testing"
	"time"

	"rollcall/sipgw/dialoginfo"
)

func TestAudit(t *testing.T) {
	const hour = 3600
	talks := func(began int) dialoginfo.Live {
		return call("a", dialoginfo.Confirmed, dialoginfo.Recipient, began)
	}
	rings := func(began int) dialoginfo.Live {
		return call("a", dialoginfo.Early, dialoginfo.Recipient, began)
	}
	tests := []struct {
		name  string
		live  dialoginfo.Live
		signs Signs
		cause string
		probe bool
		next  int // seconds from now
	}{
		{"a call of ours is asked for every two minutes", talks(60), Signs{}, "", false, 60},
		{"now is the time", talks(120), Signs{}, "", true, 120},
		{"it was asked for a moment ago", talks(500), Signs{Probed: ago(30)}, "", false, 90},
		{"it did not answer once", talks(500), Signs{Probed: ago(120), Missed: 1}, "", true, 120},
		{"it did not answer twice", talks(500), Signs{Probed: ago(30), Missed: 2}, "no answer from the phone", false, 0},
		{"the phone says 481", talks(500), Signs{Probed: ago(30), Denied: true}, "the phone does not know the call", false, 0},

		{"a session timer", talks(500), Signs{Session: 1800 * time.Second, Refreshed: ago(500)}, "", false, 1332},
		{"has run out a moment ago: the refresh may be under way", talks(2000), Signs{Session: 1800 * time.Second, Refreshed: ago(1801)}, "", false, 31},
		{"has run out", talks(2000), Signs{Session: 1800 * time.Second, Refreshed: ago(1832)}, "session timer", false, 0},
		{"a session timer is for calls that are answered", rings(60), Signs{Session: 90 * time.Second, Refreshed: ago(500)}, "", false, 540},

		{"told by another, for as long as it is believed", talks(500), Signs{Source: ago(-300)}, "", false, 300},
		{"told by another that has fallen silent", talks(500), Signs{Source: ago(0)}, "its source has fallen silent", false, 0},
		{"no call is that long", talks(12 * hour), Signs{Source: ago(-300)}, "longer than any call", false, 0},
		{"one second less", talks(12*hour - 1), Signs{Source: ago(-300)}, "", false, 1},

		{"rings", rings(60), Signs{}, "", false, 540},
		{"rings in vain", rings(600), Signs{Source: ago(-300)}, "never answered", false, 0},

		{"the phone has started anew during the call", talks(60), Signs{Rebooted: ago(10)}, "the phone has started anew", false, 0},
		{"the phone had started anew before the call", talks(60), Signs{Rebooted: ago(70)}, "", false, 60},
	}
	for _, tt := range tests {
		v := Audit(&tt.live, tt.signs, now)
		if v.End != (tt.cause != "") || v.Cause != tt.cause || v.Probe != tt.probe {
			t.Errorf("%s: %+v", tt.name, v)
		}
		if want := now.Add(time.Duration(tt.next) * time.Second); !v.End && !v.Next.Equal(want) {
			t.Errorf("%s: next in %v, want %v", tt.name, v.Next.Sub(now), want.Sub(now))
		}
		if !v.End && !v.Next.After(now) {
			t.Errorf("%s: would look again at once", tt.name)
		}
	}
}

func TestRebooted(t *testing.T) {
	base := Registration{Instance: "urn:uuid:1", Host: "10.0.0.5", Port: 5060, CallID: "a", CSeq: 7}
	tests := []struct {
		name   string
		change func(*Registration)
		want   bool
	}{
		{"refresh", func(r *Registration) { r.CSeq++ }, false},
		{"the same again", func(*Registration) {}, false},
		{"new Call-ID", func(r *Registration) { r.CallID, r.CSeq = "b", 1 }, true},
		{"new Call-ID from another address", func(r *Registration) { r.CallID, r.Host = "b", "10.0.0.9" }, true},
		{"counts from the beginning", func(r *Registration) { r.CSeq = 1 }, true},
		{"another port", func(r *Registration) { r.Port, r.CSeq = 5070, 8 }, true},
		{"another port of a stream", func(r *Registration) { r.Port, r.CSeq, r.Stream = 5070, 8, true }, false},
		{"another phone", func(r *Registration) { r.Instance, r.CallID = "urn:uuid:2", "b" }, false},
	}
	for _, tt := range tests {
		after := base
		tt.change(&after)
		if got := Rebooted(base, after); (got != "") != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
	// Without an instance the host of the contact must do.
	old := Registration{Host: "10.0.0.5", Port: 5060, CallID: "a"}
	if Rebooted(old, Registration{Host: "10.0.0.5", Port: 5060, CallID: "b"}) == "" {
		t.Error("same host")
	}
	if why := Rebooted(old, Registration{Host: "10.0.0.6", Port: 5060, CallID: "b"}); why != "" {
		t.Error("another host:", why)
	}
}
