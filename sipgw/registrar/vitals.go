package registrar

import "time"

// QualifyConfig says how devices are asked whether they are there.
type QualifyConfig struct {
	// Every is how often; EveryCritical is how often those are asked that matter most.
	// A device that has sent something in that time is not asked. 0 never asks.
	Every, EveryCritical time.Duration

	// Timeout is how long an answer may take. 0 is 5 s.
	Timeout time.Duration

	// Jitter returns numbers from 0 up to 1, so that not all are asked at the same
	// time. nil is chance.
	Jitter func() float64
}

// How many answers in a row may be missing before a device is called degraded, and
// unreachable; and how many may be missing before it has ever answered: then it is
// one that does not answer OPTIONS, and is left alone.
const (
	missesDegraded    = 2
	missesUnreachable = 4
	triesAtFirst      = 3
)

// Health is whether a device answers.
type Health uint8

// A device that has never answered may be well, so it is not called anything else.
const (
	Unasked Health = iota
	Good
	Degraded
	Unreachable
)

// String returns a word for the log.
func (h Health) String() string {
	return [...]string{"unasked", "good", "degraded", "unreachable"}[h%4]
}

// vitals is what is known of whether a device answers.
type vitals struct {
	answered bool  // it has, once
	misses   uint8 // answers missing in a row, or before the first
	heard    time.Time
}

// health is what it comes to.
func (v vitals) health() Health {
	switch {
	case !v.answered:
		return Unasked
	case v.misses >= missesUnreachable:
		return Unreachable
	case v.misses >= missesDegraded:
		return Degraded
	}
	return Good
}

// ill says whether any sign of life would make it better.
func (v vitals) ill() bool { return v.answered && v.misses > 0 }

// decide says whether to ask a device now, and when to think of it next; the zero
// time is never. every is how often it is to be asked.
func (v vitals) decide(now time.Time, every time.Duration, jitter float64) (ask bool, next time.Time) {
	switch spread := time.Duration((jitter*0.2 - 0.1) * float64(every)); {
	case !v.answered && v.misses >= triesAtFirst:
		return false, time.Time{}
	case v.answered && v.misses == 0 && now.Before(v.heard.Add(every-every/10)):
		return false, v.heard.Add(every + spread) // any SIP from it counts
	default:
		return true, now.Add(every + spread)
	}
}

// hear takes note of a sign of life. answer says that it is the answer to being asked,
// whatever the answer says.
func (v *vitals) hear(now time.Time, answer bool) {
	v.heard = now
	v.answered = v.answered || answer
	if v.answered {
		v.misses = 0
	}
}

// miss takes note of an answer that has not come in time to the question of a time.
// Something else may have come.
func (v *vitals) miss(asked time.Time) {
	if v.heard.After(asked) && v.answered {
		return
	}
	if v.misses < missesUnreachable {
		v.misses++
	}
}
