package register

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

var midnight = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestLimiter(t *testing.T) {
	var l limiter
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for n := range 3 {
		if !l.take(a, 3, midnight.Add(time.Duration(n)*time.Minute)) {
			t.Fatalf("account %d was refused", n)
		}
	}
	if l.take(a, 3, midnight.Add(window-time.Second)) {
		t.Error("a fourth account in the hour")
	}
	if !l.take(b, 3, midnight) {
		t.Error("another address was refused")
	}
	if !l.take(a, 3, midnight.Add(window)) {
		t.Error("refused after an hour")
	}
	if !l.take(a, 0, midnight.Add(window)) {
		t.Error("refused without a limit")
	}
}

func TestLimiterCountsNamesThatAreTaken(t *testing.T) {
	var l limiter
	a := netip.MustParseAddr("192.0.2.1")
	tried := 0
	for l.take(a, 2, midnight) {
		l.taken(a)
		if tried++; tried > 1000 {
			t.Fatal("names can be tried without end")
		}
	}
	// The last charge has to fit whole.
	if want := accountCost + 1; tried != want {
		t.Errorf("%d names were tried, want %d", tried, want)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	var l limiter
	addr := func(n int) netip.Addr {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(n))
		return netip.AddrFrom4(b)
	}
	for n := range maxRemembered {
		if !l.take(addr(n), 1, midnight) {
			t.Fatalf("address %d was refused", n)
		}
	}
	if l.take(addr(maxRemembered), 1, midnight.Add(time.Minute)) || len(l.used) != maxRemembered {
		t.Errorf("one more address was taken: %d", len(l.used))
	}
	if !l.take(addr(maxRemembered), 1, midnight.Add(window)) || len(l.used) != 1 {
		t.Errorf("an hour later %d addresses are remembered, want the new one only", len(l.used))
	}
}
