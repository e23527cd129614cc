package c2s

import (
	"net/netip"
	"time"
)

// Config is what client connections need to know of the configuration file.
// The config package fills it in and has checked every value before it gets
// here. Of these Certificates, Limits and most of Auth may change while running;
// everything else is fixed from the start.
type Config struct {
	// Listen are the addresses for connections that start in the clear and are
	// upgraded by STARTTLS; ListenTLS those that start with TLS (XEP-0368).
	Listen    []string
	ListenTLS []string

	// RequireTLS refuses everything but STARTTLS before a connection is
	// encrypted. PlaintextOnLoopback makes an exception for connections from
	// this machine to itself.
	RequireTLS          bool
	PlaintextOnLoopback bool

	// Certificates are offered by SNI, the first one when no name fits.
	Certificates  []Certificate
	MinTLSVersion uint16 // tls.VersionTLS12 or tls.VersionTLS13

	Auth        Auth
	Limits      Limits
	Management  Management
	ClientState bool
	KeepAlive   KeepAlive
}

// Certificate names the two PEM files of one certificate.
type Certificate struct {
	Cert string // the chain, leaf first
	Key  string
}

// Auth is how people prove who they are.
type Auth struct {
	// Mechanisms are the SASL mechanisms to offer, without -PLUS: that form is
	// offered with each SCRAM mechanism whenever the connection allows it.
	Mechanisms []string

	// Iterations is the SCRAM cost of passwords that are set from now on, and
	// what unknown users are shown.
	Iterations int

	// AttemptsPerStream closes a stream after so many failures.
	AttemptsPerStream int

	// BackoffAfter failures for one account or from one address the next
	// attempt is held back: a second, then twice as long each time, up to
	// BackoffMax.
	BackoffAfter int
	BackoffMax   time.Duration
}

// Limits bound what one connection may cost.
type Limits struct {
	BeforeAuth Stanza
	AfterAuth  Stanza

	// BytesPerSecond is how fast an authenticated connection is read, once
	// it has used up BurstBytes. 0 means as fast as it comes.
	BytesPerSecond int
	BurstBytes     int

	// Connections bounds all connections, ConnectionsPerAddress those of one
	// IP address (an IPv6 /64 counts as one), ConnectsPerMinute how many it may
	// open in a minute. 0 means no bound.
	Connections           int
	ConnectionsPerAddress int
	ConnectsPerMinute     int

	// ExemptNetworks are left out of what counts by address: the two bounds
	// above, and the failures to log in that hold back an address.
	ExemptNetworks []netip.Prefix

	// AuthTimeout is how long a connection may take to log in.
	AuthTimeout time.Duration
}

// Stanza bounds one first-level element of a stream.
type Stanza struct {
	Bytes      int // from its first byte to its last
	Depth      int // of nested elements
	Attributes int // on one element
	Namespaces int // declarations in force at one place
}

// Management is stream management (XEP-0198).
type Management struct {
	Enabled bool

	// ResumeFor is the longest time a lost session waits to be resumed.
	ResumeFor time.Duration

	// AckEvery is after how many stanzas the server asks for an
	// acknowledgement. MaxUnacked closes a session that has not acknowledged
	// so many.
	AckEvery   int
	MaxUnacked int
}

// KeepAlive finds peers that are gone without a word.
type KeepAlive struct {
	// IdlePing after the last byte from a client it is asked whether it is
	// still there, and cut off when PingTimeout passes without an answer.
	// 0 never asks.
	IdlePing    time.Duration
	PingTimeout time.Duration

	// TCPUserTimeout is how long sent data may stay unacknowledged by the
	// peer's network stack (TCP_USER_TIMEOUT, where the system has it).
	TCPUserTimeout time.Duration
}
