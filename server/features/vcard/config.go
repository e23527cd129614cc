package vcard

// DefaultMaxBytes has room for a portrait of some 90 KiB: the largest pictures
// that clients make of what people choose.
const DefaultMaxBytes = 128 << 10

// Config bounds what is kept.
type Config struct {
	// MaxBytes is the largest vCard, as XML; 0 is DefaultMaxBytes.
	MaxBytes int
}
