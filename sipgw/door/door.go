// Package door lets devices in: it finds out who sends a request, and takes
// REGISTER (RFC 3261 §10.3) and PUBLISH (RFC 3903 §6) to the registrar and the
// compositor.
//
// Whoever has not proved who they are learns nothing of who there is: a device that
// does not exist is asked for its secret like any other. Whoever has, may register
// and publish for some addresses; of all others they hear that it is forbidden.
package door

import (
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"rollcall/sipgw/digest"
	"rollcall/sipgw/publish"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/transport"
)

// Parts are what a door needs.
type Parts struct {
	Verifier   *digest.Verifier
	Registrar  *registrar.Registrar
	Compositor *publish.Compositor

	// Secrets returns what is kept of a user's secret.
	Secrets digest.Lookup

	// Domain returns the domain that a host in a URI stands for: itself, or that of the
	// devices for an address of ours, which phones are often given instead. ok is false
	// for what is not ours.
	Domain func(host string) (domain string, ok bool)

	// May says whether a user may register, or publish, for an address of record.
	May func(user, aor string) bool

	// OnlyMD5 says whether a make of phones, by its User-Agent, does not get along with
	// any other algorithm being offered. It is told nothing that others are not. nil: all
	// do.
	OnlyMD5 func(userAgent string) bool

	// Trusted says whether who is at an address may have devices reached by somebody
	// else (a proxy with several addresses). nil: nobody may.
	Trusted func(netip.Addr) bool

	// Heard is told of the flow that a device has sent something by. nil: nobody is.
	Heard func(now time.Time, f registrar.Flow)

	Log *slog.Logger
}

// Door lets devices in. It is safe for use by many goroutines.
type Door struct {
	parts Parts // fixed

	mu      sync.Mutex // guards the fields below
	logged  time.Time  // when a failure was last logged
	silence int        // how many were not, since
}

// New returns a door.
func New(parts Parts) *Door { return &Door{parts: parts} }

// Flow is a flow as the registrar keeps it; [transport.Transport.Named] finds it
// again.
func Flow(f transport.Flow) registrar.Flow {
	if f.IsZero() {
		return registrar.Flow{}
	}
	return registrar.Flow{
		Transport: registrar.Transport(f.Kind()), Remote: f.Remote(), Local: f.Local(), ID: f.Connection(),
	}
}

// Closed is for [transport.Transport.OnFlowClosed].
func (d *Door) Closed(f transport.Flow) { d.parts.Registrar.Closed(time.Now(), f.Connection()) }

// way is how somebody is asked who they are.
type way struct {
	status                  int
	challenge, answer, info string // names of header fields
}

var (
	toUs      = way{401, "WWW-Authenticate", "Authorization", "Authentication-Info"}
	throughUs = way{407, "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info"}
)

// Who finds out who sends a request that is for us (RFC 3261 §22.2). If that is not
// known the request is answered, and ok is false. Fields are to be in the answer to
// it.
func (d *Door) Who(r *transport.Request) (user string, fields []transport.Field, ok bool) {
	return d.who(r, toUs)
}

// WhoPasses is [Door.Who] for a request that is passed on (RFC 3261 §22.3). The
// credentials are for us and nobody else: they are not to be passed on.
func (d *Door) WhoPasses(r *transport.Request) (user string, fields []transport.Field, ok bool) {
	return d.who(r, throughUs)
}

func (d *Door) who(r *transport.Request, by way) (user string, fields []transport.Field, ok bool) {
	now := time.Now()
	v := d.parts.Verifier.Check(now, digest.Request{
		Method: r.Method(), URI: r.Target(), Authorization: r.Lines(by.answer),
	}, d.parts.Secrets)
	switch v.Outcome {
	case digest.Granted:
		if d.parts.Heard != nil {
			d.parts.Heard(now, Flow(r.Flow()))
		}
		if info := v.Info(); info != "" {
			fields = []transport.Field{{Name: by.info, Value: info}}
		}
		return v.User, fields, true
	case digest.Malformed:
		r.Respond(400, "Bad "+by.answer)
	default:
		challenge := d.parts.Verifier.Challenge(now, v.Outcome == digest.Stale)
		if d.parts.OnlyMD5 != nil && d.parts.OnlyMD5(r.UserAgent()) {
			challenge = digest.Only(digest.MD5, challenge)
		}
		for _, value := range challenge {
			fields = append(fields, transport.Field{Name: by.challenge, Value: value})
		}
		r.Respond(by.status, "", fields...)
	}
	if v.Outcome == digest.Denied || v.Outcome == digest.Malformed {
		d.failed(now, r, v)
	}
	return "", nil, false
}

// oneLine is how often a failure is logged.
const oneLine = 10 * time.Second

// failed logs that somebody could not prove who they are (RFC 7616 §3.4), one line
// for many. The name may be a secret that was typed into the wrong field: it is
// logged only if somebody has it.
func (d *Door) failed(now time.Time, r *transport.Request, v digest.Verdict) {
	d.mu.Lock()
	if now.Sub(d.logged) < oneLine {
		d.silence++
		d.mu.Unlock()
		return
	}
	more := d.silence
	d.logged, d.silence = now, 0
	d.mu.Unlock()
	user := ""
	if _, known := d.parts.Secrets(v.User); known {
		user = v.User
	}
	d.parts.Log.Info("somebody could not prove who they are", "user", user, "peer", r.Flow().String(), "why", v.Outcome.String(), "err", v.Err, "others", more)
}

// aor returns the address of record that a URI is about; ok is false if it is not at
// a domain of ours.
func (d *Door) aor(u transport.URI) (aor string, ok bool) {
	if !u.IsSIP() || u.User == "" {
		return "", false
	}
	domain, ok := d.parts.Domain(strings.ToLower(u.Host))
	return transport.Unescape(u.User) + "@" + domain, ok
}

// seconds is the value of Expires, or -1 if there is none that can be understood.
func seconds(r *transport.Request) int64 {
	if n, ok := r.Seconds("Expires"); ok {
		return int64(n)
	}
	return -1
}
