package digest

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"rollcall/sipgw/addr"
)

// Config says how people prove who they are.
type Config struct {
	// Realm is shown to people, and is in the hashes of all secrets: if it changes
	// they have to be set anew.
	Realm string

	// Algorithms are those that are offered, the best first; nil is SHA-256 and MD5. A
	// client takes the first that it knows, whether there is a hash of its secret for
	// it or not: if many have none for SHA-256, that is not to be offered.
	Algorithms []Algorithm

	// NonceLife is how long an answer can be given to a challenge. A client that
	// comes back later has to answer a new one. 0 is an hour.
	NonceLife time.Duration

	// MaxNonces is how many nonces that were used are remembered at least. It takes
	// some 50 bytes for each, and up to twice as many. 0 is 100,000.
	MaxNonces int
}

func (c Config) withDefaults() Config {
	if len(c.Algorithms) == 0 {
		c.Algorithms = []Algorithm{SHA256, MD5}
	}
	if c.NonceLife <= 0 {
		c.NonceLife = time.Hour
	}
	if c.MaxNonces <= 0 {
		c.MaxNonces = 100_000
	}
	return c
}

// Lookup returns what is kept of a user's secret, in the realm of the verifier.
type Lookup func(user string) (s Secrets, known bool)

// Request is what there is to know of a request to find out who sent it.
type Request struct {
	Method string
	URI    string // of the request line

	// Authorization are the values of the header fields of that name, or of
	// Proxy-Authorization.
	Authorization []string
}

// Outcome is what came of looking at a request.
type Outcome uint8

// The outcomes. Only Granted lets anybody in.
const (
	Absent    Outcome = iota // nobody has said who they are: challenge
	Denied                   // wrong: challenge again, with the same answer for whoever does not exist
	Stale                    // right, but for an old nonce: challenge with stale=true
	Malformed                // it cannot be understood: 400
	Granted
)

// String returns a word for the log.
func (o Outcome) String() string {
	return [...]string{"absent", "denied", "stale", "malformed", "granted"}[o]
}

// Verdict is what came of looking at a request, and why.
type Verdict struct {
	Outcome Outcome

	// User is who it is if access was granted, and else who it claims to be, if that
	// could be read.
	User string

	// Next is the nonce to be used from now on, if it is time for a new one: for
	// the header Authentication-Info (see [Verdict.Info]).
	Next string

	// Err says what is wrong with credentials that are malformed.
	Err error
}

// Info returns the value of an Authentication-Info header field, or "" if there is
// nothing to say (RFC 7616 §3.5). A client that takes the new nonce need not be
// challenged again.
func (v Verdict) Info() string {
	if v.Next == "" {
		return ""
	}
	return `nextnonce="` + v.Next + `"`
}

// Verifier challenges, and checks the answers. It is safe for use by many
// goroutines.
type Verifier struct {
	cfg     Config // fixed
	quoted  string // fixed: the realm as a quoted string
	nobody  Secrets
	nonces  nonces
	replays replays
}

// New returns a verifier with a key of its own: nonces of another, or from before a
// restart, count as old.
func New(cfg Config) *Verifier {
	v := &Verifier{cfg: cfg.withDefaults(), quoted: quote(cfg.Realm)}
	var key [32]byte
	rand.Read(key[:]) // never fails
	v.nonces.sign = newSigner(key[:])
	v.nobody = HA1("", "", rand.Text())
	return v
}

// Realm returns the realm of the secrets.
func (v *Verifier) Realm() string { return v.cfg.Realm }

// opaque is the same for all: there is nothing to remember in it.
const opaque = "0"

// Challenge returns the values of WWW-Authenticate or Proxy-Authenticate header
// fields, in the order in which they have to be written (RFC 8760 §2.3).
func (v *Verifier) Challenge(now time.Time, stale bool) []string {
	rest := `, nonce="` + v.nonces.make(now) + `", opaque="` + opaque + `", qop="auth"`
	if stale {
		rest += ", stale=true"
	}
	out := make([]string, len(v.cfg.Algorithms))
	for i, a := range v.cfg.Algorithms {
		out[i] = "Digest realm=" + v.quoted + rest + ", algorithm=" + a.String()
	}
	return out
}

// Only returns those of the values of a challenge that are of an algorithm, or all of
// them if none is.
//
// COMPAT(baresip 1.0): it gives up when it is offered anything but
// MD5, whatever comes after it.
func Only(a Algorithm, challenge []string) []string {
	for i, value := range challenge {
		if strings.HasSuffix(value, ", algorithm="+a.String()) {
			return challenge[i : i+1]
		}
	}
	return challenge
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

var (
	errOtherURI = errors.New("the credentials are for another URI")
	errMany     = errors.New("there are too many credentials")
)

// maxCredentials is how many credentials of one request are looked at: there may be
// some for other realms on the way.
const maxCredentials = 8

// Check finds out who sent a request.
func (v *Verifier) Check(now time.Time, r Request, lookup Lookup) Verdict {
	var c Credentials
	if found, err := v.choose(&c, r.Authorization); !found {
		if err != nil {
			return Verdict{Outcome: Malformed, Err: err}
		}
		return Verdict{Outcome: Absent}
	}
	// RFC 7616 §3.4.6: lest credentials be moved from one request to another.
	if !sameURI(c.URI, r.URI) {
		return Verdict{Outcome: Malformed, User: c.User, Err: errOtherURI}
	}
	secrets, known := v.nobody, false
	if ValidUser(c.User) {
		if s, found := lookup(c.User); found && s.knows(c.Algorithm) {
			secrets, known = s, true
		}
	}
	right := secrets.answers(&c, r.Method)
	number, made, ours := v.nonces.read(c.Nonce)
	if !right || !known {
		return Verdict{Outcome: Denied, User: c.User}
	}
	age := now.Sub(time.UnixMicro(made))
	if !ours || age >= v.cfg.NonceLife || age < -time.Minute || !v.use(now, &c, number, made) {
		return Verdict{Outcome: Stale, User: c.User}
	}
	out := Verdict{Outcome: Granted, User: c.User}
	if age >= v.cfg.NonceLife/4*3 {
		out.Next = v.nonces.make(now)
	}
	return out
}

// choose reads the first credentials for our realm. If there are none, the error
// says whether that is for not being understood.
func (v *Verifier) choose(c *Credentials, values []string) (found bool, err error) {
	for i, value := range values {
		if i == maxCredentials {
			return false, errMany
		}
		*c = Credentials{}
		switch bad := c.parse(value); {
		case bad == errScheme: // RFC 8760 §2.6: never Basic; so nobody has said who they are
		case bad != nil:
			err = bad
		case c.Realm != v.cfg.Realm || c.Response == "":
		case !slices.Contains(v.cfg.Algorithms, c.Algorithm):
			err = errAlgorithm
		default:
			return true, nil
		}
	}
	return false, err
}

// use uses the nonce up to its count. Without qop there is no count, so that it is
// good for one request.
func (v *Verifier) use(now time.Time, c *Credentials, number uint64, made int64) bool {
	count := c.Count
	if !c.QOP {
		count = allCounts
	}
	most := max(v.cfg.MaxNonces/len(v.replays.shards), 1)
	return v.replays.use(number, made, count, now.UnixMicro(), v.cfg.NonceLife.Microseconds(), most)
}

// sameURI says whether credentials for one URI hold for a request to another. Phones
// write default ports and parameters here and not there.
func sameURI(claimed, requested string) bool {
	if claimed == requested {
		return true
	}
	a, err := addr.Parse(claimed)
	if err != nil {
		return false
	}
	b, err := addr.Parse(requested)
	return err == nil && addr.SamePlace(a, b)
}
