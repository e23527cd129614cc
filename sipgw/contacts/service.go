package contacts

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// States are those of the devices.
type States interface {
	State(presence.Subject) *presence.Effective
}

// Watch tells which subjects have changed.
type Watch interface {
	Next(context.Context) ([]presence.Subject, error)
}

// Audience says how much watchers see, and in which words. It never changes.
type Audience interface {
	Level(watcher jid.Bare, device presence.Subject) presence.Level
	Show(e *presence.Effective, l presence.Level) presence.Shown
	Language() string
}

// Groups say whom shared groups show a device to.
type Groups interface {
	Sees(watcher, device jid.Bare) bool
	Watchers(device jid.Bare) iter.Seq[jid.Bare]
}

// Store keeps who has subscribed to devices by themselves.
type Store interface {
	LoadSubscribers(context.Context) ([]Subscriber, error)
	// SetSubscriber adds one, or removes it.
	SetSubscriber(ctx context.Context, s Subscriber, subscribed bool) error
}

// Subscriber is somebody who has subscribed to a device.
type Subscriber struct{ Watcher, Device jid.Bare }

// Parts are what a service needs.
type Parts struct {
	Devices func() *device.Picture
	States  States
	Watch   Watch

	// Audience and Groups are those in force; see [Service.Grade]. Without groups there
	// are only those who have subscribed.
	Audience func() Audience
	Groups   func() Groups

	// Online says whether somebody is there to be told. nil: all are taken to be.
	Online func(jid.Bare) bool

	// Operator says who may list all devices.
	Operator func(jid.Bare) bool

	// Agent returns what a device calls its program, or "". nil: nobody knows.
	Agent func(*device.Device) string

	// Text takes a message to a device that its sender sees, or an error about one of a
	// device. nil: devices read nothing.
	Text func(st *stanza.Stanza, from, to jid.JID) error

	// Send sends a stanza, which has its addresses, on its way. It must not block.
	Send func(context.Context, []byte) error

	// Room waits until much can be sent at once. nil: it always can.
	Room func(context.Context) error

	// Apart says that rosters are kept by another server, beyond a link that may break. A
	// probe then stands for a subscription that is not known here: that server would not
	// send it otherwise.
	Apart bool

	// Features are what the domain can do besides, and DeviceFeatures what devices can.
	Features, DeviceFeatures []string

	Store   Store
	Version string
	Log     *slog.Logger
}

// Service serves the domain of the devices. It is safe for use by many goroutines.
type Service struct {
	parts Parts         // fixed
	can   []string      // fixed: the features of a device, in order
	grade chan struct{} // holds a token if the audience is another one
	again chan struct{} // holds a token if all have to be told anew
	ctx   atomic.Pointer[context.Context]

	mu          sync.Mutex // guards the fields below
	subscribers map[jid.Bare][]jid.Bare
	meanwhile   map[jid.Bare]*told // what some were shown since all were told
	writing     []change           // not stored yet, in order

	// Owned by Run.
	told     map[jid.Bare]*told
	audience Audience // by which all have been told
	write    chan struct{}
}

// change is what is to be stored.
type change struct {
	Subscriber
	subscribed bool
}

// New returns a service that knows no subscribers yet.
func New(parts Parts) *Service {
	return &Service{
		parts: parts, can: slices.Sorted(slices.Values(slices.Concat(deviceFeatures, parts.DeviceFeatures))), grade: make(chan struct{}, 1), again: make(chan struct{}, 1), write: make(chan struct{}, 1),
		subscribers: map[jid.Bare][]jid.Bare{}, meanwhile: map[jid.Bare]*told{}, told: map[jid.Bare]*told{},
	}
}

// Load reads who has subscribed to what. It is to be called first.
func (s *Service) Load(ctx context.Context) error {
	all, err := s.parts.Store.LoadSubscribers(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range all {
		s.subscribers[x.Device] = append(s.subscribers[x.Device], x.Watcher)
	}
	return nil
}

// Shows reports whether somebody sees a device, and so may know that there is one.
func (s *Service) Shows(watcher, of jid.Bare) bool {
	d, _ := s.seen(watcher, of)
	return d != nil
}

// Take takes a stanza for the domain. The error is for its sender.
func (s *Service) Take(st *stanza.Stanza, from, to jid.JID) error {
	switch st.Kind {
	case stanza.Presence:
		return s.presence(st, from, to)
	case stanza.IQ:
		return s.iq(st, from, to)
	case stanza.Message:
		return s.message(st, from, to)
	}
	return nil
}

// message takes messages. To those who see no such device there is none (RFC 6121
// §8.5.1).
func (s *Service) message(st *stanza.Stanza, from, to jid.JID) error {
	answer := st.IsType("error")
	if !answer {
		if d, _ := s.seen(from.Bare(), to.Bare()); d == nil {
			return stanza.ErrServiceUnavailable
		}
	}
	switch {
	case s.parts.Text != nil:
		return s.parts.Text(st, from, to)
	case answer:
		return nil
	}
	return stanza.Refuse(stanza.ErrNotImplemented, "This device cannot receive text")
}

// seen returns a device and how much somebody sees of it, or nil if there is none or
// it is hidden from them: which of these, they do not learn.
func (s *Service) seen(watcher, of jid.Bare) (*device.Device, presence.Level) {
	d := s.parts.Devices().ByJID(of)
	if d == nil {
		return nil, presence.Hidden
	}
	l := s.parts.Audience().Level(watcher, of)
	if l == presence.Hidden {
		return nil, l
	}
	return d, l
}

// send sends a stanza; false if it could not be.
func (s *Service) send(b []byte) bool {
	ctx := context.Background()
	if c := s.ctx.Load(); c != nil {
		ctx = *c
	}
	err := s.parts.Send(ctx, b)
	if err != nil && ctx.Err() == nil {
		s.parts.Log.Debug("a device's stanza could not be sent", "err", err)
	}
	return err == nil
}
