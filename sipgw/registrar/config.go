package registrar

import (
	"math/rand/v2"
	"time"
)

// Config bounds what devices may register.
type Config struct {
	// MinExpires is the shortest time that is granted; who asks for less is told so. 0
	// is a minute. It cannot be more than an hour (RFC 3261 §10.3 step 7).
	MinExpires time.Duration

	// MaxExpires and MaxExpiresUDP are what is granted at most, over connections and
	// over UDP, give or take a tenth; it is also what is granted to those who do not
	// ask. 0 is an hour, and 5 minutes.
	MaxExpires    time.Duration
	MaxExpiresUDP time.Duration

	// MaxBindings is how many bindings an address may have, up to [MostBindings]. 0 is
	// 10.
	MaxBindings int

	// Jitter returns numbers from 0 up to 1, so that devices do not all refresh at the
	// same time. nil is chance.
	Jitter func() float64
}

// MostBindings is the most that can be configured: with those of one request they
// have to fit 64 bits (see plan.go).
const MostBindings = 64 - maxContacts

// Grace is how long a binding is kept after its time: a refresh may be on its way
// for as long (64·T1, RFC 3261 §17.1.2.2).
const Grace = 32 * time.Second

func (c Config) withDefaults() Config {
	if c.MinExpires <= 0 {
		c.MinExpires = time.Minute
	}
	c.MinExpires = min(c.MinExpires, time.Hour)
	if c.MaxExpires <= 0 {
		c.MaxExpires = time.Hour
	}
	if c.MaxExpiresUDP <= 0 {
		c.MaxExpiresUDP = 5 * time.Minute
	}
	c.MaxExpires = max(c.MaxExpires, c.MinExpires)
	c.MaxExpiresUDP = max(c.MaxExpiresUDP, c.MinExpires)
	if c.MaxBindings <= 0 {
		c.MaxBindings = 10
	}
	c.MaxBindings = min(c.MaxBindings, MostBindings)
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	return c
}

// most is what is granted at most over a transport.
func (c *Config) most(t Transport) time.Duration {
	if t.Stream() {
		return c.MaxExpires
	}
	return c.MaxExpiresUDP
}

// grant says for how long a binding is made. wanted is at least MinExpires. A client
// that asked for more than there is gets about the most, a tenth more or less;
// nobody gets more than they asked for (RFC 3261 §10.3 step 7) nor less than
// MinExpires. A binding that is refreshed gets what it was granted before, if that is as
// good: otherwise every other refresh would be one that makes it end sooner.
func (c *Config) grant(wanted time.Duration, t Transport, before time.Duration) time.Duration {
	base := min(wanted, c.most(t))
	least, most := max(base-base/10, c.MinExpires).Truncate(time.Second), max(min(base+base/10, wanted), c.MinExpires)
	if before >= least && before <= most {
		return before
	}
	spread := time.Duration((c.Jitter()*0.2 - 0.1) * float64(base))
	return max(min(base+spread, wanted), c.MinExpires).Truncate(time.Second)
}
