package call

import (
	"strings"
	"testing"
	"time"
	"unsafe"

	"rollcall/sipgw/dialoginfo"
)

// What is kept of a call is copied: it is a part of all that has come.
func TestKeepsNoMessages(t *testing.T) {
	tab := newTable(Config{}.withDefaults())
	tab.hear, tab.save, tab.erase = func(*notice) {}, func(*Dialog, bool) {}, func(uint64) {}
	message := strings.Repeat("x", 1000)
	part := func() string { return message[10:20] }
	a := &attempt{
		callID: part(), replaces: dialoginfo.Replaces{CallID: part(), LocalTag: part(), RemoteTag: part()},
		caller: end{device: "2001", tag: part(), header: part(), identity: part(), display: part(), contact: part()},
	}
	now := time.Now()
	tab.begin(now, a, end{identity: part(), display: part(), contact: part()})
	g := tab.ring(now, a, end{device: "2002", identity: part(), display: part(), contact: part()})
	tab.confirm(now, a, g, answerer{tag: part(), header: part(), contact: part(), callerRoutes: []string{part()}, ownRoutes: []string{part()}})
	kept := func(what string, all ...string) {
		t.Helper()
		for _, s := range all {
			if from, at := uintptr(unsafe.Pointer(unsafe.StringData(message))), uintptr(unsafe.Pointer(unsafe.StringData(s))); s != part() || at >= from && at < from+1000 {
				t.Errorf("%s: %q is a part of the message", what, s)
			}
		}
	}
	if len(tab.byID) != 1 {
		t.Fatalf("there are %d calls", len(tab.byID))
	}
	for _, d := range tab.byID {
		kept("the key", d.key.callID, d.key.caller, d.key.callee)
		for i := range d.ends {
			e := &d.ends[i]
			kept("an end", append(e.routes, e.tag, e.header, e.identity, e.display, e.contact)...)
			l := e.leg.live
			kept("a leg", l.CallID, l.LocalTag, l.RemoteTag, l.Local.Identity, l.Local.Display, l.Local.Target)
		}
		r := d.ends[1].leg.live.Replaces
		kept("what it takes the place of", r.CallID, r.LocalTag, r.RemoteTag)
	}
}
