package c2s

import (
	"net/netip"
	"testing"
)

func TestExempt(t *testing.T) {
	l := Limits{ExemptNetworks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}}
	for address, want := range map[string]bool{
		"192.0.2.7": true, "192.0.3.7": false, "2001:db8:1::1": true, "2001:db9::1": false,
	} {
		if got := l.exempt(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	if l.exempt(netip.Addr{}) {
		t.Error("no address is exempt")
	}
}
