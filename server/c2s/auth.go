package c2s

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
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
}

// binding returns what the mechanisms may bind to; nil without TLS.
func (n *negotiation) binding() *sasl.ChannelBinding {
	if n.tls == nil || n.cert == nil {
		return nil
	}
	return sasl.BindingFor(n.tls.ConnectionState(), n.cert.Leaf.Raw)
}

// offered lists the mechanisms for this stream, best first.
func (n *negotiation) offered() []string {
	if d, _ := n.s.srv.Domain(n.domain); d.Anonymous {
		return []string{"ANONYMOUS"}
	}
	var all []string
	bound := n.binding() != nil
	for _, m := range n.s.auth.Load().Mechanisms {
		switch {
		case m == "ANONYMOUS":
			continue
		case m == "PLAIN" && n.tls == nil && !n.loopback():
			continue // RFC 6120 §13.8.3
		case bound && strings.HasPrefix(m, "SCRAM-"):
			all = append(all, m+"-PLUS")
		}
	}
	for _, m := range n.s.auth.Load().Mechanisms {
		if m != "ANONYMOUS" && (m != "PLAIN" || n.tls != nil || n.loopback()) {
			all = append(all, m)
		}
	}
	return all
}

// mechanisms is the stream feature, with the channel bindings (XEP-0440).
func (n *negotiation) mechanisms() []byte {
	b := []byte("<mechanisms xmlns='" + nsSASL + "'>")
	for _, m := range n.offered() {
		b = stanza.AppendElement(b, "mechanism", m)
	}
	b = append(b, "</mechanisms>"...)
	if cb := n.binding(); cb != nil {
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
	text := ""
	if st.Close != 0 {
		text = stanza.Text(st.Bytes(stanza.Span{Lo: st.TagEnd.Hi, Hi: st.Close}))
	}
	switch string(st.Name.Local) {
	case "auth":
		return n.auth(attr(st, "mechanism"), text)
	case "response":
		if n.dialog.server == nil {
			return n.failed("not-authorized")
		}
		return n.step(text)
	case "abort":
		n.dialog.server = nil
		return n.failed("aborted")
	}
	return n.failed("malformed-request")
}

// auth begins an exchange (RFC 6120 §6.4.2).
func (n *negotiation) auth(mechanism, initial string) error {
	offered := false
	for _, m := range n.offered() {
		offered = offered || m == mechanism
	}
	if !offered {
		return n.failed("invalid-mechanism")
	}
	a := n.s.auth.Load()
	sv, err := sasl.NewServer(mechanism, sasl.Config{
		Domain: n.domain, Credentials: n.s.users, Secret: n.s.secret, Iterations: a.Iterations,
		Channel: n.binding(),
	})
	if err != nil {
		return n.failed("invalid-mechanism")
	}
	n.dialog.server = sv
	if initial == "" && mechanism != "ANONYMOUS" {
		return n.say([]byte("<challenge xmlns='" + nsSASL + "'/>")) // §6.4.3: no initial response
	}
	return n.step(initial)
}

// step takes a message of the exchange; "=" stands for an empty one.
func (n *negotiation) step(text string) error {
	in := []byte{}
	if text != "=" {
		var err error
		if in, err = base64.StdEncoding.Strict().DecodeString(text); err != nil {
			return n.failed("incorrect-encoding")
		}
	}
	sv := n.dialog.server
	out, done, err := sv.Step(n.ctx, in)
	if user := sv.User(); err == nil && user != "" {
		if wait := n.s.throttle.Allow(time.Now(), n.throttleKeys(user)...); wait > 0 {
			n.s.log.Warn("login held back after failures", "jid", user+"@"+n.domain, "peer", n.addr)
			n.dialog.server = nil
			return n.failed("temporary-auth-failure")
		}
	}
	switch {
	case err != nil:
		return n.refused(sv.User(), err)
	case !done:
		return n.reply("challenge", out)
	}
	return n.success(sv, out)
}

func (n *negotiation) throttleKeys(user string) []string {
	keys := []string{"addr " + n.network.String()}
	if user != "" {
		keys = append(keys, "user "+user+"@"+n.domain)
	}
	return keys
}

func (n *negotiation) reply(name string, out []byte) error {
	b := append(append(append([]byte("<"), name...), " xmlns='"+nsSASL+"'>"...), base64.StdEncoding.EncodeToString(out)...)
	return n.say(append(append(append(b, "</"...), name...), '>'))
}

// success ends the exchange well; the client opens a new stream (RFC 6120
// §6.4.6).
func (n *negotiation) success(sv *sasl.Server, out []byte) error {
	account, err := n.local(sv)
	if err != nil {
		return n.refused(sv.User(), err)
	}
	n.s.throttle.Succeeded(time.Now(), n.throttleKeys(sv.User())...)
	n.account, n.stage, n.dialog = account, known, dialog{}
	if !n.take().Idle() {
		return errRestrictedAfterTLS
	}
	b := []byte("<success xmlns='" + nsSASL + "'/>")
	if len(out) > 0 {
		if err := n.reply("success", out); err != nil {
			return err
		}
	} else if err := n.say(b); err != nil {
		return err
	}
	return n.open()
}

// local returns the account that somebody proved to be.
func (n *negotiation) local(sv *sasl.Server) (*server.Account, error) {
	if d, _ := n.s.srv.Domain(n.domain); d.Anonymous {
		return server.NewAccount(jid.Bare(sv.User()+"@"+n.domain), 0), nil
	}
	ctx, cancel := context.WithTimeout(n.ctx, 10*time.Second)
	defer cancel()
	return n.s.account(ctx, sv.User(), n.domain)
}

// refused answers a failed attempt (RFC 6120 §6.4.5). What is said depends on
// what was sent, never on whether there is such a user.
func (n *negotiation) refused(user string, err error) error {
	n.dialog.server = nil
	var c sasl.Condition
	if !errors.As(err, &c) {
		n.s.log.Error("a login could not be decided", "peer", n.addr, "err", err)
		return n.failed("temporary-auth-failure")
	}
	if errors.Is(err, sasl.ErrNotAuthorized) {
		n.s.throttle.Failed(time.Now(), n.throttleKeys(user)...)
		n.s.log.Warn("login failed", "user", user, "domain", n.domain, "peer", n.addr)
	}
	return n.failed(string(c))
}

// failed sends a failure. The client may try again, up to a limit.
func (n *negotiation) failed(condition string) error {
	n.dialog.server = nil
	n.dialog.failures++
	if err := n.say([]byte("<failure xmlns='" + nsSASL + "'><" + condition + "/></failure>")); err != nil {
		return err
	}
	if n.dialog.failures >= n.s.auth.Load().AttemptsPerStream {
		return errTooManyAttempts
	}
	return nil
}

// newThrottle holds back guesses.
func newThrottle(a Auth) *sasl.Throttle { return sasl.NewThrottle(a.BackoffAfter, a.BackoffMax) }
