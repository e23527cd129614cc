package siptest

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"regexp"
	"strings"
)

var rePair = regexp.MustCompile(`(\w+)\s*=\s*("(?:[^"\\]|\\.)*"|[^,\s]+)`)

// pairs reads what stands behind Digest.
func pairs(header string) map[string]string {
	out := map[string]string{}
	for _, m := range rePair.FindAllStringSubmatch(header, -1) {
		out[strings.ToLower(m[1])] = strings.Trim(m[2], `"`)
	}
	return out
}

// credentials answers a challenge (RFC 7616 §3.4, RFC 8760): "" if it is in no
// algorithm that we know.
func credentials(challenge, method, uri, user, password, cnonce string, count int) string {
	c := pairs(challenge)
	var start func() hash.Hash
	switch strings.ToUpper(c["algorithm"]) {
	case "", "MD5":
		start = md5.New
	case "SHA-256":
		start = sha256.New
	default:
		return ""
	}
	sum := func(s string) string {
		h := start()
		h.Write([]byte(s))
		return hex.EncodeToString(h.Sum(nil))
	}
	a1, a2 := sum(user+":"+c["realm"]+":"+password), sum(method+":"+uri)
	out := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, user, c["realm"], c["nonce"], uri)
	if c["qop"] == "" {
		out += fmt.Sprintf(`, response="%s"`, sum(a1+":"+c["nonce"]+":"+a2))
	} else {
		nc := fmt.Sprintf("%08x", count)
		out += fmt.Sprintf(`, qop=auth, nc=%s, cnonce="%s", response="%s"`, nc, cnonce, sum(strings.Join([]string{a1, c["nonce"], nc, cnonce, "auth", a2}, ":")))
	}
	if c["algorithm"] != "" {
		out += ", algorithm=" + c["algorithm"]
	}
	if c["opaque"] != "" {
		out += fmt.Sprintf(`, opaque="%s"`, c["opaque"])
	}
	return out
}
