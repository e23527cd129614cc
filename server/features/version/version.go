// Package version tells which software the server is (XEP-0092).
package version

import (
	"context"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

const namespace = "jabber:iq:version"

// Name is what the software is called.
const Name = "Rollcall"

// Feature tells name and version of the server.
type Feature struct {
	os string
	my *server.Server // fixed by Register
}

// New returns the feature. os is the operating system to tell people of; with
// "" they are not told, which is what XEP-0092 §5 wants to be possible.
func New(os string) *Feature { return &Feature{os: os} }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "version",
		Title: "Which software the server is",
		Specs: []server.Spec{{ID: "XEP-0092"}},
		Host:  []string{namespace},
	}
}

// Register puts the handler in place.
func (f *Feature) Register(r *server.Registry) {
	f.my = r.Server()
	r.IQ(server.ToHost, false, namespace, "query", f.tell)
}

func (f *Feature) tell(context.Context, *server.Request) ([]byte, error) {
	version := f.my.Version()
	if version == "" {
		version = "unknown" // the element is required: XEP-0092 §2
	}
	b := []byte("<query xmlns='" + namespace + "'>")
	b = stanza.AppendElement(b, "name", Name)
	b = stanza.AppendElement(b, "version", version)
	b = stanza.AppendElement(b, "os", f.os)
	return append(b, "</query>"...), nil
}
