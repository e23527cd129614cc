// Package entitytime tells the time at the server (XEP-0202).
package entitytime

import (
	"context"
	"fmt"
	"time"

	"rollcall/server"
)

const namespace = "urn:xmpp:time"

// Feature tells the server's time and its offset from UTC.
type Feature struct{}

// New returns the feature.
func New() *Feature { return &Feature{} }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "entitytime",
		Title: "The time at the server",
		Specs: []server.Spec{{ID: "XEP-0202"}, {ID: "XEP-0082", Note: "dates and times as the protocols need them"}},
		Host:  []string{namespace},
	}
}

// Register puts the handler in place.
func (*Feature) Register(r *server.Registry) {
	r.IQ(server.ToHost, false, namespace, "time", func(context.Context, *server.Request) ([]byte, error) {
		return tell(time.Now()), nil
	})
}

// tell writes a time in the profile of XEP-0082, with the offset of its zone.
// A zone off by seconds, as there were before there was a standard time, is cut
// to minutes: more cannot be written.
func tell(now time.Time) []byte {
	_, offset := now.Zone()
	sign, minutes := '+', offset/60
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	return fmt.Appendf(nil, "<time xmlns='%s'><tzo>%c%02d:%02d</tzo><utc>%s</utc></time>",
		namespace, sign, minutes/60, minutes%60, now.UTC().Format("2006-01-02T15:04:05Z"))
}
