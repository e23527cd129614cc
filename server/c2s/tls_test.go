package c2s_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"strings"
	"testing"

	"rollcall/internal/wire"
	"rollcall/server/c2s"
)

const (
	startTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	proceed  = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
)

// RFC 6120 §5.4: until the stream is encrypted there is nothing to choose but
// STARTTLS; afterwards there is everything else.
func TestStartTLS(t *testing.T) {
	s, _ := encrypted(t, nil, "x")
	c := wire.Dial(t, s.Plain)
	features := c.Open()
	if !strings.Contains(features, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>") {
		t.Errorf("STARTTLS is not required: %s", features)
	}
	if strings.Contains(features, "<mechanism") || strings.Contains(features, "register") {
		t.Errorf("there is something to do without encryption: %s", features)
	}
	c.Say(startTLS)
	if got := c.Until(proceed); got != proceed {
		t.Errorf("got %q before going on", got)
	}
	c.Encrypt(client("x"))
	features = c.Open()
	if !strings.Contains(features, "<mechanism>SCRAM-SHA-256-PLUS</mechanism>") || strings.Contains(features, "<starttls") {
		t.Errorf("after STARTTLS: %s", features)
	}
	c.Say(wire.Plain("ada", "secret"))
	c.Until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	c.Open()
	c.Bind("desk")
	c.Ping()
}

// RFC 6120 §5.4.3.3: what came in the clear must not count as said under
// encryption.
func TestStartTLSPipelined(t *testing.T) {
	s, _ := encrypted(t, nil, "x")
	c := wire.Dial(t, s.Plain)
	c.Open()
	c.Say(startTLS + wire.Header)
	if got := c.Fails("policy-violation"); strings.Contains(got, "<proceed") {
		t.Errorf("went on: %s", got)
	}
	// With a newline after it, as some libraries send it, it is fine.
	c = wire.Dial(t, s.Plain)
	c.Open()
	c.Say(startTLS + "\n")
	c.Until(proceed)
	c.Encrypt(client("x"))
	c.Open()
}

// A password that was sent too early is not looked at.
func TestNothingBeforeTLS(t *testing.T) {
	s, _ := encrypted(t, nil, "x")
	c := wire.Dial(t, s.Plain)
	c.Open()
	c.Say(wire.Plain("ada", "secret"))
	c.Until("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/></failure>")
	c.Say("<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>")
	c.Fails("not-authorized")
}

// What is not TLS where TLS is due ends the connection, without a word in the
// clear, and garbage under encryption is answered under it.
func TestGarbageForTLS(t *testing.T) {
	s, _ := encrypted(t, nil, "x")
	c := wire.Dial(t, s.Plain)
	c.Open()
	c.Say(startTLS)
	c.Until(proceed)
	c.Say(wire.Header + "<auth/>")
	if got := c.Rest(); strings.Contains(got, "<") {
		t.Errorf("said in the clear: %q", got)
	}
	c = wire.Dial(t, s.Direct)
	c.Say(wire.Header)
	if got := c.Rest(); strings.Contains(got, "<") {
		t.Errorf("said in the clear: %q", got)
	}
	c = wire.DialTLS(t, s.Direct, client("x"))
	c.Say("GET / HTTP/1.1\r\n\r\n")
	c.Fails("not-well-formed")
}

// XEP-0368 §3: direct TLS is for those who ask for XMPP or for nothing.
func TestDirectTLS(t *testing.T) {
	s, _ := encrypted(t, nil, "x")
	cfg := client("x")
	cfg.NextProtos = []string{"xmpp-client"}
	c := wire.DialTLS(t, s.Direct, cfg)
	if got := c.TLS().NegotiatedProtocol; got != "xmpp-client" {
		t.Errorf("the protocol is %q", got)
	}
	if features := c.Open(); strings.Contains(features, "<starttls") {
		t.Errorf("STARTTLS over TLS: %s", features)
	}
	c.Say(startTLS)
	if got := c.Rest(); got != "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>" {
		t.Errorf("TLS in TLS: %s", got)
	}
	wire.DialTLS(t, s.Direct, client("x")).Login("ada", "desk")

	cfg = client("x")
	cfg.NextProtos = []string{"h2", "http/1.1"}
	if err := wire.Dial(t, s.Direct).TryEncrypt(cfg); err == nil {
		t.Error("a client of another protocol was taken in")
	}
}

func TestOldTLS(t *testing.T) {
	s, _ := encrypted(t, nil, "x")
	cfg := client("x")
	cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if err := wire.Dial(t, s.Direct).TryEncrypt(cfg); err == nil {
		t.Error("TLS 1.1 was taken")
	}
	cfg.MaxVersion = tls.VersionTLS12
	wire.DialTLS(t, s.Direct, cfg).Login("ada", "desk")

	s, _ = encrypted(t, map[string]string{"tls.min_version": `"1.3"`}, "x")
	if err := wire.Dial(t, s.Direct).TryEncrypt(cfg); err == nil {
		t.Error("TLS 1.2 was taken where 1.3 is the least")
	}
}

// Without forward secrecy nobody gets in (RFC 7590 §3.5), nor with ciphers that
// are broken.
func TestWeakSuites(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pair := signed(t, t.TempDir(), key, "x")
	s := wire.Serve(t, map[string]string{"tls.certificates": "[" + pair + "]"}, "ada")
	cfg := client("x")
	cfg.MaxVersion = tls.VersionTLS12
	for _, suite := range append(tls.InsecureCipherSuites(), tls.CipherSuites()...) {
		if suite.SupportedVersions[0] == tls.VersionTLS13 || strings.Contains(suite.Name, "ECDSA") {
			continue
		}
		cfg.CipherSuites = []uint16{suite.ID}
		good := !suite.Insecure && strings.HasPrefix(suite.Name, "TLS_ECDHE_")
		if err := wire.Dial(t, s.Direct).TryEncrypt(cfg); (err == nil) != good {
			t.Errorf("%s: %v", suite.Name, err)
		}
	}
}

// The certificate is the one for the name that the client asks for; of the
// domain of the stream if it asks for none; and else the first.
func TestCertificates(t *testing.T) {
	s, _ := encrypted(t, map[string]string{"server.domains": `["x", "chat.example"]`}, "other.example", "x", "chat.example")
	for asked, want := range map[string]string{
		"x": "x", "chat.example": "chat.example", "other.example": "other.example", "unheard-of.example": "other.example", "": "other.example",
	} {
		c := wire.DialTLS(t, s.Direct, client(asked))
		if got := c.TLS().PeerCertificates[0].DNSNames[0]; got != want {
			t.Errorf("asked for %q got %q, want %q", asked, got, want)
		}
	}
	c := wire.Dial(t, s.Plain)
	c.Say(strings.Replace(wire.Header, "to='x'", "to='chat.example'", 1))
	c.Until("</stream:features>")
	c.Say(startTLS)
	c.Until(proceed)
	c.Encrypt(client(""))
	if got := c.TLS().PeerCertificates[0].DNSNames[0]; got != "chat.example" {
		t.Errorf("a stream to chat.example got the certificate of %s", got)
	}
}

// New certificates are for new connections; the old ones go on.
func TestReload(t *testing.T) {
	s, options := encrypted(t, nil, "x")
	old := wire.DialTLS(t, s.Direct, client("x"))
	old.Login("ada", "desk")
	half := wire.Dial(t, s.Plain) // in the middle of its negotiation
	half.Open()
	before := old.TLS().PeerCertificates[0]

	options["tls.certificates"] = "[" + certificate(t, t.TempDir(), "x") + "]"
	options["limits.stanza"] = `"20KiB"`
	reload(t, s, options)

	old.Ping()
	for _, c := range []*wire.Client{half, wire.Dial(t, s.Plain)} {
		if c != half {
			c.Open()
		}
		c.Say(startTLS)
		c.Until(proceed)
		c.Encrypt(client("x"))
		if c.TLS().PeerCertificates[0].Equal(before) {
			t.Error("the old certificate was shown")
		}
	}
	fresh := wire.DialTLS(t, s.Direct, client("x"))
	fresh.Login("bob", "home")
	fresh.Say("<message to='bob@x'><body>" + strings.Repeat("a", 30<<10) + "</body></message>")
	fresh.Fails("policy-violation")
	old.Ping()

	// A reload that fails changes nothing.
	cfg := parsed(t, options).C2S
	cfg.Certificates = append(cfg.Certificates, c2s.Certificate{Cert: "missing.crt", Key: "missing.key"})
	cfg.Limits.AfterAuth.Bytes = 100
	if err := s.Streams().Reload(cfg); err == nil {
		t.Error("a certificate that is not there was taken")
	}
	fresh = wire.DialTLS(t, s.Direct, client("x"))
	fresh.Login("bob", "home")
	fresh.Say("<message to='bob@x'><body>" + strings.Repeat("a", 10<<10) + "</body></message>")
	fresh.Ping()
}

// plaintext_on_loopback is what it says: encryption is offered and not required.
func TestPlaintextOnLoopback(t *testing.T) {
	s, _ := encrypted(t, map[string]string{"c2s.plaintext_on_loopback": "true"}, "x")
	c := wire.Dial(t, s.Plain)
	features := c.Open()
	if !strings.Contains(features, "<starttls") || strings.Contains(features, "<required/>") || !strings.Contains(features, "<mechanism>PLAIN</mechanism>") {
		t.Errorf("features: %s", features)
	}
	if strings.Contains(features, "-PLUS") || strings.Contains(features, "sasl-channel-binding") {
		t.Errorf("there is no channel to bind to: %s", features)
	}
	wire.Dial(t, s.Plain).Login("ada", "desk")
}

// Others begin TLS by themselves and show what is shown here.
func TestCertificateForOthers(t *testing.T) {
	s, _ := encrypted(t, nil, "x", "y.example")
	for asked, want := range map[string]string{"y.example": "y.example", "x": "x", "": "x", "z.example": "x"} {
		cert, err := s.Streams().Certificate(&tls.ClientHelloInfo{ServerName: asked})
		if err != nil || cert.Leaf.DNSNames[0] != want {
			t.Errorf("%q: %v %v", asked, cert, err)
		}
	}
}
