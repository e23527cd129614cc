package digest

import (
	"errors"
	"strconv"
	"strings"
)

// The limits of what comes from the network, in bytes.
const (
	MaxUser   = 128
	maxHeader = 2048
	maxRealm  = 255
	maxNonce  = 255
	maxCNonce = 255
	maxURI    = 512
	maxParams = 32
)

// Credentials are an Authorization header of the scheme Digest, as it was read.
// Nothing in it has been checked yet.
type Credentials struct {
	User      string
	Realm     string
	Nonce     string
	URI       string
	Response  string // hexadecimal, of the length that the algorithm has; or empty
	Algorithm Algorithm
	CNonce    string
	QOP       bool   // "auth"; without it the answer is that of RFC 2069
	Count     uint32 // nc

	count string // nc as it was written, which is hashed
}

// What can be wrong with credentials. None of them repeats what was sent.
var (
	errScheme    = errors.New("the scheme is not Digest")
	errLong      = errors.New("the credentials are too long")
	errSyntax    = errors.New("the credentials are not a list of parameters")
	errTwice     = errors.New("a parameter is there twice")
	errMissing   = errors.New("a parameter is missing")
	errQuotes    = errors.New("a parameter has to be in quotes")
	errValue     = errors.New("a parameter has a value that it cannot have")
	errAlgorithm = errors.New("the algorithm was not offered")
	errQOP       = errors.New("the quality of protection was not offered")
)

// param is what a parameter of credentials is.
type param uint8

const (
	pUser param = iota
	pRealm
	pNonce
	pURI
	pResponse
	pAlgorithm
	pCNonce
	pQOP
	pCount
	pUserStar
	pUserHash
	numParams
	pOther = numParams
)

// paramNames are the parameters as RFC 7616 §3.4 writes them.
var paramNames = [numParams]string{
	"username", "realm", "nonce", "uri", "response", "algorithm", "cnonce", "qop", "nc", "username*", "userhash",
}

// paramOf says which parameter has a name. opaque is not looked at, and what is not
// known is passed over.
func paramOf(name string) param {
	for i, known := range &paramNames {
		if len(name) == len(known) && (name == known || strings.EqualFold(name, known)) {
			return param(i)
		}
	}
	return pOther
}

// Parse reads the value of an Authorization or Proxy-Authorization header field.
func Parse(value string) (*Credentials, error) {
	c := new(Credentials)
	return c, c.parse(value)
}

func (c *Credentials) parse(value string) error {
	if len(value) > maxHeader {
		return errLong
	}
	scheme, rest, _ := strings.Cut(trim(value), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return errScheme
	}
	var seen [numParams]bool
	algorithm := ""
	for n := 0; ; n++ {
		name, text, quoted, tail, err := nextParam(rest)
		if err != nil || n == maxParams {
			return errSyntax
		}
		if p := paramOf(name); p != pOther {
			if seen[p] {
				return errTwice
			}
			seen[p] = true
			if p == pAlgorithm {
				algorithm = text
			} else if err := c.set(p, text, quoted); err != nil {
				return err
			}
		}
		if tail == "" {
			break
		}
		rest = tail
	}
	return c.complete(&seen, algorithm)
}

// set takes up a parameter. That qop and algorithm may be quoted is a kindness to
// phones that quote them (RFC 7616 §3.4 forbids it).
func (c *Credentials) set(p param, text string, quoted bool) error {
	switch p {
	case pUser:
		c.User = text
		return checkQuoted(text, quoted, MaxUser)
	case pRealm:
		c.Realm = text
		return checkQuoted(text, quoted, maxRealm)
	case pNonce:
		c.Nonce = text
		return checkQuoted(text, quoted, maxNonce)
	case pURI:
		c.URI = text
		return checkQuoted(text, quoted, maxURI) // RFC 3261 §22.4 item 2: MUST be quoted
	case pResponse:
		c.Response = text
		return checkQuoted(text, quoted, 2*64)
	case pCNonce:
		c.CNonce = text
		return checkQuoted(text, quoted, maxCNonce)
	case pQOP:
		c.QOP = true
		if !strings.EqualFold(text, "auth") {
			return errQOP
		}
	case pCount:
		n, err := strconv.ParseUint(text, 16, 32)
		if err != nil || len(text) != 8 {
			return errValue
		}
		c.Count, c.count = uint32(n), text
	case pUserStar, pUserHash:
		// Not offered (RFC 7616 §3.4.4); userhash=false says as much.
		if p == pUserStar || !strings.EqualFold(text, "false") {
			return errValue
		}
	}
	return nil
}

func checkQuoted(text string, quoted bool, most int) error {
	switch {
	case !quoted:
		return errQuotes
	case len(text) > most:
		return errLong
	}
	return nil
}

// complete says whether everything is there that has to be.
func (c *Credentials) complete(seen *[numParams]bool, algorithm string) error {
	for _, p := range [...]param{pUser, pRealm, pNonce, pURI, pResponse} {
		if !seen[p] {
			return errMissing
		}
	}
	if c.QOP && (!seen[pCNonce] || !seen[pCount]) {
		return errMissing
	}
	switch {
	case strings.EqualFold(algorithm, "SHA-256"):
		c.Algorithm = SHA256
	case algorithm == "" && !seen[pAlgorithm], strings.EqualFold(algorithm, "MD5"):
		c.Algorithm = MD5 // RFC 7616 §3.3: without one it is MD5
	default:
		return errAlgorithm
	}
	// RFC 8760 §2.7: an empty one comes from clients that were not challenged yet.
	if n := len(c.Response); n != 0 && n != c.Algorithm.hexLen() || !isLowerHex(c.Response) {
		return errValue
	}
	return nil
}

// isLowerHex: RFC 7616 §3.4.1 has answers in small letters.
func isLowerHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// nextParam cuts "name=value" off, and the comma behind it. tail is "" when it was
// the last.
func nextParam(s string) (name, value string, quoted bool, tail string, err error) {
	name, s, found := strings.Cut(s, "=")
	name, s = trim(name), trim(s)
	if !found || !isToken(name) {
		return "", "", false, "", errSyntax
	}
	if strings.HasPrefix(s, `"`) {
		value, s, err = cutQuoted(s)
		quoted = true
	} else {
		end := strings.IndexByte(s, ',')
		if end < 0 {
			end = len(s)
		}
		value, s = trim(s[:end]), s[end:]
		if !isToken(value) {
			err = errSyntax
		}
	}
	s = trim(s)
	if err != nil || s == "" {
		return name, value, quoted, "", err
	}
	tail = trim(s[1:])
	if s[0] != ',' || tail == "" {
		return "", "", false, "", errSyntax
	}
	return name, value, quoted, tail, nil
}

// cutQuoted reads the quoted string that s begins with (RFC 3261 §25.1). It
// allocates only if there is an escape in it.
func cutQuoted(s string) (text, rest string, err error) {
	escaped := false
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			text = s[1:i]
			if escaped {
				text = unescape(text)
			}
			return text, s[i+1:], nil
		case c == '\\' && i+1 < len(s) && s[i+1] < 0x80 && s[i+1] != '\r' && s[i+1] != '\n':
			escaped = true
			i++
		case c == '\\', c < ' ' && c != '\t', c == 0x7f:
			return "", "", errSyntax
		}
	}
	return "", "", errSyntax
}

func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// isToken says whether s is one or more characters of a token (RFC 3261 §25.1).
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if ('0' > c || c > '9') && ('a' > c|0x20 || c|0x20 > 'z') && strings.IndexByte("-.!%*_+`'~", c) < 0 {
			return false
		}
	}
	return s != ""
}

func trim(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
