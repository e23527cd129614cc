package message

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/address"
	"rollcall/sipgw/transport"
	"rollcall/xmpp/jid"
)

// Config is what messages need to know of the configuration file.
type Config struct {
	// Strict has all that comes from devices be of type normal, as RFC 7572 §5 says.
	Strict bool

	// Rate is how many messages a device may send in a second, once it has used up Burst.
	// 0 is [DefaultRate] and [DefaultBurst].
	Rate, Burst int
}

// Defaults of a [Config].
const (
	DefaultRate  = 2
	DefaultBurst = 20
)

// Limits.
const (
	MaxRequest = 1300     // bytes of a request of ours (RFC 3428 §8, RFC 7572 §6)
	MaxText    = 16 << 10 // bytes of a text from a device

	maxWaiting = 16     // messages that wait for a device
	maxTalks   = 10_000 // pairs that are remembered
	maxDeaf    = 10_000 // devices that are remembered not to read
	maxPending = 10_000 // requests from devices that wait for the server's answer
)

// Sender sends requests: a [transport.Transport] is one.
type Sender interface {
	Start(transport.Outgoing, func(*transport.Response, error)) *transport.Call
}

// Route is a place where a device can be reached.
type Route struct {
	URI    string         // the Request-URI
	Routes []string       // before it: the Path of a binding
	Flow   transport.Flow // the one it has registered by; none: URI and Routes say
	Agent  string         // what its program calls itself, or ""
}

// Parts are what a service needs.
type Parts struct {
	Config Config

	Devices func() *device.Picture

	// Routes returns where a device can be reached now: where it is registered and
	// answers, or its PBX. It must not wait for anything slow.
	Routes func(*device.Device) []Route

	// SIP sends to devices.
	SIP Sender

	// Who finds out who sends a request, or else answers it. Fields go into the answer.
	// It has to ask as Elsewhere does, lest strangers learn what goes there.
	Who func(*transport.Request) (user string, fields []transport.Field, ok bool)

	// Ours says which hosts stand for the devices, and People which domains have
	// accounts here. Home is the one of those that a person is looked for at whose address
	// has only a host of ours; "" is none.
	Ours   func(host string) bool
	People func(domain string) bool
	Home   string

	// Addresses translates them; nil leaves domains as they are.
	Addresses *address.Mapper

	// Elsewhere takes the MESSAGE requests that are not for people. nil: they are
	// answered 404.
	Elsewhere transport.Handler

	// Send sends a stanza, which has its addresses, on its way. Errors about it come back
	// to Take: before Send returns, or within Patience.
	Send     func(context.Context, []byte) error
	Patience time.Duration

	// Stored calls f when all that was sent so far is stored, or cannot be. It must not
	// wait for that. nil: nothing has to be.
	Stored func(f func(stored bool))

	Log *slog.Logger
}

// Service carries messages. It is safe for use by many goroutines.
type Service struct {
	parts Parts         // fixed
	wake  chan struct{} // holds a token if there may be something due earlier

	mu      sync.Mutex // guards the fields below; nobody is called under it
	talks   memory
	deaf    map[jid.Bare]deafness
	queues  map[jid.Bare]*queue // of devices that have been sent something just now
	pending map[ticket]*taken
	buckets map[jid.Bare]bucket
	outbox  []parcel // has no more than pending, and one for each letter
	cseq    uint32
}

// New returns a service.
func New(parts Parts) *Service {
	if parts.Addresses == nil {
		parts.Addresses = &address.Mapper{}
	}
	if parts.Config.Rate <= 0 {
		parts.Config.Rate = DefaultRate
	}
	if parts.Config.Burst <= 0 {
		parts.Config.Burst = DefaultBurst
	}
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{
		parts: parts, wake: make(chan struct{}, 1), talks: newMemory(maxTalks),
		deaf: map[jid.Bare]deafness{}, queues: map[jid.Bare]*queue{}, pending: map[ticket]*taken{}, buckets: map[jid.Bare]bucket{},
	}
}

// Run hands stanzas to the server and does what is due at a time, until ctx ends:
// whoever writes is said to write on, and whoever has stopped without a word to have
// stopped.
func (s *Service) Run(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.hand(ctx)
		next := s.tick(time.Now())
		wait := time.Hour
		if !next.IsZero() {
			wait = max(0, time.Until(next))
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-s.wake:
		}
	}
}

// stir has Run look again at what is due.
func (s *Service) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// parcel is a stanza for the server, and the request that waits for what becomes of it.
type parcel struct {
	raw []byte
	p   *taken // nil: none does
}

// send has Run hand a stanza to the server: the server may wait for its database, and
// whoever reads a socket must not.
func (s *Service) send(raw []byte) {
	s.mu.Lock()
	s.outbox = append(s.outbox, parcel{raw: raw})
	s.mu.Unlock()
	s.stir()
}

// hand hands the server what has been sent.
func (s *Service) hand(ctx context.Context) {
	for ctx.Err() == nil {
		s.mu.Lock()
		all := s.outbox
		s.outbox = nil
		s.mu.Unlock()
		if len(all) == 0 {
			return
		}
		for _, x := range all {
			err := s.parts.Send(ctx, x.raw)
			if err != nil && ctx.Err() == nil {
				s.parts.Log.Debug("a device's message could not be sent", "err", err)
			}
			if x.p != nil {
				s.handed(x.p, err)
			}
		}
	}
}
