package door

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"rollcall/sipgw/addr"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/transport"
)

// Register answers a REGISTER.
func (d *Door) Register(r *transport.Request) {
	if !r.Accept("path", "outbound") {
		return
	}
	// RFC 3261 §10.3 steps 1 and 5, as far as they tell nothing of who there is.
	_, ours := d.parts.Domain(strings.ToLower(r.URI().Host))
	aor, valid := d.aor(r.To().URI)
	if !ours || !valid {
		r.Respond(404, "")
		return
	}
	user, fields, ok := d.Who(r)
	if !ok {
		return
	}
	if !d.parts.May(user, aor) {
		r.Respond(403, "", fields...)
		return
	}
	reg, err := registration(r, aor)
	if err != nil {
		r.Respond(400, "Bad Contact Or Path", fields...)
		return
	}
	if len(reg.Path) > 0 && !d.leadsBack(reg.Path[0], r.Flow().Remote().Addr()) {
		r.Respond(403, "Path Leads Elsewhere", fields...)
		return
	}
	now := time.Now()
	got := d.parts.Registrar.Register(now, reg)
	r.Respond(got.Status, got.Reason, append(fields, answer(r, got, now)...)...)
}

// registration reads what a REGISTER asks for.
func registration(r *transport.Request, aor string) (registrar.Registration, error) {
	contacts, star, err := registrar.ParseContacts(r.Lines("Contact"))
	if err != nil {
		return registrar.Registration{}, err
	}
	path, err := registrar.ParsePath(r.Lines("Path"))
	if err != nil {
		return registrar.Registration{}, err
	}
	return registrar.Registration{
		AOR: aor, CallID: r.CallID(), CSeq: r.CSeq(), Contacts: contacts, Star: star, Expires: seconds(r), Path: path,
		Supported: r.Lines("Supported"),
		FirstHop:  r.Count("Via") == 1, Flow: Flow(r.Flow()), UserAgent: r.UserAgent(),
	}, nil
}

// leadsBack says whether the first hop of a Path (RFC 3327 §5.3) is where the request
// comes from, or whoever sends it is trusted to name another. Else whoever has the secret
// of one device could have calls to it sent, in our name, to whom they like: to a PBX
// that knows us by our address.
func (d *Door) leadsBack(hop string, from netip.Addr) bool {
	if d.parts.Trusted != nil && d.parts.Trusted(from) {
		return true
	}
	f, err := addr.ParseField(hop)
	if err != nil {
		return false
	}
	uri, err := addr.Parse(f.URI)
	if err != nil {
		return false
	}
	at, err := netip.ParseAddr(strings.Trim(uri.Host, "[]"))
	return err == nil && at.Unmap() == from.Unmap()
}

// answer makes the header fields of the answer.
func answer(r *transport.Request, got *registrar.Result, now time.Time) (fields []transport.Field) {
	fields = make([]transport.Field, 0, 4)
	add := func(name, value string) { fields = append(fields, transport.Field{Name: name, Value: value}) }
	switch got.Status {
	case 423:
		add("Min-Expires", strconv.FormatInt(got.MinExpires, 10))
	case 420:
		add("Unsupported", strings.Join(got.Unsupport, ", "))
	case 200:
		for _, c := range got.Contacts(now) {
			add("Contact", c)
		}
		if r.Names("Supported", "path") { // RFC 3327 §5.3
			for _, p := range got.Path {
				add("Path", p)
			}
		}
		if got.Outbound && r.Names("Supported", "outbound") { // RFC 5626 §6
			add("Require", "outbound")
		}
		add("Date", now.UTC().Format(http.TimeFormat))
	}
	return fields
}
