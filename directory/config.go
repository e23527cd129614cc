package directory

import "time"

// Config is how accounts follow a directory.
type Config struct {
	// Domain is the domain of the accounts.
	Domain string

	// Interval is how often it is read.
	Interval time.Duration

	// RemoveAfter is how long after somebody has left it their account is removed
	// with all that is in it. 0 keeps it for good, disabled.
	RemoveAfter time.Duration

	// VanishPercent is how many of a hundred people may be missing at once. More are
	// taken for a mistake, and stay.
	VanishPercent int

	// RememberFor is how long a password that was right is taken without asking
	// again. 0 always asks.
	RememberFor time.Duration

	// OfferSCRAM offers SCRAM at the domain too, for the accounts that are ours.
	OfferSCRAM bool

	// TakeOver makes an account that is ours theirs when somebody of its name is in
	// the directory.
	TakeOver bool
}
