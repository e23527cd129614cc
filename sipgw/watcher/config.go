package watcher

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"rollcall/sipgw/rich"
	"rollcall/sipgw/transport"
)

// Config says whom to watch, and how. The config package has checked every value
// before it gets here.
type Config struct {
	Upstreams []Upstream

	// Expires is how long subscriptions are asked to last.
	Expires time.Duration

	// Rate is how many requests one PBX gets in a second at most.
	Rate int

	// Phones says that phones that register here are asked for their calls.
	Phones bool
}

// Upstream is a PBX that devices are registered at.
type Upstream struct {
	Name      string // what devices call it
	Host      string // with a port, if it is not the usual one
	Transport string // "udp", "tcp" or "tls"; "" is udp
	Proxy     string // where requests go first, a SIP URI; "" is there

	// User and Secret are who we are there; without a user nobody is asked for. The
	// secret is in SecretFile if that is not "".
	User       string
	Secret     string
	SecretFile string

	Packages []string // "dialog", "presence", "reg"

	// Line is what a device is called there: text with {user} and {number} in it; "" is
	// {user}.
	Line string

	// Exchange says that "busy" is a call, even of a line that is closed.
	Exchange bool

	// Notes translates notes into states, see [rich.Trunk]. Nil does not read them.
	Notes map[string]string

	// CallsFrom are the addresses that its calls come from, and Certificate the name in
	// the certificate by which it proves that they are its own; see [Upstream.Calls].
	// Without either it has to prove who it is as devices do.
	CallsFrom   []netip.Prefix
	Certificate string
}

// Calls reports whether what comes by a flow is from the PBX, so that it is believed who
// calls.
func (u *Upstream) Calls(f transport.Flow) bool {
	switch {
	case browsers(f):
		return false
	case u.Certificate != "" && !f.Proves(u.Certificate):
		return false
	case len(u.CallsFrom) == 0:
		return u.Certificate != ""
	}
	from := f.Remote().Addr()
	return slices.ContainsFunc(u.CallsFrom, func(p netip.Prefix) bool { return p.Contains(from) })
}

// browsers reports whether a flow is by WebSocket. What brings browsers here, a web server
// beside a PBX say, has them all come from its own address: so that is not a PBX's.
func browsers(f transport.Flow) bool { return f.Kind() == transport.WS || f.Kind() == transport.WSS }

// same reports whether two are the same to a subscription.
func (u *Upstream) same(o *Upstream) bool {
	return u.Name == o.Name && u.Host == o.Host && u.Transport == o.Transport && u.Proxy == o.Proxy &&
		u.User == o.User && u.Secret == o.Secret && u.SecretFile == o.SecretFile && u.Line == o.Line &&
		u.Exchange == o.Exchange && slices.Equal(u.Packages, o.Packages) && sameNotes(u.Notes, o.Notes)
}

func sameNotes(a, b map[string]string) bool {
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// trunk says how its documents are to be read.
func (u *Upstream) trunk() rich.Trunk { return rich.Trunk{Exchange: u.Exchange, Notes: u.Notes} }

// line is the address of a line there, as it stands in To. ok is false for a device
// that has no such address: there is no number.
func (u *Upstream) line(user string, numbers []string) (address string, ok bool) {
	name := u.Line
	if name == "" {
		name = "{user}"
	}
	if strings.Contains(name, "{number}") {
		if len(numbers) == 0 {
			return "", false
		}
		name = strings.ReplaceAll(name, "{number}", numbers[0])
	}
	name = strings.ReplaceAll(name, "{user}", user)
	return "sip:" + transport.EscapeUser(name) + "@" + u.Host, true
}

// user is the opposite of line, for one that has one place in it: the user, or the number,
// that it is made of. ok is false if it is not made so.
func (u *Upstream) user(name string) (user string, ok bool) {
	before, rest, found := strings.Cut(u.Line, "{")
	if !found {
		return name, name != ""
	}
	_, after, _ := strings.Cut(rest, "}")
	name, starts := strings.CutPrefix(name, before)
	name, ends := strings.CutSuffix(name, after)
	return name, starts && ends && name != "" && !strings.Contains(after, "{")
}

// target is the Request-URI for an address there.
func (u *Upstream) target(address string) string {
	if u.Transport == "" || u.Transport == "udp" {
		return address
	}
	return address + ";transport=" + u.Transport
}

// Package is an event package that is subscribed to.
type Package uint8

// The packages.
const (
	Dialog Package = iota
	Presence
	Reg
	NumPackages
)

var packageNames = [NumPackages]string{"dialog", "presence", "reg"}

// String is the name in an Event header.
func (p Package) String() string { return packageNames[p] }

// PackageNames are those that can be subscribed to.
func PackageNames() []string { return packageNames[:] }

// accepts are the types of documents.
var accepts = [NumPackages]string{
	"application/dialog-info+xml", "application/pidf+xml, application/xpidf+xml", "application/reginfo+xml",
}

// wants reports whether a package is subscribed to there.
func (u *Upstream) wants(p Package) bool { return slices.Contains(u.Packages, p.String()) }
