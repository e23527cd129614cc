package sasl

import (
	"crypto/hmac"
	"crypto/subtle"
	"encoding/base64"
	"strconv"

	mellium "mellium.im/sasl"

	"rollcall/xmpp/jid"
)

// scram is the server's side of RFC 5802 for one attempt.
type scram struct {
	*Server
	hash Hash
	plus bool
}

// challenged is what has to be remembered between the two messages of the client.
type challenged struct {
	user, authzid string
	binding       string // what "c=" must be
	nonce         string // what "r=" must be
	messages      string // client-first-message-bare "," server-first-message ","
	keys          Keys
	known         bool
}

// next is the mechanism: a mellium.im/sasl Next.
func (m *scram) next(n *mellium.Negotiator, in []byte, data any) (more bool, out []byte, cache any, err error) {
	if c, ok := data.(*challenged); ok {
		out, err = m.final(n, string(in), c)
		return false, out, nil, err
	}
	c, out, err := m.first(n, string(in))
	return err == nil, out, c, err
}

// first answers the client's first message with a nonce, a salt and a count.
func (m *scram) first(n *mellium.Negotiator, in string) (*challenged, []byte, error) {
	msg, err := parseClientFirst(in)
	if err != nil {
		return nil, nil, err
	}
	bound, err := m.bind(msg.flag)
	if err != nil {
		return nil, nil, err
	}
	user, err := jid.Local(msg.name)
	if err != nil {
		return nil, nil, refused("the name can be nobody's")
	}
	if err := m.claim(user); err != nil {
		return nil, nil, err
	}
	keys, known, err := m.lookUp(user, m.hash)
	if err != nil {
		return nil, nil, err
	}
	nonce := msg.nonce + m.nonce
	if m.nonce == "" {
		nonce += string(n.Nonce())
	}
	out := "r=" + nonce + ",s=" + base64.StdEncoding.EncodeToString(keys.Salt) + ",i=" + strconv.Itoa(keys.Iterations)
	return &challenged{
		user: user, authzid: msg.authzid,
		binding:  base64.StdEncoding.EncodeToString(append([]byte(msg.header), bound...)),
		nonce:    nonce,
		messages: msg.bare + "," + out + ",",
		keys:     keys, known: known,
	}, []byte(out), nil
}

// bind checks the client's channel binding flag (RFC 5802 §6) and returns the
// data that the client must know.
func (m *scram) bind(flag string) ([]byte, error) {
	switch {
	case flag == "n" && !m.plus:
		return nil, nil
	case flag == "y" && !m.plus:
		// The client could bind and believes that we cannot. If we offered it,
		// somebody between us took the offer away.
		if offersPlus(m.cfg.Mechanisms) {
			return nil, ErrDowngrade
		}
		return nil, nil
	case !m.plus:
		return nil, malformed("channel binding in a mechanism without it")
	case flag == "n" || flag == "y":
		return nil, malformed("no channel binding in a mechanism with it")
	}
	data := m.cfg.Channel.data(flag[len("p="):])
	if data == nil {
		return nil, malformed("channel binding type not offered")
	}
	return data, nil
}

// final checks the client's proof and answers with the server's.
func (m *scram) final(n *mellium.Negotiator, in string, c *challenged) ([]byte, error) {
	msg, err := parseClientFinal(in, m.hash.size())
	if err != nil {
		return nil, err
	}
	if !same(msg.binding, c.binding) {
		return nil, refused("channel binding or header does not match")
	}
	if !same(msg.nonce, c.nonce) {
		return nil, refused("nonce does not match")
	}
	// RFC 5802 §3: ClientProof XOR ClientSignature is the ClientKey, of which we
	// know the hash.
	auth := c.messages + msg.withoutProof
	key := mac(m.hash, c.keys.StoredKey, auth)
	subtle.XORBytes(key, key, msg.proof)
	if !hmac.Equal(digest(m.hash, key), c.keys.StoredKey) || !c.known {
		return nil, refused("wrong name or password")
	}
	if err := m.succeed(n, c.user, c.authzid); err != nil {
		return nil, err
	}
	return []byte("v=" + base64.StdEncoding.EncodeToString(mac(m.hash, c.keys.ServerKey, auth))), nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
