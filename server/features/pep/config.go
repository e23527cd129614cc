package pep

// What people keep unless configured otherwise: device lists and keys for encryption,
// bookmarks, a picture, moods.
const (
	DefaultMaxNodes       = 200
	DefaultMaxItems       = 1000
	DefaultMaxItem        = 160 << 10
	DefaultMaxAccount     = 2 << 20
	DefaultMaxSubscribers = 100
)

// Config bounds what is kept. A field that is zero has its default.
type Config struct {
	MaxNodes       int // of an account
	MaxItems       int // of a node: what "max" means
	MaxItem        int // bytes of a payload
	MaxAccount     int // bytes of all that an account keeps: see Limits
	MaxSubscribers int // that have subscribed to a node, and as many members and outcasts
}

// WithDefaults fills in what is zero.
func (c Config) WithDefaults() Config {
	for _, x := range []struct {
		at    *int
		usual int
	}{
		{&c.MaxNodes, DefaultMaxNodes}, {&c.MaxItems, DefaultMaxItems}, {&c.MaxItem, DefaultMaxItem},
		{&c.MaxAccount, DefaultMaxAccount}, {&c.MaxSubscribers, DefaultMaxSubscribers},
	} {
		if *x.at <= 0 {
			*x.at = x.usual
		}
	}
	return c
}
