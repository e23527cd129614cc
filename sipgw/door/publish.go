package door

import (
	"strconv"
	"time"

	"rollcall/sipgw/publish"
	"rollcall/sipgw/transport"
)

// Publish answers a PUBLISH.
func (d *Door) Publish(r *transport.Request) {
	if !r.Accept() {
		return
	}
	resource, ours := d.aor(r.URI())
	if !ours {
		r.Respond(404, "")
		return
	}
	user, fields, ok := d.Who(r)
	if !ok {
		return
	}
	if !d.parts.May(user, resource) {
		r.Respond(403, "", fields...)
		return
	}
	event, _ := r.Event()
	got := d.parts.Compositor.Publish(time.Now(), publish.Request{
		Resource: resource, Event: event, IfMatch: r.Lines("SIP-If-Match"), Expires: seconds(r), Publisher: user,
		ContentType: r.ContentType(), Body: r.Body(),
	})
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, transport.Field{Name: name, Value: value})
		}
	}
	add("SIP-ETag", got.ETag)
	add("Accept", got.Accept)
	add("Allow-Events", got.AllowEvents)
	switch got.Status {
	case 200:
		add("Expires", strconv.FormatInt(got.Expires, 10))
	case 423:
		add("Min-Expires", strconv.FormatInt(got.MinExpires, 10))
	}
	r.Respond(got.Status, got.Reason, fields...)
}
