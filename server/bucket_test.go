package server

import (
	"testing"
	"time"
)

// A Bucket lets a burst through, then so many bytes a second; what is not used
// adds up to a burst again and no further.
func TestBucket(t *testing.T) {
	now := time.Hour
	b := Bucket{rate: 1000, burst: 5000, left: 5000, last: now}
	for _, step := range []struct {
		after time.Duration // since the step before
		took  int
		want  time.Duration // how long to wait then
	}{
		{0, 4999, 0},
		{0, 1, time.Millisecond},
		{0, 999, time.Second},
		{time.Second, 0, 0},
		{0, 1, time.Millisecond},
		{10 * time.Second, 0, 0}, // full again
		{0, 5000, time.Millisecond},
		{time.Hour, 0, 0},
		{0, 6000, 1001 * time.Millisecond}, // one read can be more than is there
	} {
		now += step.after
		b.Took(step.took)
		if got := b.Debt(now); got.Round(time.Millisecond) != step.want {
			t.Errorf("after %v and %d bytes: wait %v, want %v", step.after, step.took, got, step.want)
		}
	}
	none := Bucket{}
	none.Took(1 << 30)
	if none.Debt(now) != 0 {
		t.Error("a connection without a limit waits")
	}
}
