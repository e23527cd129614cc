package sasl

import (
	"crypto/hmac"

	mellium "mellium.im/sasl"

	"rollcall/xmpp/jid"
)

// plainNext is PLAIN (RFC 4616), as a mellium.im/sasl Next. mellium's own would
// lose the reason of a failure.
func (s *Server) plainNext(n *mellium.Negotiator, in []byte, _ any) (bool, []byte, any, error) {
	msg, err := parsePlain(string(in))
	if err != nil {
		return false, nil, nil, err
	}
	user, err := jid.Local(msg.name)
	if err != nil {
		return false, nil, nil, refused("the name can be nobody's")
	}
	if err := s.claim(user); err != nil {
		return false, nil, nil, err
	}
	if err := s.verify(user, msg.password); err != nil {
		return false, nil, nil, err
	}
	return false, nil, nil, s.succeed(n, user, msg.authzid)
}

// verify salts the password and compares, for strangers too, and then asks who
// else may know it.
func (s *Server) verify(user, password string) error {
	prepared, ok := preparePassword(password)
	if !ok {
		return refused("the password can be nobody's")
	}
	hash, keys, known, err := s.plainKeys(user)
	if err != nil {
		return err
	}
	var salted []byte
	if gateErr := s.cfg.Gate.Do(s.ctx, func() {
		salted, err = saltPassword(hash, prepared, keys.Salt, keys.Iterations)
	}); gateErr != nil {
		return gateErr
	}
	if err != nil {
		return err
	}
	if hmac.Equal(storedKey(hash, salted), keys.StoredKey) && known {
		return nil
	}
	if s.cfg.Passwords == nil {
		return refused("wrong name or password")
	}
	// As it was typed: what the others store was not prepared as ours is.
	return s.cfg.Passwords.CheckPassword(s.ctx, jid.Bare(user+"@"+s.cfg.Domain), password)
}

// plainKeys finds keys to verify a password with: those of plainHash, or of
// another hash for an account that moved here from a server that had only those.
func (s *Server) plainKeys(user string) (h Hash, k Keys, known bool, err error) {
	invented, known, err := s.lookUp(user, plainHash)
	if known || err != nil {
		return plainHash, invented, known, err
	}
	for _, h := range []Hash{SHA512, SHA1} {
		if k, known, err := s.lookUp(user, h); known || err != nil {
			return h, k, known, err
		}
	}
	return plainHash, invented, false, nil
}
