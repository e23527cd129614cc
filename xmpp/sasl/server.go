package sasl

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	mellium "mellium.im/sasl"

	"rollcall/xmpp/jid"
)

// The mechanisms that are not SCRAM.
const (
	Plain     = "PLAIN"
	Anonymous = "ANONYMOUS"
)

// Credentials finds what verifies a password. ok is false if there is no such
// account, if it may not log in, or if it has no keys for the hash function. An
// error means that nobody can tell.
type Credentials interface {
	Keys(ctx context.Context, account jid.Bare, h Hash) (k Keys, ok bool, err error)
}

// Passwords checks passwords of accounts that have no keys here. It is asked with
// PLAIN only, when no key of the account matched, whether or not there is such an
// account.
type Passwords interface {
	// CheckPassword returns nil if the password is right and the account may be used.
	// The error is ErrNotAuthorized otherwise, or ErrTemporary when nobody can tell.
	// That an account does not exist, or is none of theirs, must neither show in the
	// error nor in the time that it takes.
	CheckPassword(ctx context.Context, account jid.Bare, password string) error
}

// Config is what an attempt needs to know. It is only read.
type Config struct {
	// Domain is the canonical domain that the stream is for.
	Domain string
	// Mechanisms are exactly those that were advertised: see Offer. That a
	// -PLUS is among them is what makes the downgrade check work.
	Mechanisms []string
	// Credentials are needed by all mechanisms but ANONYMOUS.
	Credentials Credentials
	// Passwords are asked about what no key matches. nil: nobody is.
	Passwords Passwords
	// Secret makes the salts of accounts that do not exist. It must stay the
	// same for the life of the server's accounts, and secret.
	Secret []byte
	// Channel is what can be bound to, or nil.
	Channel *ChannelBinding
	// Iterations is the count for accounts that do not exist: the one that
	// passwords are set with. 0 is DefaultIterations.
	Iterations int
	// Admit, if it is there, is asked when the client has named its account,
	// before any work and whether or not the account exists. Its error ends the
	// attempt: this is where a Throttle belongs.
	Admit func(account jid.Bare) error
	// Gate bounds the work of PLAIN. nil shares one among all such configs.
	Gate *Gate
}

// Server is one attempt of a client to authenticate. It is used by one goroutine.
type Server struct {
	cfg   *Config
	nego  *mellium.Negotiator
	named string // the mechanism

	ctx     context.Context // of the step under way: mellium's steps have none
	asked   bool            // an empty challenge asked for the first message
	over    bool            // by success or by failure
	claimed jid.Bare        // who the client says it is
	account jid.Bare        // who it is, once that is proven
	nonce   string          // replaces the negotiator's in tests
}

// NewServer starts an attempt with the mechanism that the client chose.
func NewServer(mechanism string, cfg *Config) (*Server, error) {
	if !slices.Contains(cfg.Mechanisms, mechanism) {
		return nil, fmt.Errorf("%w: not offered", ErrInvalidMechanism)
	}
	s := &Server{cfg: cfg, named: mechanism}
	base, plus := strings.CutSuffix(mechanism, plusSuffix)
	hash, isSCRAM := HashOf(base)
	m := mellium.Mechanism{Name: mechanism}
	switch {
	case isSCRAM && plus && len(cfg.Channel.Types()) == 0:
		return nil, fmt.Errorf("%w: nothing to bind to", ErrInvalidMechanism)
	case isSCRAM:
		m.Next = (&scram{Server: s, hash: hash, plus: plus}).next
	case mechanism == Plain:
		m.Next = s.plainNext
	case mechanism == Anonymous:
		m.Next = s.anonymousNext
	default:
		return nil, fmt.Errorf("%w: unknown", ErrInvalidMechanism)
	}
	if mechanism != Anonymous && (cfg.Credentials == nil || len(cfg.Secret) == 0 || cfg.Domain == "") {
		return nil, fmt.Errorf("%w: no credentials, secret or domain configured", ErrTemporary)
	}
	s.nego = mellium.NewServer(m, s.permit)
	return s, nil
}

// Step takes the client's next message and returns what to answer: a challenge,
// or, when done, the data that goes with the success, which may be nil. An error
// ends the attempt; Condition names it.
//
// in is nil if the client sent no message at all, as when it leaves out the
// initial response, and empty but not nil if it sent an empty one (RFC 6120
// §6.4.2).
func (s *Server) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if s.over {
		return nil, false, malformed("the attempt is over")
	}
	// RFC 4422 §5: a mechanism in which the client speaks first and was not
	// given the chance begins with an empty challenge. XEP-0175 does without.
	if in == nil && !s.asked && s.named != Anonymous {
		s.asked = true
		return []byte{}, false, nil
	}
	s.asked = true
	if len(in) > maxMessage {
		s.over = true
		return nil, false, malformed("message too long")
	}
	s.ctx = ctx
	more, out, err := s.nego.Step(in)
	s.ctx = nil
	s.over = !more || err != nil
	if err != nil {
		return nil, false, err
	}
	return out, !more, nil
}

// User returns the localpart that was authenticated, prepared, or "" before the
// attempt succeeded.
func (s *Server) User() string { return s.Account().Local() }

// Account returns the address that was authenticated, or "" before the attempt
// succeeded.
func (s *Server) Account() jid.Bare {
	return s.account
}

// Mechanism returns the name of the mechanism that the client chose.
func (s *Server) Mechanism() string { return s.named }

// Claimed returns the account that the client says it is, proven or not: whose
// failure this is. It is "" before the client named itself, if the name can be
// nobody's, and for guests.
func (s *Server) Claimed() jid.Bare { return s.claimed }

// claim notes who the client says it is, and asks whether it may go on. user is
// prepared.
func (s *Server) claim(user string) error {
	s.claimed = jid.Bare(user + "@" + s.cfg.Domain)
	if s.cfg.Admit == nil {
		return nil
	}
	return s.cfg.Admit(s.claimed)
}

// permit is asked by the mechanism when the client has proven who it is: may it
// act as the identity that it asks for?
func (s *Server) permit(n *mellium.Negotiator) bool {
	user, _, identity := n.Credentials()
	account := jid.Bare(string(user) + "@" + s.cfg.Domain)
	if !own(string(identity), account) {
		return false
	}
	s.account = account
	return true
}

// own reports whether an authorization identity is the account itself: nothing,
// the localpart, or the bare address (RFC 6120 §6.3.8).
func own(identity string, account jid.Bare) bool {
	if identity == "" {
		return true
	}
	if !strings.Contains(identity, "@") {
		user, err := jid.Local(identity)
		return err == nil && user == account.Local()
	}
	j, err := jid.Parse(identity)
	return err == nil && j.IsBare() && j.Bare() == account
}

// succeed ends a mechanism whose client has proven to be user.
func (s *Server) succeed(n *mellium.Negotiator, user, identity string) error {
	who := mellium.Credentials(func() (username, password, authzid []byte) {
		return []byte(user), nil, []byte(identity)
	})
	if !n.Permissions(who) {
		return fmt.Errorf("%w: not one's own", ErrInvalidAuthzid)
	}
	return nil
}

// lookUp finds the keys of a user, and makes some up for a stranger. It does the
// same work for both. user is prepared.
func (s *Server) lookUp(user string, h Hash) (k Keys, known bool, err error) {
	account := jid.Bare(user + "@" + s.cfg.Domain)
	invented := s.invent(account, h)
	k, known, err = s.cfg.Credentials.Keys(s.ctx, account, h)
	if err != nil {
		if errors.Is(err, ErrTemporary) {
			return Keys{}, false, err
		}
		return Keys{}, false, fmt.Errorf("%w: looking up credentials: %w", ErrTemporary, err)
	}
	if !known || !k.usable(h) {
		return invented, false, nil
	}
	return k, true, nil
}

// invent makes the keys of a stranger: always the same salt, and keys that
// nothing matches because lookUp says that they are nobody's.
func (s *Server) invent(account jid.Bare, h Hash) Keys {
	m := hmac.New(sha256.New, s.cfg.Secret)
	m.Write([]byte("salt\x00" + h.String() + "\x00" + account.String()))
	iterations := s.cfg.Iterations
	if iterations == 0 {
		iterations = DefaultIterations
	}
	none := make([]byte, h.size())
	return Keys{Salt: m.Sum(nil)[:SaltSize], StoredKey: none, ServerKey: none, Iterations: iterations}
}

// anonymousNext is ANONYMOUS (RFC 4505): the trace is checked and forgotten, and
// the name is the server's choice (XEP-0175 §3).
func (s *Server) anonymousNext(n *mellium.Negotiator, in []byte, _ any) (bool, []byte, any, error) {
	if err := checkTrace(in); err != nil {
		return false, nil, nil, err
	}
	// 128 bits: nobody can guess the address of a guest.
	return false, nil, nil, s.succeed(n, "anon-"+strings.ToLower(rand.Text()), "")
}
