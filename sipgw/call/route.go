package call

import (
	"context"
	"errors"
	"strings"

	"rollcall/presence/device"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/transport"
)

// A Call is a request outside of any dialog that wants to go somewhere.
type Call struct {
	Method string         // "INVITE", "MESSAGE"
	Caller *device.Device // nil: a PBX
	Peer   string         // the name of that
	From   string         // the address of who sends it, "sip:2001@example.org"
	To     transport.URI  // the Request-URI

	// Devices are those that To stands for; those that cannot be reached too. None:
	// there is nothing of the kind here.
	Devices []*device.Device
}

// A Target is where a request can go.
type Target struct {
	URI    string   // the Request-URI
	Routes []string // before it: the Path of a binding

	// Device is who is there, and Binding how it is registered. nil: it is not
	// registered here.
	Device  *device.Device
	Binding *registrar.Binding

	// Q is how much it is preferred, in thousandths: targets that are alike are tried at
	// once, and the others after them.
	Q uint16
}

// Router decides where requests go.
type Router interface {
	// Route returns the targets of a request, in any order. It must not wait for
	// anything slow. An error that was made by [Refuse] is what the caller hears;
	// [ErrNobody] is that what was called does not exist, and no target and no error,
	// that it cannot be reached.
	Route(ctx context.Context, c *Call) ([]Target, error)
}

// ErrNobody is the error of a [Router] for what does not exist.
var ErrNobody = errors.New("what is called does not exist")

// A Refusal is an error that is a response.
type Refusal struct {
	Status int
	Reason string // "" is the usual one
}

// Error implements error.
func (r *Refusal) Error() string { return "the call is refused: " + r.Reason }

// Refuse makes an error by which a [Router] refuses a request.
func Refuse(status int, reason string) error { return &Refusal{status, reason} }

// Plain is a [Router] that sends a request to all places where the devices are
// registered and answer, and for devices behind a PBX to the PBX. What comes from a PBX
// goes to no PBX: nobody is to call the world by way of us.
type Plain struct {
	// Bindings returns where an address of record is registered.
	Bindings func(aor string) []*registrar.Binding

	// Answers says whether a device answers, as far as one knows. nil: all do.
	Answers func(*registrar.Binding) bool

	// Upstream returns the URI of a device at its PBX. nil: none has one.
	Upstream func(*device.Device) (uri string, ok bool)

	// Domain is that of the addresses of record.
	Domain string
}

// Route implements [Router].
func (p *Plain) Route(_ context.Context, c *Call) (all []Target, err error) {
	if len(c.Devices) == 0 {
		return nil, ErrNobody
	}
	for _, d := range c.Devices {
		switch {
		case d.Disabled:
		case d == c.Caller && len(c.Devices) > 1: // a number that it shares with others
		case d.Here():
			all = p.registered(all, d)
		case p.Upstream != nil && c.Caller != nil:
			if uri, ok := p.Upstream(d); ok {
				all = append(all, Target{URI: uri, Device: d, Q: 1000})
			}
		}
	}
	return all, nil
}

func (p *Plain) registered(all []Target, d *device.Device) []Target {
	for _, b := range p.Bindings(AOR(d, p.Domain)) {
		if p.Answers == nil || p.Answers(b) {
			all = append(all, Target{URI: b.Contact, Routes: b.Path, Device: d, Binding: b, Q: b.Q})
		}
	}
	return all
}

// AOR is the address of record of a device.
func AOR(d *device.Device, domain string) string { return d.User + "@" + domain }

// called finds the devices that a URI stands for: by the user that a device registers
// as or the local part of its address, by a number, or by the account of a person.
func (p *Proxy) called(u transport.URI) []*device.Device {
	picture := p.parts.Devices()
	if !u.IsSIP() {
		number, _, _ := strings.Cut(u.Opaque, ";")
		return byNumber(picture, number)
	}
	domain, ours := p.parts.Domain(strings.ToLower(u.Host))
	if !ours || u.User == "" {
		return nil
	}
	user := transport.Unescape(u.User)
	if domain == picture.Domain() {
		if d := picture.ByUser(user); d != nil {
			return []*device.Device{d}
		}
		if d := picture.ByID(user); d != nil {
			return []*device.Device{d}
		}
	}
	if mine := owned(picture, user, u.Host); mine != nil {
		return mine
	}
	user, _, _ = strings.Cut(user, ";") // RFC 3261 §19.1.6
	return byNumber(picture, user)
}

func byNumber(picture *device.Picture, s string) []*device.Device {
	number, err := device.ParseNumber(s)
	if err != nil {
		return nil
	}
	return picture.ByNumber(number)
}
