package announcements

import (
	"testing"
	"time"
)

// A message is shown once a day, where the server is, and once after it was set.
func TestSince(t *testing.T) {
	here := time.FixedZone("here", 2*60*60)
	at := func(s string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04", s, here)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, row := range []struct{ now, set, want string }{
		{"2026-03-02 12:00", "2026-03-01 09:00", "2026-03-02 00:00"},
		{"2026-03-02 12:00", "2026-03-02 09:00", "2026-03-02 09:00"},
		{"2026-03-02 00:00", "2026-03-01 23:59", "2026-03-02 00:00"},
		{"2026-03-01 23:59", "2026-03-01 23:58", "2026-03-01 23:58"},
	} {
		if got := Since(at(row.now), at(row.set)); !got.Equal(at(row.want)) {
			t.Errorf("at %s, set at %s: since %v, want %s", row.now, row.set, got, row.want)
		}
	}
}
