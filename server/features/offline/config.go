package offline

import "time"

// Config bounds what waits for people who are away.
type Config struct {
	MaxMessages int           // for each account; 0 is a thousand
	MaxAge      time.Duration // how long messages wait; 0 is for ever
}

// WithDefaults fills in what is not said.
func (c Config) WithDefaults() Config {
	if c.MaxMessages <= 0 {
		c.MaxMessages = 1000
	}
	return c
}
