package register

// DefaultMinPassword is what people are held to unless configured otherwise.
const DefaultMinPassword = 8

// Config says who may make an account from a client. It may change while the
// server runs: see [Feature.Configure].
type Config struct {
	// Open lets anybody who can reach the server make an account.
	Open bool

	// PerAddressHour is how many accounts one address may make in an hour; an
	// IPv6 /64 counts as one. 0 sets no limit.
	PerAddressHour int

	// MinPassword is how many characters a password has at least; 0 is
	// DefaultMinPassword.
	MinPassword int
}
