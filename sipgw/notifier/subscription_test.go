package notifier

import (
	"slices"
	"testing"

	"rollcall/sipgw/transport"
)

// Which registration brings back which subscription.
func TestSamePhone(t *testing.T) {
	for _, tt := range []struct {
		name              string
		phone, target     string
		contact, instance string
		same              bool
	}{
		{"by its instance", "<urn:uuid:1>", "sip:a@192.0.2.1:1", "sip:b@192.0.2.9:9", "<urn:uuid:1>", true},
		{"by its contact", "sip:a@192.0.2.1", "sip:a@192.0.2.1", "sip:a@192.0.2.1", "<urn:uuid:1>", true},
		{"by where it is", "sip:a@192.0.2.1", "sip:a@192.0.2.1:5062;ob", "sip:b@192.0.2.1:5062;transport=udp", "", true},
		{"another one there", "sip:a@192.0.2.1", "sip:a@192.0.2.1:5062", "sip:a@192.0.2.1:5060", "", false},
		{"another one elsewhere", "<urn:uuid:1>", "sip:a@192.0.2.1", "sip:a@192.0.2.2", "<urn:uuid:2>", false},
		{"nobody", "", "", "", "", true},
		{"no URI", "x", "sip:a@192.0.2.1", "*", "", false},
	} {
		s := &subscription{phone: tt.phone, target: tt.target}
		if got := s.samePhone(tt.contact, tt.instance, transport.Flow{}); got != tt.same {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// What is first in the agenda is due first, whatever was put and taken before.
func TestAgenda(t *testing.T) {
	var a agenda
	all := make([]*subscription, 200)
	want := []moment{}
	for i := range all {
		all[i] = &subscription{}
		a.put(all[i], moment(i*7919%1009))
	}
	for i, s := range all {
		switch i % 4 {
		case 0:
			a.remove(s)
			a.remove(s)
		case 1:
			a.put(s, moment(i*104729%1013))
		}
		if s.slot > 0 {
			want = append(want, s.at)
		}
	}
	slices.Sort(want)
	for _, w := range want {
		if at, ok := a.first(); !ok || at != w || a.next(w-1) != nil {
			t.Fatalf("%d, %v, and not %d", at, ok, w)
		}
		if s := a.next(w); s.at != w || s.slot != 0 {
			t.Fatalf("%d", s.at)
		}
	}
	if _, ok := a.first(); ok {
		t.Error("there is more")
	}
}
