package offline

import "time"

// Config bounds what waits for people who are away.
type Config struct {
	MaxMessages int           // for each account; 0 is a thousand
	MaxAge      time.Duration // how long messages wait; 0 is for ever

	// MaxFromStrangers is how many may wait before there is room only for those
	// of contacts; 0: they are treated alike.
	MaxFromStrangers int
}

// WithDefaults fills in what is not said.
func (c Config) WithDefaults() Config {
	if c.MaxMessages <= 0 {
		c.MaxMessages = 1000
	}
	return c
}

// most is how many may wait before a message like that is turned away.
func (c Config) most(stranger bool) int {
	if stranger && c.MaxFromStrangers > 0 {
		return min(c.MaxFromStrangers, c.MaxMessages)
	}
	return c.MaxMessages
}
