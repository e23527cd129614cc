package transport

import (
	"net/netip"
	"time"
)

// Config is what the transport needs to know of the configuration file. The
// config package fills it in and has checked every value before it gets here.
type Config struct {
	// Listen are addresses for UDP and TCP both; the others for their kind alone.
	Listen    []string
	ListenTLS []string
	ListenWS  []string
	ListenWSS []string

	// Advertise is the host name or address that others are told to reach us at;
	// "" is the address of the socket.
	Advertise string

	Limits Limits
}

// Limits bound what one source, and all together, may cost before anybody has
// proved who they are.
type Limits struct {
	// Rate is how many requests of one class (registrations, subscriptions, calls
	// and so on) one address and port may send in a second, once it has used up
	// Burst. AddressRate and AddressBurst are for all requests of an IP address
	// together (an IPv6 /64 counts as one). 0 means no bound.
	Rate         int
	Burst        int
	AddressRate  int
	AddressBurst int

	// Trusted are left out of all that counts by address.
	Trusted []netip.Prefix

	// Message bounds one message, Headers the lines before its body.
	Message int
	Headers int

	// Transactions bounds the requests that wait for our answer, and those of ours
	// that wait for one. Remembered is how many are known that have been answered,
	// in case they are sent again; where there are more, the oldest are forgotten.
	Transactions int
	Remembered   int

	// Connections bounds all connections, ConnectionsPerAddress those of one IP
	// address. Idle is how long a connection may say nothing.
	Connections           int
	ConnectionsPerAddress int
	Idle                  time.Duration
}

// orDefaults fills in what a Config made by hand leaves out: sizes that cannot be
// without bound.
func (l Limits) orDefaults() Limits {
	def := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	def(&l.Message, 64<<10)
	def(&l.Headers, 128)
	def(&l.Transactions, 50_000)
	def(&l.Remembered, 10_000)
	def(&l.Connections, 10_000)
	def(&l.ConnectionsPerAddress, 1000)
	if l.Idle <= 0 {
		l.Idle = 10 * time.Minute
	}
	return l
}

// trusts reports whether an address is left out of what counts by address.
func (l *Limits) trusts(a netip.Addr) bool {
	for _, p := range l.Trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
