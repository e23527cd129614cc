package jid

import (
	"strings"
	"testing"

	mellium "mellium.im/xmpp/jid"
)

// oracle is mellium's answer, asked again until it does not change. Like us and
// unlike mellium it refuses empty labels and IPv6 addresses without brackets.
func oracle(s string) (string, bool) {
	for range settleAfter {
		j, err := mellium.Parse(s)
		if err != nil {
			return "", false
		}
		_, before, _, _ := mellium.SplitString(s)
		for _, d := range []string{before, j.Domainpart()} {
			if strings.Contains("."+strings.TrimSuffix(d, ".")+".", "..") {
				return "", false
			}
			if strings.HasSuffix(d, "..") || strings.Contains(d, ":") && !strings.HasPrefix(d, "[") {
				return "", false
			}
		}
		if j.String() == s {
			return s, true
		}
		s = j.String()
	}
	return "", false
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"romeo@montague.example/orchard", "a@b", "b", "b/c", "a@1.2.3.4", "a@xn--a.b", "a@b./x", "A@b", "a@b/ x", "a@b/x@y/z",
		"a@-b", "a@b..c", "@b", "a@", "a@b/", "a@[::1]", "::ffff:1.2.3.4", "ａ@b", "a@BÜCHER.x/\u00a0", "a@xn--bcher-kva", "a@b.",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, ok := oracle(s)
		_, _, fast := Canonical([]byte(s))
		if fast && (!ok || want != s) {
			t.Fatalf("the fast path takes %q; mellium makes it %q, %v", s, want, ok)
		}
		j, err := ParseBytes([]byte(s))
		if err == nil {
			checkWhole(t, j)
		}
		if err != nil && len(s) > maxInput {
			return // mellium has no limit before preparation
		}
		if (err == nil) != ok || j.String() != want {
			t.Fatalf("%q: we say %q, %v; mellium %q, %v", s, j, err, want, ok)
		}
	})
}
