package address

import (
	"testing"

	"rollcall/xmpp/jid"
)

func TestAccount(t *testing.T) {
	for _, c := range []struct {
		user, host string
		want       jid.Bare
		ok         bool
	}{
		{"ada", "X", "ada@x", true},
		{"o'malley", "x", `o\27malley@x`, true},
		{"a@b", "x", `a\40b@x`, true},
		{"", "x", "", false},
		{"ada", "", "", false},
		{"a\x00", "x", "", false},
	} {
		if got, ok := Account(c.user, c.host); got != c.want || ok != c.ok {
			t.Errorf("%q at %q is %q, %v; want %q, %v", c.user, c.host, got, ok, c.want, c.ok)
		}
	}
}
