package server

import (
	"net/netip"
	"testing"
	"time"
)

// What is allowed, by what was asked for and when.
func TestPace(t *testing.T) {
	type ask struct {
		at   time.Duration
		wait time.Duration // 0: there is room, and one is taken
	}
	for _, c := range []struct {
		name string
		pace Pace
		asks []ask
	}{
		{"no limit", PaceOf(0, time.Minute), []ask{{0, 0}, {0, 0}, {0, 0}}},
		{"one a minute", PaceOf(1, time.Minute), []ask{
			{0, 0}, {0, time.Minute}, {59 * time.Second, time.Second}, {time.Minute, 0}, {61 * time.Second, 59 * time.Second},
		}},
		{"three at once, then one after a third of the time", PaceOf(3, time.Minute), []ask{
			{0, 0}, {0, 0}, {0, 0}, {0, 20 * time.Second}, {5 * time.Second, 15 * time.Second},
			{20 * time.Second, 0}, {20 * time.Second, 20 * time.Second}, {60 * time.Second, 0}, {60 * time.Second, 0}, {60 * time.Second, 20 * time.Second},
		}},
		{"what was not used does not add up", PaceOf(2, time.Minute), []ask{
			{time.Hour, 0}, {time.Hour, 0}, {time.Hour, 30 * time.Second}, {3 * time.Hour, 0}, {3 * time.Hour, 0}, {3 * time.Hour, 30 * time.Second},
		}},
		{"more than there are nanoseconds", PaceOf(1_000_000, time.Microsecond), []ask{{0, 0}, {0, 0}}},
	} {
		var used time.Duration
		for i, a := range c.asks {
			wait := c.pace.Wait(used, a.at)
			if wait != a.wait {
				t.Errorf("%s: number %d, at %v, waits for %v, want %v", c.name, i, a.at, wait, a.wait)
			}
			if wait == 0 {
				used = c.pace.Use(used, a.at)
			}
		}
	}
	if (Pace{}).Limits() || !PaceOf(1, time.Second).Limits() {
		t.Error("a limit is taken for none, or none for one")
	}
}

// A limit that becomes narrower while it is used holds at once, and one that
// becomes wider lets people go on sooner.
func TestPaceChanges(t *testing.T) {
	narrow, wide := PaceOf(1, time.Minute), PaceOf(60, time.Minute)
	var used time.Duration
	for range 60 {
		used = wide.Use(used, 0)
	}
	if wait := narrow.Wait(used, 0); wait != time.Minute {
		t.Errorf("after 60 at once one waits for %v, want a minute", wait)
	}
	if wait := wide.Wait(narrow.Use(0, 0), 0); wait != time.Second {
		t.Errorf("wait %v, want a second", wait)
	}
}

func TestNetwork(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
	} {
		if same := Network(netip.MustParseAddr(c.a)) == Network(netip.MustParseAddr(c.b)); same != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, same)
		}
	}
	if got := Network(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("no address is %v", got)
	}
}
