package main

import "testing"

// There may be more garbage once there has been much to do for some seconds without
// anything growing, until some have passed without.
func TestCollector(t *testing.T) {
	const rush, mib = gcRush, 1 << 20
	type look struct {
		allocated, live uint64
		percent         int
		other           bool
	}
	for name, looks := range map[string][]look{
		"little to do": {{rush - 1, mib, gcPercent, false}, {rush - 1, mib, gcPercent, false}, {rush - 1, mib, gcPercent, false}, {rush - 1, mib, gcPercent, false}},
		"much to do, then little": {
			{rush, mib, gcPercent, false}, {rush, mib, gcPercent, false}, {rush, mib, gcPercent, false}, {rush, mib, gcBusy, true}, {rush, mib, gcBusy, false},
			{0, mib, gcBusy, false}, {0, mib, gcBusy, false}, {rush, mib, gcBusy, false},
			{0, mib, gcBusy, false}, {0, mib, gcBusy, false}, {0, mib, gcBusy, false}, {0, mib, gcBusy, false}, {0, mib, gcPercent, true}, {0, mib, gcPercent, false},
		},
		"everybody logs in": {{rush, 4 * mib, gcPercent, false}, {rush, 5 * mib, gcPercent, false}, {rush, 6 * mib, gcPercent, false}, {rush, 8 * mib, gcPercent, false}, {rush, 10 * mib, gcPercent, false}},
		"they go on": {
			{rush, 4 * mib, gcPercent, false}, {rush, 5 * mib, gcPercent, false}, {rush, 5 * mib, gcPercent, false}, {rush, 4 * mib, gcPercent, false}, {rush, 5 * mib, gcBusy, true},
			{rush, 6 * mib, gcBusy, false}, {rush, 6 * mib, gcBusy, false},
		},
	} {
		var c collector
		all := uint64(0)
		for i, tt := range looks {
			all += tt.allocated
			if percent, other := c.look(all, tt.live); percent != tt.percent || other != tt.other {
				t.Errorf("%s, look %d: %d, %v; want %d, %v", name, i, percent, other, tt.percent, tt.other)
			}
		}
	}
}
