package component

import (
	"time"

	"rollcall/server"
	"rollcall/xmpp/stream"
)

// Config is what component connections need to know of the configuration file.
// The config package fills it in and has checked every value before it gets here.
type Config struct {
	// Listen are the addresses that components connect to. Nothing listens unless
	// there is a component.
	Listen []string

	// Domains are the domains that components serve, each once.
	Domains []Domain

	// BytesPerSecond is how fast a component is read once it has used up
	// BurstBytes. 0 means as fast as it comes.
	BytesPerSecond int
	BurstBytes     int

	// AuthTimeout is how long a connection may take for its handshake.
	// ConnectsPerMinute is how many connections one address may open in a minute;
	// 0 means no bound.
	AuthTimeout       time.Duration
	ConnectsPerMinute int

	// BackoffAfter failures for one domain from one address the next one is held
	// back: a second, then twice as long each time, up to BackoffMax.
	BackoffAfter int
	BackoffMax   time.Duration

	// BeforeAuth and AfterAuth bound one element of a stream.
	BeforeAuth, AfterAuth stream.Limits

	// UserTimeout is how long sent data may stay unacknowledged by a component's
	// network stack.
	UserTimeout time.Duration
}

// Domain is a domain that a component serves.
type Domain struct {
	Name string // in canonical form

	// Secret is what the component proves that it knows. It is in SecretFile if that
	// is not "", which is read for each connection.
	Secret     string
	SecretFile string
}

// secret returns what a component has to know.
func (d *Domain) secret() (string, error) {
	if d.SecretFile == "" {
		return d.Secret, nil
	}
	return server.Secret(d.SecretFile)
}
