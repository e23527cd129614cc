// Package ping answers when somebody asks whether the server is there
// (XEP-0199).
package ping

import (
	"context"

	"rollcall/server"
)

const namespace = "urn:xmpp:ping"

// Feature answers pings.
type Feature struct{}

// New returns the feature.
func New() *Feature { return &Feature{} }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:    "ping",
		Title:   "Asking whether the server is there",
		Specs:   []server.Spec{{ID: "XEP-0199"}},
		Host:    []string{namespace},
		Account: []string{namespace},
	}
}

// Register puts the handlers in place. The accounts of others have none, so
// that a ping does not tell whether they exist (XEP-0199 §7).
func (*Feature) Register(r *server.Registry) {
	r.IQ(server.ToHost, false, namespace, "ping", pong)
	r.IQ(server.ToSelf, false, namespace, "ping", pong) // XEP-0199 §4.2
}

// pong succeeds, and that is all there is to say.
func pong(context.Context, *server.Request) ([]byte, error) { return nil, nil }
