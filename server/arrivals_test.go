package server

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

func addr4(n int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(n))
	return netip.AddrFrom4(b)
}

// Each network has its own count, and who is refused is not counted.
func TestArrivals(t *testing.T) {
	var a Arrivals
	pace := PaceOf(3, time.Minute)
	here := Network(netip.MustParseAddr("2001:db8:0:1::1"))
	neighbour := Network(netip.MustParseAddr("2001:db8:0:1:2::1"))
	elsewhere := Network(netip.MustParseAddr("2001:db8:0:2::1"))
	for _, step := range []struct {
		from netip.Prefix
		at   time.Duration
		want bool
	}{
		{here, 0, true}, {neighbour, 0, true}, {here, 0, true}, {here, 0, false}, {neighbour, 10 * time.Second, false},
		{elsewhere, 10 * time.Second, true},
		{here, 20 * time.Second, true}, {here, 20 * time.Second, false},
		{here, 2 * time.Minute, true}, {here, 2 * time.Minute, true}, {here, 2 * time.Minute, true}, {here, 2 * time.Minute, false},
	} {
		if got := a.Take(pace, step.from, step.at); got != step.want {
			t.Errorf("%v at %v: %v, want %v", step.from, step.at, got, step.want)
		}
	}
	if !a.Take(Pace{}, here, 2*time.Minute) {
		t.Error("refused without a limit")
	}
}

// What is remembered is bounded, and forgotten when it does not count any more.
// Nobody is shut out because others are many.
func TestArrivalsAreBounded(t *testing.T) {
	var a Arrivals
	pace := PaceOf(1, time.Minute)
	for i := range maxArrivals + 100 {
		if !a.Take(pace, Network(addr4(i)), time.Second) {
			t.Fatalf("address %d was refused", i)
		}
	}
	if len(a.used) != maxArrivals {
		t.Errorf("%d are remembered", len(a.used))
	}
	if a.Take(pace, Network(addr4(0)), 2*time.Second) {
		t.Error("forgotten too early")
	}
	a.Take(pace, Network(addr4(maxArrivals)), 5*time.Minute)
	if len(a.used) != 1 {
		t.Errorf("%d are remembered minutes later", len(a.used))
	}
}
