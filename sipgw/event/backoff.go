package event

import "time"

// Backoff returns how long to wait after so many failures in a row: ten seconds,
// twice as much each time, at most ten minutes. seed, which differs from
// subscription to subscription, spreads it by a tenth to either side, so that after
// an outage not everybody comes at the same moment.
func Backoff(failures int, seed uint32) time.Duration {
	const first, most = 10 * time.Second, 10 * time.Minute
	d := most
	if failures < 7 {
		d = min(first<<max(failures-1, 0), most)
	}
	return Spread(d, seed+uint32(failures))
}

// Spread returns d, a tenth less to a tenth more.
func Spread(d time.Duration, seed uint32) time.Duration {
	seed ^= seed >> 16
	seed *= 0x7feb352d
	seed ^= seed >> 15
	seed *= 0x846ca68b
	seed ^= seed >> 16
	return d + d/10*time.Duration(int(seed%2001)-1000)/1000
}
