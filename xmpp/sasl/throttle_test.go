package sasl

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestDelay(t *testing.T) {
	for _, c := range []struct {
		failures, after int
		longest, want   time.Duration
	}{
		{0, 3, time.Minute, 0},
		{2, 3, time.Minute, 0},
		{3, 3, time.Minute, time.Second},
		{4, 3, time.Minute, 2 * time.Second},
		{8, 3, time.Minute, 32 * time.Second},
		{9, 3, time.Minute, time.Minute},
		{1 << 30, 3, time.Minute, time.Minute},
		{1, 1, time.Millisecond, time.Millisecond},
	} {
		if got := delay(c.failures, c.after, c.longest); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestThrottle is a story: each line happens at a time and says how long ada and
// her address have to wait afterwards.
func TestThrottle(t *testing.T) {
	th := NewThrottle(3, time.Minute, 100)
	begin := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at            time.Duration
		what          string
		ada, address  time.Duration
		adaAndAddress time.Duration
	}{
		{0, "", 0, 0, 0},
		{0, "fail", 0, 0, 0},
		{1 * time.Second, "fail", 0, 0, 0},
		{2 * time.Second, "fail", time.Second, time.Second, time.Second},
		{2500 * time.Millisecond, "", 500 * time.Millisecond, 500 * time.Millisecond, 500 * time.Millisecond},
		{3 * time.Second, "", 0, 0, 0},
		{3 * time.Second, "fail", 2 * time.Second, 2 * time.Second, 2 * time.Second},
		{5 * time.Second, "succeed", 0, 0, 0},
		{5 * time.Second, "fail", 0, 4 * time.Second, 4 * time.Second},  // the address is not forgiven
		{66 * time.Second, "fail", 0, 4 * time.Second, 4 * time.Second}, // but for one after a minute
		{10 * time.Minute, "", 0, 0, 0},
		{10 * time.Minute, "fail", 0, 0, 0}, // all is forgotten
	} {
		now := begin.Add(c.at)
		switch c.what {
		case "fail":
			th.Failed(now, "ada", "192.0.2.1")
		case "succeed":
			th.Succeeded("ada")
		}
		if a, b, both := th.Allow(now, "ada"), th.Allow(now, "192.0.2.1"), th.Allow(now, "ada", "192.0.2.1"); a != c.ada || b != c.address || both != c.adaAndAddress {
			t.Errorf("%v %s: %v, %v, %v", c.at, c.what, a, b, both)
		}
		if wait := th.Allow(now, "bob"); wait != 0 {
			t.Errorf("%v: bob waits %v", c.at, wait)
		}
	}
}

// TestThrottleForgives: however often somebody failed, it takes a bounded time
// until all is forgotten.
func TestThrottleForgives(t *testing.T) {
	th := NewThrottle(5, 8*time.Second, 10)
	now := time.Unix(0, 0)
	for range 1000 {
		th.Failed(now, "ada")
	}
	if wait := th.Allow(now, "ada"); wait != 8*time.Second {
		t.Errorf("waits %v", wait)
	}
	now = now.Add(8 * 8 * time.Second) // five failures and three doublings
	th.Failed(now, "ada")
	if wait := th.Allow(now, "ada"); wait != 0 {
		t.Errorf("waits %v for one failure", wait)
	}
}

func TestThrottleIsBounded(t *testing.T) {
	th := NewThrottle(1, time.Hour, 10)
	now := time.Unix(0, 0)
	for i := range 1000 {
		th.Failed(now, fmt.Sprint("account ", i), "192.0.2.1")
	}
	if len(th.byKey) != 10 || th.order.Len() != 10 {
		t.Errorf("%d keys, %d in order", len(th.byKey), th.order.Len())
	}
	if th.Allow(now, "192.0.2.1") == 0 || th.Allow(now, "account 999") == 0 {
		t.Error("the last to fail are forgotten")
	}
	if th.Allow(now, "account 3") != 0 {
		t.Error("the first to fail is not forgotten")
	}
}

func TestThrottleOff(t *testing.T) {
	for _, th := range []*Throttle{NewThrottle(0, time.Minute, 10), NewThrottle(3, 0, 10), NewThrottle(3, time.Minute, 0)} {
		for range 10 {
			th.Failed(time.Unix(0, 0), "ada")
		}
		if wait := th.Allow(time.Unix(0, 0), "ada"); wait != 0 || len(th.byKey) != 0 {
			t.Errorf("waits %v, %d keys", wait, len(th.byKey))
		}
		th.Succeeded("ada")
	}
}

func TestAddressKey(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":           "192.0.2.1",
		"::ffff:192.0.2.1":    "192.0.2.1",
		"2001:db8:1:2:3::4":   "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::": "2001:db8:1:2::/64",
		"fe80::1%eth0":        "fe80::/64",
		"::1":                 "::/64",
	} {
		if got := AddressKey(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
