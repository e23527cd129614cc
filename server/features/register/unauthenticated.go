package register

import (
	"context"
	"net/netip"
	"time"

	mellium "mellium.im/xmpp/stanza"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// StreamFeature returns what to add to the features of a stream before login: the
// stream feature of §8, or nothing where nobody can make an account.
func (f *Feature) StreamFeature(domain string) []byte {
	if !f.open(domain) {
		return nil
	}
	return []byte(offer)
}

func (f *Feature) open(domain string) bool {
	d, here := f.srv.Domain(domain)
	// Where there is a directory of people somebody could take a name out of it.
	return here && !d.Anonymous && !d.Directory && f.cfg.Load().Open
}

// Unauthenticated answers a stanza that came on a stream to domain before
// login. reply is the whole answer, an <iq/> of type result or error to be sent
// as it is. mine is false, and there is no answer, if it is no request for
// registration: then the stream has to decide. Its client stays as
// unauthenticated as it was, and logs in by SASL if it likes.
//
// It may wait for the database and for keys to be derived, so a stream's reader
// calls it and nobody else.
func (f *Feature) Unauthenticated(ctx context.Context, domain string, from netip.Addr, st *stanza.Stanza) (reply []byte, mine bool) {
	if st.Kind != stanza.IQ || !st.IsType("get") && !st.IsType("set") || !st.Has(namespace, "query") {
		return nil, false
	}
	payload, err := f.stranger(ctx, domain, from, st)
	b := []byte("<iq type='result'")
	if err != nil {
		b = []byte("<iq type='error'")
	}
	b = stanza.AppendAttr(b, "from", domain)
	b = append(stanza.AppendAttr(b, "id", stanza.Text(st.ID)), '>')
	if err != nil {
		refusal, known := stanza.AsError(err)
		if !known {
			f.srv.Log().Error("an account could not be made", "peer", from, "err", err)
		}
		// What was sent is not returned: it has a password in it.
		return append(refusal.Append(b), "</iq>"...), true
	}
	return append(append(b, payload...), "</iq>"...), true
}

// stranger answers the request of somebody who is not logged in.
func (f *Feature) stranger(ctx context.Context, domain string, from netip.Addr, st *stanza.Stanza) ([]byte, error) {
	query := st.Payload()
	switch {
	case !f.open(domain):
		return nil, stanza.ErrServiceUnavailable // §3.1
	case len(st.Children) != 1 || query == nil || st.ID == nil || !isTo(st.To, domain):
		return nil, stanza.ErrBadRequest
	case st.IsType("get"):
		b := []byte("<query xmlns='" + namespace + "'>")
		b = stanza.AppendElement(b, "instructions", newAccount.Instructions[0])
		b = newAccount.AppendForm(append(b, "<username/><password/>"...)) // §4: both, for old clients
		return append(b, "</query>"...), nil
	case query.Child("", "remove") != nil:
		return nil, &stanza.Error{Condition: mellium.UnexpectedRequest} // §3.2: nobody is logged in
	}
	return nil, f.create(ctx, domain, from, query)
}

func isTo(to []byte, domain string) bool {
	if to == nil {
		return true
	}
	j, err := jid.Parse(stanza.Text(to))
	return err == nil && j.String() == domain
}

// create makes an account.
func (f *Feature) create(ctx context.Context, domain string, from netip.Addr, query *stanza.Element) error {
	c, err := read(query, namespace)
	if err != nil || c == nil {
		return err
	}
	if c.name == "" || c.password == "" {
		return stanza.Refuse(stanza.ErrNotAcceptable, "a name and a password are needed") // §3.1
	}
	local, err := jid.Local(c.name)
	if err != nil {
		return stanza.Refuse(stanza.ErrNotAcceptable, "that cannot be a name")
	}
	who, err := jid.Parse(local + "@" + domain)
	if err != nil {
		return stanza.Refuse(stanza.ErrNotAcceptable, "that cannot be a name")
	}
	if err := f.acceptable(c.password); err != nil {
		return err
	}
	most := f.cfg.Load().PerAddressHour
	if !f.limiter.take(from, most, time.Now()) {
		return stanza.Refuse(stanza.ErrResourceConstraint, "too many accounts from your address: try again in an hour")
	}
	if err := unusable(f.accounts.Create(ctx, who.Bare(), c.password)); err != nil {
		f.limiter.taken(from)
		return err
	}
	f.srv.Added(ctx, who.Bare())
	f.srv.Log().Info("an account was made from a client", "jid", who, "peer", from)
	return nil
}
