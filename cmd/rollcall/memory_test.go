package main

import "testing"

// There may be more garbage from the first second with much to do on, until some have
// passed without.
func TestCollector(t *testing.T) {
	var c collector
	all := uint64(0)
	for i, tt := range []struct {
		allocated uint64
		percent   int
		other     bool
	}{
		{gcRush - 1, gcPercent, false},
		{gcRush, gcBusy, true},
		{gcRush, gcBusy, false},
		{0, gcBusy, false},
		{0, gcBusy, false},
		{gcRush, gcBusy, false},
		{0, gcBusy, false},
		{0, gcBusy, false},
		{0, gcBusy, false},
		{0, gcBusy, false},
		{0, gcPercent, true},
		{0, gcPercent, false},
		{gcRush, gcBusy, true},
	} {
		all += tt.allocated
		if percent, other := c.look(all); percent != tt.percent || other != tt.other {
			t.Errorf("look %d: %d, %v; want %d, %v", i, percent, other, tt.percent, tt.other)
		}
	}
}
