package server

import (
	"time"

	"rollcall/xmpp/jid"
)

// Config is what the server needs to know of the configuration file. The
// config package fills it in and has checked every value before it gets here.
type Config struct {
	// Domains are the domains that are served, each once, in canonical form.
	Domains []Domain

	// Annexes are the domains that belong to this server and that somebody else
	// serves (see [Annex]), each once, in canonical form. None is among Domains.
	Annexes []string

	// Admins are the bare JIDs of the people who may use what is for
	// administrators only.
	Admins []jid.Bare

	// OutboxBytes bounds what one session may have waiting: unsent and sent but
	// not yet acknowledged together. A session over it is closed.
	OutboxBytes int

	// SessionsPerAccount bounds the resources that one account may have bound at
	// a time, those that wait to be resumed included. 0 means no bound.
	SessionsPerAccount int

	// ShutdownDeadline is how long a graceful stop may take before what is left
	// is cut off.
	ShutdownDeadline time.Duration
}

// Domain is one served domain.
type Domain struct {
	// Name is the domain in canonical form: lower case, no trailing dot.
	Name string

	// Anonymous says that people may log in here without an account
	// (SASL ANONYMOUS). Nobody else can log in to such a domain.
	Anonymous bool

	// Directory says that accounts here come from a directory of people. Who is not
	// in it gets an account from an operator and from nobody else.
	Directory bool
}
