package registrar

import (
	"testing"
	"time"

	"rollcall/sipgw/keep"
)

// What is stored of a device has to last until it comes again, whatever was lost.
func TestUrgency(t *testing.T) {
	for _, tt := range []struct {
		name          string
		granted, came int // seconds: how long the binding lasts, and after how many it was refreshed
		now           int // for how long then
		want          keep.Urgency
	}{
		{"at half time", 300, 150, 300, keep.Lazy},
		{"a little later", 300, 165, 300, keep.Lazy},
		{"late", 300, 170, 300, keep.Soon},
		{"at the last moment", 3600, 3590, 3600, keep.Soon},
		{"in the grace", 60, 80, 60, keep.Soon},
		{"shorter", 300, 10, 280, keep.Soon},
		{"again and again", 3600, 60, 3600, keep.Idle},
		{"again and again, for longer", 120, 12, 120, keep.Idle},
		{"again and again, for a minute", 60, 5, 60, keep.Lazy},
		{"for much longer", 3600, 361, 3600, keep.Lazy},
	} {
		last := func(from time.Time, seconds int) *Binding {
			return &Binding{Refreshed: from, Expires: from.Add(time.Duration(seconds) * time.Second)}
		}
		c := Change{Old: last(start, tt.granted), Binding: last(start.Add(time.Duration(tt.came)*time.Second), tt.now)}
		if got := c.urgency(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
