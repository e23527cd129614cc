package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

var (
	errDuration = errors.New("not a duration")
	errSize     = errors.New("not a size")
)

// parseDuration reads what time.ParseDuration reads, and days: "365d", "1d12h".
func parseDuration(s string) (time.Duration, error) {
	var days time.Duration
	if n, rest, found := strings.Cut(s, "d"); found {
		count, err := strconv.ParseUint(n, 10, 32)
		if err != nil || count > uint64(math.MaxInt64/int64(day)) {
			return 0, errDuration
		}
		if days, s = time.Duration(count)*day, rest; s == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > math.MaxInt64-days || strings.HasPrefix(s, "+") {
		return 0, errDuration
	}
	return days + d, nil
}

// formatDuration writes a duration so that parseDuration reads the same again,
// without the zeros that Duration.String puts at the end.
func formatDuration(d time.Duration) string {
	out := ""
	if d >= day {
		out = strconv.FormatInt(int64(d/day), 10) + "d"
		if d %= day; d == 0 {
			return out
		}
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return out + s
}

// units are the units of sizes, largest first.
var units = []struct {
	name  string
	bytes int
}{{"GiB", gib}, {"MiB", mib}, {"KiB", kib}, {"B", 1}}

// parseSize reads a whole number with a unit: "256KiB".
func parseSize(s string) (int, error) {
	for _, u := range units {
		n, found := strings.CutSuffix(s, u.name)
		if !found {
			continue
		}
		count, err := strconv.ParseUint(n, 10, 32)
		if err != nil || count > uint64(math.MaxInt/u.bytes) {
			return 0, errSize
		}
		return int(count) * u.bytes, nil
	}
	return 0, errSize
}

// formatSize writes a size with the largest unit that it is a multiple of.
func formatSize(n int) string {
	for _, u := range units {
		if n != 0 && n%u.bytes == 0 {
			return strconv.Itoa(n/u.bytes) + u.name
		}
	}
	return "0B"
}
