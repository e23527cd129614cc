package c2s

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

const nsSASL = "urn:ietf:params:xml:ns:xmpp-sasl"

// dialog is an exchange of SASL messages in progress.
type dialog struct {
	server   *sasl.Server
	failures int
	doubtful []jid.Bare // whose SCRAM failed where it may have had to: see doubt
}

// binding returns what the mechanisms may bind to; nil without TLS.
func (n *negotiation) binding() *sasl.ChannelBinding {
	if n.tls == nil {
		return nil
	}
	return sasl.BindingFor(n.tls.ConnectionState(), n.cert)
}

// offered lists the mechanisms for this stream, best first. A password goes
// over the wire only where nobody listens (RFC 6120 §13.8.3).
func (n *negotiation) offered(channel *sasl.ChannelBinding) []string {
	if d, _ := n.s.srv.Domain(n.domain); d.Anonymous {
		return []string{sasl.Anonymous}
	}
	var names []string
	for _, m := range n.s.auth.Load().Mechanisms {
		switch {
		case m == sasl.Anonymous:
		case m == sasl.Plain && n.tls == nil && !n.loopback():
		case m != sasl.Plain && n.passwords() != nil && !n.s.directory.SCRAM:
		default:
			names = append(names, m)
		}
	}
	return sasl.Offer(names, channel)
}

// passwords returns who checks passwords at this domain beside the keys that are
// here, or nil.
func (n *negotiation) passwords() sasl.Passwords {
	if d, _ := n.s.srv.Domain(n.domain); !d.Directory {
		return nil
	}
	return n.s.directory.Passwords
}

// mechanisms is the stream feature, with the channel bindings (XEP-0440). There
// is none where nothing can be offered: PLAIN alone, and no encryption.
func (n *negotiation) mechanisms() []byte {
	cb := n.binding()
	names := n.offered(cb)
	if len(names) == 0 {
		return nil
	}
	b := []byte("<mechanisms xmlns='" + nsSASL + "'>")
	for _, m := range names {
		b = stanza.AppendElement(b, "mechanism", m)
	}
	b = append(b, "</mechanisms>"...)
	if len(cb.Types()) > 0 {
		b = append(b, "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>"...)
		for _, t := range cb.Types() {
			b = append(stanza.AppendAttr(append(b, "<channel-binding"...), "type", t), "/>"...)
		}
		b = append(b, "</sasl-channel-binding>"...)
	}
	return b
}

var (
	errTooManyAttempts = &stream.Fault{Condition: mellium.PolicyViolation, Text: "too many failed logins"}
	errTooEarly        = &stream.Fault{Condition: mellium.PolicyViolation, Text: "log in once"}
)

// sasl takes an element of RFC 6120 §6.
func (n *negotiation) sasl(st *stanza.Stanza) error {
	switch {
	case n.stage == known:
		return errTooEarly
	case n.stage == fresh:
		// §6.5.4: the stream has to be encrypted first.
		return n.failed("encryption-required")
	}
	var text []byte
	if st.Close != 0 {
		text = st.Bytes(stanza.Span{Lo: st.TagEnd.Hi, Hi: st.Close})
	}
	switch string(st.Name.Local) {
	case "auth":
		return n.auth(attr(st, "mechanism"), text)
	case "response":
		if n.dialog.server == nil {
			return n.failed("not-authorized")
		}
		return n.step(text, false)
	case "abort":
		return n.failed("aborted")
	}
	return n.failed("malformed-request")
}

// auth begins an exchange (RFC 6120 §6.4.2).
func (n *negotiation) auth(mechanism string, initial []byte) error {
	if n.dialog.server != nil {
		// One that is begun anew has failed, too: else there is no end to it.
		if n.dialog.failures++; n.dialog.failures >= n.s.auth.Load().AttemptsPerStream {
			return errTooManyAttempts
		}
	}
	cb := n.binding()
	a := n.s.auth.Load()
	sv, err := sasl.NewServer(mechanism, &sasl.Config{
		Domain: n.domain, Mechanisms: n.offered(cb), Credentials: n.s.users, Secret: n.s.secret,
		Channel: cb, Iterations: a.Iterations, Admit: n.admit, Passwords: n.passwords(),
	})
	if err != nil {
		return n.refused("", err)
	}
	n.dialog.server = sv
	return n.step(initial, true)
}

// step takes a message of the exchange: "=" is an empty one, and no text in
// <auth/> is none at all (§6.4.2).
func (n *negotiation) step(text []byte, first bool) error {
	var in []byte
	switch {
	case string(text) == "=", len(text) == 0 && !first:
		in = []byte{}
	case len(text) > 0:
		var err error
		if in, err = base64.StdEncoding.Strict().AppendDecode(nil, bytes.TrimSpace(text)); err != nil {
			return n.failed("incorrect-encoding")
		}
	}
	sv := n.dialog.server
	ctx, cancel := context.WithDeadline(n.ctx, n.deadline)
	defer cancel()
	out, done, err := sv.Step(ctx, in)
	switch {
	case err != nil:
		return n.refused(sv.Claimed(), err)
	case !done:
		return n.reply("challenge", out)
	}
	return n.success(sv, out)
}

// errHeldBack is for guesses: they were so many that not even a right one is
// heard for a while.
var errHeldBack = fmt.Errorf("%w: held back after failures", sasl.ErrTemporary)

// admit asks the throttle about an account and the client's address.
func (n *negotiation) admit(who jid.Bare) error {
	now := time.Now()
	o := server.Offence{What: "a login was held back", Why: "too many failures of this account", Peer: n.addr, JID: who}
	if n.s.throttle.Allow(now, throttleAccount(who)) <= 0 {
		// Whoever tries many names gets one line for all of them.
		o.Why, o.JID = "too many failures from this address", ""
		if n.s.throttle.Allow(now, n.throttleAddress()...) <= 0 {
			return nil
		}
	}
	n.s.srv.Offend(o)
	return errHeldBack
}

// throttleAddress is the key of the client's address, if failures there count.
func (n *negotiation) throttleAddress() []string {
	if n.s.limits.Load().exempt(n.addr) {
		return nil
	}
	return []string{"address " + n.network().String()}
}

func (n *negotiation) throttleKeys(who jid.Bare) []string {
	keys := n.throttleAddress()
	if who != "" {
		keys = append(keys, throttleAccount(who))
	}
	return keys
}

func throttleAccount(who jid.Bare) string { return "account " + string(who) }

func (n *negotiation) reply(name string, out []byte) error {
	b := append(append([]byte("<"), name...), " xmlns='"+nsSASL+"'"...)
	if out == nil {
		return n.say(append(b, "/>"...))
	}
	b = base64.StdEncoding.AppendEncode(append(b, '>'), out)
	return n.say(append(append(append(b, "</"...), name...), '>'))
}

// success ends the exchange well; the client opens a new stream (RFC 6120
// §6.4.6).
func (n *negotiation) success(sv *sasl.Server, out []byte) error {
	account, err := n.local(sv.Account())
	if err != nil {
		return n.refused(sv.Account(), err)
	}
	if !n.waiting() {
		return errTooSoon
	}
	n.s.throttle.Succeeded(throttleAccount(account.JID)) // the address stays suspect
	n.proven.Store(&proof{sv.Mechanism(), account.JID})
	n.dialog.doubtful = slices.DeleteFunc(n.dialog.doubtful, func(who jid.Bare) bool { return who == account.JID })
	n.settle()
	n.account, n.stage, n.dialog = account, known, dialog{}
	if err := n.reply("success", out); err != nil {
		return err
	}
	return n.open()
}

// local returns the account that somebody proved to be. Only to them is it said
// that it is disabled.
func (n *negotiation) local(who jid.Bare) (*server.Account, error) {
	if d, _ := n.s.srv.Domain(n.domain); d.Anonymous {
		return server.NewAccount(who, 0), nil
	}
	id, ok, err := n.s.users.Lookup(n.ctx, who)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, sasl.ErrNotAuthorized
	}
	a := server.NewAccount(who, id)
	if err := n.s.srv.Admit(n.ctx, a); err != nil {
		return nil, barred(err)
	}
	return a, nil
}

// barred puts into the words of SASL why an account may not be logged in to.
func barred(err error) error {
	switch {
	case errors.Is(err, server.ErrDisabled):
		return sasl.ErrDisabled
	case errors.Is(err, stanza.ErrItemNotFound): // it was removed this very moment
		return sasl.ErrNotAuthorized
	}
	return err
}

// refused answers a failed attempt (RFC 6120 §6.4.5). What is said depends on
// what was sent, never on whether there is such an account.
func (n *negotiation) refused(who jid.Bare, err error) error {
	c := sasl.Condition(err)
	switch {
	case errors.Is(err, sasl.ErrDowngrade):
		// No guess was made, so it does not count as one.
		// COMPAT(slixmpp, 1.8): it binds by tls-unique only, then says that it saw
		// no -PLUS, once for each mechanism, and takes PLAIN in the end.
		n.s.log.Debug("login refused", "jid", who, "peer", n.addr, "why", err)
	case errors.Is(err, sasl.ErrNotAuthorized) && n.doubt(who):
		n.s.log.Debug("login failed, and may have had to", "jid", who, "peer", n.addr, "why", err)
	case errors.Is(err, sasl.ErrNotAuthorized):
		n.s.throttle.Failed(time.Now(), n.throttleKeys(who)...)
		n.s.srv.Offend(server.Offence{What: "a login failed", Why: err.Error(), Peer: n.addr, JID: who})
	case errors.Is(err, errHeldBack):
	case errors.Is(err, sasl.ErrAway):
		n.s.log.Warn("a login could not be decided", "jid", who, "peer", n.addr, "err", err)
	case errors.Is(err, sasl.ErrDisabled):
		n.s.srv.Offend(server.Offence{What: "a login failed", Why: "the account is disabled", Peer: n.addr, JID: who})
	case c == sasl.ErrTemporary.Error():
		n.s.log.Error("a login could not be decided", "jid", who, "peer", n.addr, "err", err)
	default:
		n.s.log.Debug("login refused", "jid", who, "peer", n.addr, "why", err)
	}
	return n.failed(c)
}

// doubt puts off the judgment on a failed SCRAM at the domain of a directory. Its
// people have no keys here: for each of their logins a client that prefers SCRAM
// fails first, and an office behind one address would soon be held back. It is a
// failure of that account unless the same stream logs in to it. That holds for
// all names, lest the difference tell who has keys here.
func (n *negotiation) doubt(who jid.Bare) bool {
	if n.passwords() == nil || who == "" || n.dialog.server == nil || n.dialog.server.Mechanism() == sasl.Plain {
		return false
	}
	n.dialog.doubtful = append(n.dialog.doubtful, who)
	return true
}

// settle counts the failures that were put off.
func (n *negotiation) settle() {
	for _, who := range n.dialog.doubtful {
		n.s.throttle.Failed(time.Now(), n.throttleKeys(who)...)
		n.s.srv.Offend(server.Offence{What: "a login failed", Why: "no password that came after it was right", Peer: n.addr, JID: who})
	}
	n.dialog.doubtful = nil
}

// failed sends a failure. The client may try again, up to a limit.
func (n *negotiation) failed(condition string) error {
	n.dialog.server = nil
	return n.countFailure([]byte("<failure xmlns='" + nsSASL + "'><" + condition + "/></failure>"))
}

// tooEarly answers stream management before the client has logged in, which the
// stream survives (XEP-0198 §3). It takes the place of an attempt, for no client
// has reason to try often.
func (n *negotiation) tooEarly() error {
	return n.countFailure(failed("unexpected-request", "log in first"))
}

// countFailure sends an answer to what failed, of which there is a limit.
func (n *negotiation) countFailure(answer []byte) error {
	n.dialog.failures++
	if err := n.say(answer); err != nil {
		return err
	}
	if n.dialog.failures >= n.s.auth.Load().AttemptsPerStream {
		return errTooManyAttempts
	}
	return nil
}

// throttled is how many accounts and addresses are kept an eye on.
const throttled = 1 << 16

// newThrottle holds back guesses.
func newThrottle(a Auth) *sasl.Throttle {
	return sasl.NewThrottle(a.BackoffAfter, a.BackoffMax, throttled)
}
