package notifier

import "time"

// Config says how much may be asked of the notifier.
type Config struct {
	// MinExpires and MaxExpires are how short and how long subscriptions may be. 0 is
	// a minute and a day.
	MinExpires, MaxExpires time.Duration

	// Pace is the least time between two notifications of a subscription.
	Pace Pace

	// MaxSubscriptions bounds all subscriptions, and entries of lists; MaxPerWatcher
	// those of one SIP user, MaxPerSubject those to one subject by one event package.
	// 0 is 200,000, 1,000 and 5,000.
	MaxSubscriptions, MaxPerWatcher, MaxPerSubject int

	// MaxMembers is how many entries a list has at most; others are left out. 0 is 256.
	MaxMembers int

	// MaxDatagram is how many bytes the body of a list may have over UDP, where long
	// messages travel in pieces of which none may get lost. What does not fit goes into
	// a message of its own. 0 is 8000.
	MaxDatagram int

	// LampsForPeople has the lamp for a person who has no call show busy while they
	// are not to be disturbed.
	LampsForPeople bool

	// EndOnStop tells all watchers to subscribe anew when the program stops, for when
	// it will not come back.
	EndOnStop bool
}

// Pace is the least time between two notifications, for each package. 0 tells
// everything at once.
type Pace struct{ Presence, Dialog, Registration, Waiting time.Duration }

// UsualPace is what RFC 3856 §6.10, 4235 §3.8 and 3680 §4.9 ask for.
var UsualPace = Pace{Presence: 5 * time.Second, Dialog: time.Second, Registration: 5 * time.Second, Waiting: time.Second}

func (c Config) withDefaults() Config {
	def := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	def(&c.MaxSubscriptions, 200_000)
	def(&c.MaxPerWatcher, 1000)
	def(&c.MaxPerSubject, 5000)
	def(&c.MaxMembers, 256)
	def(&c.MaxDatagram, 8000)
	if c.MinExpires <= 0 {
		c.MinExpires = time.Minute
	}
	if c.MaxExpires <= 0 {
		c.MaxExpires = 24 * time.Hour
	}
	return c
}
