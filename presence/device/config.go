package device

// Config says where the devices are and how many there may be. A field that is
// zero has the value that [Config.WithDefaults] gives it.
type Config struct {
	// Domain is what stands after the @ of their addresses, and the realm that
	// their secrets are for.
	Domain string

	// MaxDevices is how many there may be.
	MaxDevices int
}

// WithDefaults fills in the fields that are zero, but for the domain.
func (c Config) WithDefaults() Config {
	if c.MaxDevices <= 0 {
		c.MaxDevices = 10_000
	}
	return c
}
