package archive

import "time"

// Config is what the configuration file says about archives.
type Config struct {
	Retention time.Duration // how long messages are kept; 0 is for ever
	Default   string        // what is kept for people who have not said: "always", "roster" or "never"
	PageMax   int           // messages in one page at most
}

// defaultPage is the size of a page that a client does not say.
const defaultPage = 50

// WithDefaults fills in what is not said.
func (c Config) WithDefaults() Config {
	if c.Default == "" {
		c.Default = string(always)
	}
	if c.PageMax <= 0 {
		c.PageMax = 250
	}
	return c
}
