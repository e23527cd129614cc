package privatexml

// Limits unless configured otherwise: what is kept by clients are settings,
// notes and bookmarks.
const (
	DefaultMaxElement = 64 << 10
	DefaultMaxAccount = 512 << 10
)

// Config bounds what is kept.
type Config struct {
	// MaxElement is how many bytes of XML are kept under one namespace; 0 is
	// DefaultMaxElement.
	MaxElement int

	// MaxAccount is how many bytes are kept for one account, namespaces
	// included; 0 is DefaultMaxAccount.
	MaxAccount int
}

// WithDefaults fills in what is zero.
func (c Config) WithDefaults() Config {
	if c.MaxElement <= 0 {
		c.MaxElement = DefaultMaxElement
	}
	if c.MaxAccount <= 0 {
		c.MaxAccount = DefaultMaxAccount
	}
	return c
}
