package vcard

// DefaultMaxBytes has room for a portrait of some 90 KiB: the largest pictures
// that clients make of what people choose.
const DefaultMaxBytes = 128 << 10

// DefaultMaxPhoto is all that fits into such a vCard.
const DefaultMaxPhoto = 96 << 10

// Config bounds what is kept.
type Config struct {
	// MaxBytes is the largest vCard, as XML; 0 is DefaultMaxBytes.
	MaxBytes int

	// MaxPhoto is the largest picture in one, in bytes without Base64; 0 is
	// DefaultMaxPhoto.
	MaxPhoto int
}

// WithDefaults fills in what is zero.
func (c Config) WithDefaults() Config {
	if c.MaxBytes <= 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	if c.MaxPhoto <= 0 {
		c.MaxPhoto = DefaultMaxPhoto
	}
	return c
}
