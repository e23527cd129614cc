package sasl

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	mellium "mellium.im/sasl"

	"rollcall/xmpp/jid"
)

// TestVectors plays the examples of RFC 5802 §5 and RFC 7677 §3.
func TestVectors(t *testing.T) {
	for _, v := range []struct {
		hash                               Hash
		salt, nonce                        string
		first, challenge, final, signature string
	}{
		{
			SHA1, "QSXCR+Q6sek8bf92", "3rfcNHYJY1ZVvWVs7j",
			"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
		{
			SHA256, "W22ZaJ0SNY7soEsUEjb6gQ==", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
	} {
		t.Run(v.hash.String(), func(t *testing.T) {
			salt, err := base64.StdEncoding.DecodeString(v.salt)
			if err != nil {
				t.Fatal(err)
			}
			k, err := Derive(v.hash, "pencil", salt, 4096)
			if err != nil {
				t.Fatal(err)
			}
			cfg := config()
			cfg.Credentials = book{"user@example.org": {v.hash: k}}
			s := start(t, v.hash.String(), cfg)
			s.nonce = v.nonce
			out, done, err := s.Step(t.Context(), []byte(v.first))
			if string(out) != v.challenge || done || err != nil {
				t.Fatalf("challenge %q, %v, %v", out, done, err)
			}
			if s.User() != "" || s.Claimed() != "user@example.org" {
				t.Errorf("before the proof: user %q, claimed %q", s.User(), s.Claimed())
			}
			out, done, err = s.Step(t.Context(), []byte(v.final))
			if string(out) != v.signature || !done || err != nil {
				t.Fatalf("signature %q, %v, %v", out, done, err)
			}
			if s.User() != "user" || s.Account() != "user@example.org" {
				t.Errorf("user %q, account %q", s.User(), s.Account())
			}
		})
	}
}

// TestMelliumClient logs in with an independent client, with every mechanism it
// has.
func TestMelliumClient(t *testing.T) {
	ch := newChannel(t, 0)
	for _, m := range []mellium.Mechanism{
		mellium.ScramSha1, mellium.ScramSha256, mellium.ScramSha1Plus, mellium.ScramSha256Plus, mellium.Plain,
	} {
		t.Run(m.Name, func(t *testing.T) {
			opts := []mellium.Option{mellium.TLSState(ch.client), mellium.RemoteMechanisms(m.Name)}
			login := func(user, password, authzid string, cfg *Config) (*Server, error) {
				s := start(t, m.Name, cfg)
				return s, exchange(t, m, s, user, password, authzid, opts...)
			}
			for _, authzid := range []string{"", "ada=2Cl=3D1", "ada=2Cl=3D1@Example.org"} {
				if m.Name == Plain {
					authzid = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(authzid)
				}
				s, err := login(testUser, testPassword, authzid, bound(ch.binding()))
				if err != nil || s.User() != testUser {
					t.Errorf("as %q: %q, %v", authzid, s.User(), err)
				}
			}
			for _, c := range []struct {
				user, password, authzid string
				want                    error
			}{
				{testUser, "Pencil", "", ErrNotAuthorized},
				{"eve", testPassword, "", ErrNotAuthorized},
				{"eve", testPassword, "ada", ErrNotAuthorized},
				{testUser, testPassword, "eve", ErrInvalidAuthzid},
			} {
				s, err := login(c.user, c.password, c.authzid, bound(ch.binding()))
				if !errors.Is(err, c.want) || s.User() != "" || s.Account() != "" {
					t.Errorf("%+v: %q, %v", c, s.User(), err)
				}
			}
		})
	}
}

// TestOtherChannel is somebody between the client and the server.
func TestOtherChannel(t *testing.T) {
	client, server := newChannel(t, 0), newChannel(t, 0)
	for _, m := range []mellium.Mechanism{mellium.ScramSha1Plus, mellium.ScramSha256Plus} {
		s := start(t, m.Name, bound(server.binding()))
		err := exchange(t, m, s, testUser, testPassword, "", mellium.TLSState(client.client), mellium.RemoteMechanisms(m.Name))
		if !errors.Is(err, ErrNotAuthorized) {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
}

// TestBindingTypes logs in with both types and all hashes, on TLS 1.2 and 1.3.
func TestBindingTypes(t *testing.T) {
	for _, ch := range []*channel{newChannel(t, 0x0303), newChannel(t, 0x0304)} {
		b := ch.binding()
		exported, err := ch.client.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range Hashes() {
			for name, data := range map[string][]byte{TLSExporter: exported, TLSServerEndPoint: certificateHash(ch)} {
				c := &client{hash: h, user: testUser, password: testPassword, flag: "p=" + name, binding: data}
				if err := c.login(t, start(t, h.String()+"-PLUS", bound(b))); err != nil {
					t.Errorf("%s, %s: %v", h, name, err)
				}
				c.binding = append([]byte{data[0] ^ 1}, data[1:]...)
				if err := c.login(t, start(t, h.String()+"-PLUS", bound(b))); !errors.Is(err, ErrNotAuthorized) {
					t.Errorf("%s, %s, another channel: %v", h, name, err)
				}
			}
		}
	}
}

// TestScramLogin is the good road, with what is optional.
func TestScramLogin(t *testing.T) {
	for _, h := range Hashes() {
		for _, c := range []client{
			{},
			{more: ",x=ignored,Y=a=b"},
			{user: "ADA,L=1"},
			{flag: "y"},
			{authzid: "ada=2Cl=3D1"},
			{authzid: "Ada=2Cl=3D1@EXAMPLE.org"},
		} {
			if c.user == "" {
				c.user = testUser
			}
			c.hash, c.password = h, testPassword
			s := start(t, h.String(), config())
			if err := c.login(t, s); err != nil || s.User() != testUser {
				t.Errorf("%s, %+v: %q, %v", h, c, s.User(), err)
			}
		}
	}
}

func TestClientFirstRefused(t *testing.T) {
	b := &ChannelBinding{Exporter: []byte("exported")}
	long := strings.Repeat("a", 1024)
	const plain, plus = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"
	for _, c := range []struct {
		mechanism, in string
		want          error
	}{
		{plain, "", ErrMalformedRequest},
		{plain, "n", ErrMalformedRequest},
		{plain, "n,", ErrMalformedRequest},
		{plain, "n,,", ErrMalformedRequest},
		{plain, "x,,n=ada,r=nonce", ErrMalformedRequest},
		{plain, ",,n=ada,r=nonce", ErrMalformedRequest},
		{plain, "n,ada,n=ada,r=nonce", ErrMalformedRequest},
		{plain, "n,a=,n=ada,r=nonce", ErrMalformedRequest},
		{plain, "n,a==2c,n=ada,r=nonce", ErrMalformedRequest},
		{plain, "n,,n=ada", ErrMalformedRequest},
		{plain, "n,,r=nonce", ErrMalformedRequest},
		{plain, "n,,r=nonce,n=ada", ErrMalformedRequest},
		{plain, "n,,n=,r=nonce", ErrMalformedRequest},
		{plain, "n,,n=ada,r=", ErrMalformedRequest},
		{plain, "n,,n=ada,r=non ce", ErrMalformedRequest},
		{plain, "n,,n=ada,r=nönce", ErrMalformedRequest},
		{plain, "n,,n=ada,r=" + long, ErrMalformedRequest},
		{plain, "n,,n=a=da,r=nonce", ErrMalformedRequest},
		{plain, "n,,n=ada=,r=nonce", ErrMalformedRequest},
		{plain, "n,,n=ada=2,r=nonce", ErrMalformedRequest},
		{plain, "n,,n=ada=2c,r=nonce", ErrMalformedRequest},
		{plain, "n,,n=ada=3d,r=nonce", ErrMalformedRequest},
		{plain, "n,,n==3=2CD,r=nonce", ErrMalformedRequest},
		{plain, "n,,n=ada\x00,r=nonce", ErrMalformedRequest},
		{plain, "n,,n=ada\xff,r=nonce", ErrMalformedRequest},
		{plain, "n,,n=" + long + ",r=nonce", ErrMalformedRequest},
		{plain, "n,,n=ada,r=nonce,", ErrMalformedRequest},
		{plain, "n,,n=ada,r=nonce,x", ErrMalformedRequest},
		{plain, "n,,n=ada,r=nonce,x=", ErrMalformedRequest},
		{plain, "n,,n=ada,r=nonce,1=x", ErrMalformedRequest},
		{plain, "n,,n=ada,r=nonce,r=again", ErrMalformedRequest},
		{plain, "n,,m=must,n=ada,r=nonce", ErrMalformedRequest},
		{plain, "n,,n=ada,r=nonce,m=must", ErrMalformedRequest},
		{plain, "n,,n=ada@example.org,r=nonce", ErrNotAuthorized},
		{plain, "n,,n=a da,r=nonce", ErrNotAuthorized},
		{plain, "n,,n=ada,r=nonce,x=" + strings.Repeat("x", maxMessage), ErrMalformedRequest},
		{plain, "p=tls-exporter,,n=ada,r=nonce", ErrMalformedRequest},
		{plain, "y,,n=ada,r=nonce", ErrDowngrade}, // -PLUS was offered
		{plain, "y,,n=ada,r=nonce", ErrNotAuthorized},
		{plus, "n,,n=ada,r=nonce", ErrMalformedRequest},
		{plus, "y,,n=ada,r=nonce", ErrMalformedRequest},
		{plus, "p=,,n=ada,r=nonce", ErrMalformedRequest},
		{plus, "p=tls unique,,n=ada,r=nonce", ErrMalformedRequest},
		{plus, "p=tls-unique,,n=ada,r=nonce", ErrMalformedRequest},
		{plus, "p=tls-server-end-point,,n=ada,r=nonce", ErrMalformedRequest}, // has no data here
		{plus, "p=TLS-EXPORTER,,n=ada,r=nonce", ErrMalformedRequest},
	} {
		s := start(t, c.mechanism, bound(b))
		out, done, err := s.Step(t.Context(), []byte(c.in))
		if !errors.Is(err, c.want) || out != nil || done {
			t.Errorf("%s %.60q: %q, %v, %v", c.mechanism, c.in, out, done, err)
		}
		checkOver(t, s)
	}
}

// checkOver checks that nothing comes after the end.
func checkOver(t *testing.T, s *Server) {
	t.Helper()
	if out, done, err := s.Step(t.Context(), []byte("n,,n=ada,r=nonce")); !errors.Is(err, ErrMalformedRequest) || out != nil || done {
		t.Errorf("after the end: %q, %v, %v", out, done, err)
	}
}

func TestClientFinalRefused(t *testing.T) {
	for name, c := range map[string]struct {
		final func(string) string
		want  error
	}{
		"empty":             {func(string) string { return "" }, ErrMalformedRequest},
		"no proof":          {func(s string) string { return s[:strings.Index(s, ",p=")] }, ErrMalformedRequest},
		"empty proof":       {func(s string) string { return s[:strings.Index(s, ",p=")+3] }, ErrMalformedRequest},
		"not base64":        {func(s string) string { return s[:strings.Index(s, ",p=")+3] + "!" }, ErrMalformedRequest},
		"line break":        {func(s string) string { return s + "\n" }, ErrMalformedRequest},
		"no padding":        {func(s string) string { return strings.TrimRight(s, "=") }, ErrMalformedRequest},
		"short proof":       {func(s string) string { return s[:strings.Index(s, ",p=")+3] + "AAAA" }, ErrMalformedRequest},
		"long proof":        {func(s string) string { return s[:strings.Index(s, ",p=")+3] + strings.Repeat("A", 4000) }, ErrMalformedRequest},
		"trailing garbage":  {func(s string) string { return s + "x" }, ErrMalformedRequest},
		"after the proof":   {func(s string) string { return s + ",x=y" }, ErrMalformedRequest},
		"two proofs":        {func(s string) string { return s + s[strings.Index(s, ",p="):] }, ErrMalformedRequest},
		"mandatory":         {func(s string) string { return strings.Replace(s, ",p=", ",m=must,p=", 1) }, ErrMalformedRequest},
		"not an attribute":  {func(s string) string { return strings.Replace(s, ",p=", ",,p=", 1) }, ErrMalformedRequest},
		"no binding":        {func(s string) string { return s[len("c=biws,"):] }, ErrMalformedRequest},
		"empty binding":     {func(s string) string { return "c=" + s[len("c=biws"):] }, ErrMalformedRequest},
		"no nonce":          {func(s string) string { return "c=biws" + s[strings.Index(s, ",p="):] }, ErrMalformedRequest},
		"empty nonce":       {func(s string) string { return "c=biws,r=" + s[strings.Index(s, ",p="):] }, ErrMalformedRequest},
		"mandatory first":   {func(s string) string { return "m=must," + s }, ErrMalformedRequest},
		"NUL":               {func(s string) string { return strings.Replace(s, ",p=", "\x00,p=", 1) }, ErrMalformedRequest},
		"another header":    {func(s string) string { return "c=eSws" + s[len("c=biws"):] }, ErrNotAuthorized},
		"own nonce only":    {func(s string) string { return "c=biws,r=rOprNGfwEbeRWgbNEkqO" + s[strings.Index(s, ",p="):] }, ErrNotAuthorized},
		"another nonce":     {func(s string) string { return strings.Replace(s, ",p=", "x,p=", 1) }, ErrNotAuthorized},
		"unproven addition": {func(s string) string { return strings.Replace(s, ",p=", ",x=y,p=", 1) }, ErrNotAuthorized},
		"zero proof":        {func(s string) string { return s[:strings.Index(s, ",p=")+3] + strings.Repeat("A", 43) + "=" }, ErrNotAuthorized},
	} {
		for _, user := range []string{testUser, "nobody"} {
			cl := &client{hash: SHA256, user: user, password: testPassword, final: c.final}
			s := start(t, "SCRAM-SHA-256", config())
			if err := cl.login(t, s); !errors.Is(err, c.want) || s.Account() != "" {
				t.Errorf("%s, %s: %v", name, user, err)
			}
			checkOver(t, s)
		}
	}
}

// TestReplay: a proof that is right for another nonce is of no use.
func TestReplay(t *testing.T) {
	c := &client{hash: SHA256, user: testUser, password: testPassword, nonce: "rOprNGfwEbeRWgbNEkqOyesterday"}
	if err := c.login(t, start(t, "SCRAM-SHA-256", config())); !errors.Is(err, ErrNotAuthorized) {
		t.Error(err)
	}
}

// TestStrangers: the answers of an account and of none cannot be told apart.
func TestStrangers(t *testing.T) {
	challenge := func(cfg *Config, h Hash, user string) map[string]string {
		out, _, err := start(t, h.String(), cfg).Step(t.Context(), []byte("n,,n="+user+",r=nonce"))
		if err != nil {
			t.Fatal(err)
		}
		parts := map[string]string{}
		for _, a := range strings.Split(string(out), ",") {
			parts[a[:1]] = a[2:]
		}
		return parts
	}
	cfg := config()
	for _, h := range Hashes() {
		known, stranger := challenge(cfg, h, "ada=2Cl=3D1"), challenge(cfg, h, "eve")
		if len(known["s"]) != len(stranger["s"]) || len(known["r"]) != len(stranger["r"]) || known["i"] != stranger["i"] || len(known) != len(stranger) {
			t.Errorf("%s: %v and %v look different", h, known, stranger)
		}
		if again := challenge(cfg, h, "Eve"); again["s"] != stranger["s"] || again["r"] == stranger["r"] {
			t.Errorf("%s: first %v, then %v", h, stranger, again)
		}
		if other := challenge(cfg, h, "mallory"); other["s"] == stranger["s"] {
			t.Errorf("%s: two strangers have one salt", h)
		}
	}
	if challenge(cfg, SHA1, "eve")["s"] == challenge(cfg, SHA256, "eve")["s"] {
		t.Error("two hashes have one salt")
	}
	secret, domain := config(), config()
	secret.Secret, domain.Domain = []byte("another"), "example.net"
	for _, c := range []*Config{secret, domain} {
		if challenge(cfg, SHA1, "eve")["s"] == challenge(c, SHA1, "eve")["s"] {
			t.Error("two servers have one salt")
		}
	}
	cfg.Iterations = 0
	if i := challenge(cfg, SHA1, "eve")["i"]; i != "10000" {
		t.Errorf("%s iterations", i)
	}
}

// TestUnusableKeys: a store that lost a part of the keys lets nobody in.
func TestUnusableKeys(t *testing.T) {
	whole := testBook[jid.Bare(testUser+"@example.org")][SHA256]
	for _, k := range []Keys{{}, {Salt: whole.Salt, Iterations: whole.Iterations}, {StoredKey: whole.StoredKey, ServerKey: whole.ServerKey, Iterations: whole.Iterations}} {
		cfg := config()
		cfg.Credentials = book{jid.Bare(testUser + "@example.org"): {SHA256: k}}
		c := &client{hash: SHA256, user: testUser, password: testPassword}
		if err := c.login(t, start(t, "SCRAM-SHA-256", cfg)); !errors.Is(err, ErrNotAuthorized) {
			t.Errorf("%+v: %v", k, err)
		}
	}
}

func TestStoreDown(t *testing.T) {
	for _, down := range []error{errors.New("no such disk"), context.DeadlineExceeded} {
		for mechanism, in := range map[string]string{"SCRAM-SHA-1": "n,,n=ada,r=nonce", Plain: "\x00ada\x00pencil"} {
			cfg := config()
			cfg.Credentials = broken{down}
			_, _, err := start(t, mechanism, cfg).Step(t.Context(), []byte(in))
			if !errors.Is(err, ErrTemporary) || !errors.Is(err, down) || Condition(err) != "temporary-auth-failure" {
				t.Errorf("%s: %v", mechanism, err)
			}
		}
	}
}
