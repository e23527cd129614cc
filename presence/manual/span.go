package manual

import (
	"strconv"
	"strings"
	"time"
)

// Span reads for how long something is, as people write it: "20m", "1h30m", "90",
// "45min", "2d". A number alone is of minutes. ok is false if it is nothing of that.
func Span(s string) (d time.Duration, ok bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(n) * time.Minute, n > 0 && n <= mostMinutes
	}
	for rest := strings.ToLower(s); rest != ""; {
		digits := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if digits < 1 || digits > 6 {
			return 0, false
		}
		n, _ := strconv.Atoi(rest[:digits]) // digits only, and few
		rest = rest[digits:]
		word := rest
		if end := strings.IndexFunc(rest, func(r rune) bool { return r >= '0' && r <= '9' }); end >= 0 {
			word = rest[:end]
		}
		unit, known := units[word]
		if !known {
			return 0, false
		}
		rest = rest[len(word):]
		if d += time.Duration(n) * unit; d > mostMinutes*time.Minute {
			return 0, false
		}
	}
	return d, d > 0
}

// Brief writes a duration as [Span] reads it: "20m", "1h30m", "30d".
func Brief(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// mostMinutes is the longest that anybody can mean: a year.
const mostMinutes = 366 * 24 * 60

var units = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "m": time.Minute, "min": time.Minute, "mins": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hour": time.Hour, "hours": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
}

// Clock reads until when something is: "15:00" is the next time that a clock in the
// zone shows that, "2026-01-31T15:00" and RFC 3339 are what they are.
func Clock(s string, now time.Time, zone *time.Location) (until time.Time, ok bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, true
	}
	if t, err := time.ParseInLocation("2006-01-02T15:04", s, zone); err == nil {
		return t, true
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return until, false
	}
	y, m, d := now.In(zone).Date()
	until = time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, zone)
	if !until.After(now) {
		until = time.Date(y, m, d+1, t.Hour(), t.Minute(), 0, 0, zone)
	}
	return until, true
}
