package notifier

import (
	"strconv"
	"strings"
	"time"

	"rollcall/sipgw/event"
	"rollcall/sipgw/profile"
	"rollcall/sipgw/rlmi"
	"rollcall/sipgw/transport"
)

// An asking is what a SUBSCRIBE asks for, as far as its headers say so.
type asking struct {
	pack    *pack
	event   event.Event
	granted time.Duration
	form    uint8
	contact transport.Address // of a refresh it may be missing
	profile *profile.Profile
	list    string // the group that the URI names; "" is none
}

// refuse is how a request is answered that cannot be granted.
func refuse(status int, fields ...transport.Field) *transport.Reply {
	return &transport.Reply{Status: status, Fields: fields}
}

func because(status int, reason string) *transport.Reply {
	return &transport.Reply{Status: status, Reason: reason}
}

// groupPrefix is what the user of a list's URI begins with: sip:blf-sales@example.org.
const groupPrefix = "blf-"

// groupIn is the group whose list a URI names, or "".
func groupIn(u transport.URI) string {
	if group, ok := strings.CutPrefix(transport.Unescape(u.User), groupPrefix); ok {
		return group
	}
	return ""
}

// ask reads a SUBSCRIBE (RFC 6665 §4.2.1).
func (n *Notifier) ask(r *transport.Request) (a asking, no *transport.Reply) {
	badEvent := refuse(489, transport.Field{Name: "Allow-Events", Value: n.allowed()})
	if !r.Has("Event") {
		return a, badEvent
	}
	var err error
	if a.event, err = event.ParseEvent(r.Header("Event")); err != nil || strings.ContainsAny(a.event.ID, " \t\",;<>") {
		return a, because(400, "Bad Event Header")
	}
	if a.pack = n.find(a.event); a.pack == nil {
		return a, badEvent
	}
	if len(r.Body()) > 0 { // a filter (RFC 4661), or a list of one's own (RFC 5367)
		return a, refuse(415, transport.Field{Name: "Accept"})
	}
	if no = a.contacts(r); no != nil {
		return a, no
	}
	a.profile = n.parts.Profiles.For(r.UserAgent())
	if n.parts.Group != nil && r.Initial() {
		a.list = groupIn(r.URI())
	}
	if r.Initial() { // later it stays as it is
		if no = n.accepts(&a, r); no != nil {
			return a, no
		}
	}
	asked := time.Duration(-1)
	if r.Has("Expires") {
		if asked = event.Seconds(r.Header("Expires")); asked < 0 {
			return a, because(400, "Bad Expires")
		}
	}
	var ok bool
	if a.granted, ok = a.pack.Grant(asked, event.Limits{Min: n.cfg.MinExpires, Max: n.cfg.MaxExpires}); !ok {
		return a, refuse(423, transport.Field{Name: "Min-Expires", Value: seconds(min(n.cfg.MinExpires, time.Hour))})
	}
	return a, nil
}

// contacts reads the one Contact. COMPAT(linphone, for good): an expires parameter,
// which is for REGISTER, means nothing.
func (a *asking) contacts(r *transport.Request) *transport.Reply {
	all, star, err := r.Contacts()
	switch {
	case err != nil || star || len(all) > 1 || len(all) == 0 && r.Initial():
		return because(400, "One Contact")
	case len(all) == 1:
		a.contact = all[0]
	}
	if len(all) == 1 && !a.contact.URI.IsSIP() {
		return because(400, "Bad Contact")
	}
	return nil
}

// accepts picks the type of the documents. COMPAT(baresip, linphone, for good): who
// sends no Accept, or an empty one, gets the type that everybody knows.
func (n *Notifier) accepts(a *asking, r *transport.Request) *transport.Reply {
	if a.list != "" && !r.Names("Supported", "eventlist") && !r.Names("Require", "eventlist") {
		return refuse(421, transport.Field{Name: "Require", Value: "eventlist"}) // RFC 4662 §4.2
	}
	lines := r.Lines("Accept")
	types := a.pack.Types
	if a.profile.XPIDF && len(types) > formX {
		if got := event.Accepted(types[formX:formX+1], lines...); got != "" && len(lines) > 0 {
			a.form = formX
			return nil
		}
	}
	got := event.Accepted(types, lines...)
	if got == "" && a.list != "" && event.Accepted([]string{rlmi.Multipart}, lines...) != "" {
		// COMPAT(BLF panels, for good): who says that it takes lists takes what is in
		// them, though RFC 4662 §4.3 wants that said.
		got = types[0]
	}
	for i := range types {
		if types[i] == got {
			a.form = uint8(i)
			return nil
		}
	}
	return refuse(406, transport.Field{Name: "Accept", Value: strings.Join(types, ", ")})
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// language is the first of our languages that a request asks for.
func (n *Notifier) language(r *transport.Request) string {
	var asked []string
	for _, v := range r.Values("Accept-Language") {
		tag, _, _ := strings.Cut(v, ";")
		asked = append(asked, strings.ToLower(strings.TrimSpace(tag)))
	}
	return n.parts.Catalogue().Language(asked...)
}
