package login

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// The example of RFC 7616 §3.9.1.
func TestAnswer(t *testing.T) {
	const rest = `realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	for algorithm, want := range map[string]string{
		"MD5":     "8ca523f5e9506fed4657c9700eebdbec",
		"SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
		"":        "8ca523f5e9506fed4657c9700eebdbec",
	} {
		text := "Digest " + rest
		if algorithm != "" {
			text += ", algorithm=" + algorithm
		}
		c, err := read(text)
		if err != nil {
			t.Fatal(err)
		}
		got := c.answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1)
		for _, part := range []string{`response="` + want + `"`, `nc=00000001`, `qop=auth,`, `opaque="FQhe`, `username="Mufasa"`} {
			if !strings.Contains(got, part) {
				t.Errorf("%s: no %s in %s", algorithm, part, got)
			}
		}
	}
	// RFC 2617 §3.2.2.1, without qop: computed by another program.
	c, err := read(`Digest realm="r", nonce="n"`)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.answer("u", "p", "REGISTER", "sip:x", "", 1); !strings.HasSuffix(got, `response="f1360bea1a4221b5ee937bec4052dd1b"`) {
		t.Error(got)
	}
}

func TestRead(t *testing.T) {
	c, err := read(`digest Realm="a \"b\\c", nonce = "n,1" ,stale=TRUE, algorithm=sha-256, qop="auth-int,auth", foo=bar`)
	if err != nil || c.realm != `a "b\c` || c.nonce != "n,1" || !c.stale || !c.auth || c.algorithm != "sha-256" {
		t.Errorf("%+v %v", c, err)
	}
	if c.opaque = `x"y`; !strings.Contains(c.answer(`a"b`, "s", "M", "u", "c", 258), `username="a\"b", realm="a \"b\\c"`) {
		t.Error("quotes are not escaped")
	}
	for bad, want := range map[string]error{
		"":                                 ErrChallenge,
		`Basic realm="x"`:                  ErrChallenge,
		`Digest realm="x"`:                 ErrChallenge,
		`Digest nonce="x`:                  ErrChallenge,
		`Digest nonce="x" y`:               ErrChallenge,
		`Digest nonce`:                     ErrChallenge,
		`Digest =x`:                        ErrChallenge,
		"Digest nonce=\"a\r\nX: y\"":       ErrChallenge,
		`Digest nonce="x", algorithm=SHA3`: ErrUnknown,
		`Digest nonce="x", qop="auth-int"`: ErrUnknown,
		`Digest nonce="x"` + strings.Repeat(", a=b", maxParams):       ErrChallenge,
		`Digest nonce="` + strings.Repeat("x", maxHeader) + `"`:       ErrChallenge,
		`Digest nonce="x", algorithm=MD5-sess, qop="auth", realm="r"`: ErrUnknown,
	} {
		if _, err := read(bad); !errors.Is(err, want) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAccount(t *testing.T) {
	a := New("2001", "tea-kettle")
	if a.Answer(Server, "SUBSCRIBE", "sip:x") != "" {
		t.Error("nobody has asked")
	}
	// The first that is known counts.
	stale, ok := a.Challenged(Server, []string{`Digest nonce="a", algorithm=SHA-3`, `Digest realm="pbx", nonce="b", algorithm=SHA-256, qop="auth"`, `Digest realm="pbx", nonce="c"`})
	if stale || !ok {
		t.Fatal(stale, ok)
	}
	for n := 1; n < 3; n++ {
		got := a.Answer(Server, "SUBSCRIBE", "sip:x")
		if !strings.Contains(got, `nonce="b"`) || !strings.Contains(got, fmt.Sprintf("nc=%08x", n)) || !strings.Contains(got, "algorithm=SHA-256") {
			t.Error(got)
		}
		if strings.Contains(got, "tea-kettle") {
			t.Error("the secret is in it")
		}
	}
	if a.Answer(Proxy, "SUBSCRIBE", "sip:x") != "" {
		t.Error("the proxy has not asked")
	}
	a.Informed(Server, `qop=auth, nextnonce="d", nc=00000002`)
	if got := a.Answer(Server, "SUBSCRIBE", "sip:x"); !strings.Contains(got, `nonce="d"`) || !strings.Contains(got, "nc=00000001") {
		t.Error(got)
	}
	a.Informed(Proxy, `nextnonce="e"`)
	a.Informed(Server, `nextnonce`)
	if stale, ok := a.Challenged(Server, []string{`Digest realm="pbx", nonce="f", stale=true`}); !stale || !ok {
		t.Error(stale, ok)
	}
	if _, ok := a.Challenged(Server, []string{"Basic"}); ok {
		t.Error("cannot be answered")
	}
	if _, ok := New("", "").Challenged(Server, []string{`Digest nonce="f"`}); ok {
		t.Error("without a user")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`Digest realm="a \"b\\c", nonce="n,1", stale=true, algorithm=SHA-256, qop="auth-int,auth", opaque="x"`)
	f.Add(`Digest realm="r", nonce="n"`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := read(text)
		if err != nil {
			return
		}
		got := c.answer("u", "s", "SUBSCRIBE", "sip:x", "c", 1)
		if strings.ContainsAny(got, "\r\n\x00") {
			t.Fatalf("%q", got)
		}
		again, err := read(strings.Replace(got, "username=", "x=", 1))
		if err != nil && len(got) < maxHeader || err == nil && (again.nonce != c.nonce || again.realm != c.realm || again.opaque != c.opaque) {
			t.Fatalf("%v: %q from %q", err, got, text)
		}
	})
}
