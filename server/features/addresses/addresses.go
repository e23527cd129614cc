// Package addresses tells whom to turn to about the service: for help, about
// abuse, with what ought to be fixed (XEP-0157). The addresses are part of what
// service discovery says of the server; whoever answers that is given
// [Feature.Forms].
package addresses

import (
	"sync/atomic"

	"rollcall/server"
	"rollcall/xmpp/form"
)

// formType is the FORM_TYPE of XEP-0157 §3.
const formType = "http://jabber.org/network/serverinfo"

// Config are the addresses for each purpose, as URIs. It may change while the
// server runs: see [Feature.Configure].
type Config struct {
	Abuse, Admin, Feedback, Sales, Security, Status, Support []string
}

// Feature has the addresses.
type Feature struct{ cfg atomic.Pointer[Config] }

// New returns the feature.
func New(c Config) *Feature {
	f := new(Feature)
	f.Configure(c)
	return f
}

// Configure changes the addresses of a running server.
func (f *Feature) Configure(c Config) { f.cfg.Store(&c) }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "addresses",
		Title: "Whom to turn to about the service",
		Specs: []server.Spec{{ID: "XEP-0157"}},
	}
}

// Register does nothing: it is service discovery that is asked.
func (*Feature) Register(*server.Registry) {}

// Forms returns what belongs into the information about the server (XEP-0128):
// one form with what there is, or none.
func (f *Feature) Forms() []form.Form {
	c := f.cfg.Load()
	out := form.Form{Type: formType}
	for _, x := range []struct {
		name string
		list []string
	}{
		{"abuse", c.Abuse}, {"admin", c.Admin}, {"feedback", c.Feedback}, {"sales", c.Sales},
		{"security", c.Security}, {"status", c.Status}, {"support", c.Support},
	} {
		if len(x.list) > 0 {
			out.Fields = append(out.Fields, form.Field{Var: x.name + "-addresses", Kind: form.ListMulti, Values: x.list})
		}
	}
	if len(out.Fields) == 0 {
		return nil
	}
	return []form.Form{out}
}
