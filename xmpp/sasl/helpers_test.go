package sasl

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	mellium "mellium.im/sasl"

	"rollcall/xmpp/jid"
)

// book is a small real store of credentials.
type book map[jid.Bare]map[Hash]Keys

func (b book) Keys(_ context.Context, account jid.Bare, h Hash) (Keys, bool, error) {
	k, ok := b[account][h]
	return k, ok, nil
}

// broken is a store that is down.
type broken struct{ err error }

func (b broken) Keys(context.Context, jid.Bare, Hash) (Keys, bool, error) {
	return Keys{}, false, b.err
}

const (
	testUser     = "ada,l=1"
	testPassword = "pencil, sharp"
)

var testBook = func() book {
	keys, err := NewKeys(testPassword, MinIterations)
	if err != nil {
		panic(err)
	}
	return book{jid.Bare(testUser + "@example.org"): keys}
}()

// config offers everything, without a channel to bind to.
func config() *Config {
	return &Config{
		Domain:      "example.org",
		Mechanisms:  []string{"SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", Plain, Anonymous},
		Credentials: testBook,
		Secret:      []byte("of the salts"),
		Iterations:  MinIterations,
	}
}

// bound offers everything, on a channel.
func bound(b *ChannelBinding) *Config {
	c := config()
	c.Channel = b
	c.Mechanisms = Offer(c.Mechanisms, b)
	return c
}

func start(t testing.TB, mechanism string, cfg *Config) *Server {
	t.Helper()
	s, err := NewServer(mechanism, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// client is SCRAM's other side, written apart from the server and able to do
// wrong.
type client struct {
	hash           Hash
	user, password string
	flag           string // "n", "y", "p=…"
	authzid        string // as it is sent
	binding        []byte
	more           string // extensions, ",x=y"
	nonce          string // to prove with instead of the right one
	final          func(msg string) string

	bare, withoutProof, auth string
	salted                   []byte
}

func (c *client) first() string {
	c.bare = "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(c.user) + ",r=rOprNGfwEbeRWgbNEkqO" + c.more
	return c.header() + c.bare
}

func (c *client) header() string {
	if c.flag == "" {
		c.flag = "n"
	}
	if c.authzid != "" {
		return c.flag + ",a=" + c.authzid + ","
	}
	return c.flag + ",,"
}

func (c *client) answer(t testing.TB, challenge string) string {
	t.Helper()
	var nonce, salt string
	iterations := 0
	for _, a := range strings.Split(challenge, ",") {
		switch a[:2] {
		case "r=":
			nonce = a[2:]
		case "s=":
			b, err := base64.StdEncoding.DecodeString(a[2:])
			if err != nil {
				t.Fatal(err)
			}
			salt = string(b)
		case "i=":
			iterations, _ = strconv.Atoi(a[2:])
		}
	}
	if c.nonce != "" {
		nonce = c.nonce
	}
	var err error
	c.salted, err = pbkdf2.Key(c.hash.maker(), c.password, []byte(salt), iterations, c.hash.size())
	if err != nil {
		t.Fatal(err)
	}
	c.withoutProof = "c=" + base64.StdEncoding.EncodeToString(append([]byte(c.header()), c.binding...)) + ",r=" + nonce + c.more
	c.auth = c.bare + "," + challenge + "," + c.withoutProof
	key := c.hmac(c.salted, "Client Key")
	h := c.hash.maker()()
	h.Write(key)
	subtle.XORBytes(key, key, c.hmac(h.Sum(nil), c.auth))
	msg := c.withoutProof + ",p=" + base64.StdEncoding.EncodeToString(key)
	if c.final != nil {
		msg = c.final(msg)
	}
	return msg
}

func (c *client) hmac(key []byte, msg string) []byte {
	m := hmac.New(c.hash.maker(), key)
	m.Write([]byte(msg))
	return m.Sum(nil)
}

// login plays a whole exchange and checks the server's proof.
func (c *client) login(t testing.TB, s *Server) error {
	t.Helper()
	challenge, done, err := s.Step(t.Context(), []byte(c.first()))
	if err != nil {
		return err
	}
	if done {
		t.Fatal("done after one message")
	}
	proof, done, err := s.Step(t.Context(), []byte(c.answer(t, string(challenge))))
	if err != nil {
		return err
	}
	if want := "v=" + base64.StdEncoding.EncodeToString(c.hmac(c.hmac(c.salted, "Server Key"), c.auth)); !done || string(proof) != want {
		t.Fatalf("the server proves %q, %v; want %q", proof, done, want)
	}
	return nil
}

// exchange lets a client of mellium's log in.
func exchange(t testing.TB, m mellium.Mechanism, s *Server, user, password, authzid string, opts ...mellium.Option) error {
	t.Helper()
	opts = append(opts, mellium.Credentials(func() (u, p, i []byte) {
		return []byte(user), []byte(password), []byte(authzid)
	}))
	c := mellium.NewClient(m, opts...)
	more, msg, err := c.Step(nil)
	if err != nil {
		return err
	}
	for range 4 {
		out, done, err := s.Step(t.Context(), msg)
		if err != nil {
			return err
		}
		if more {
			if more, msg, err = c.Step(out); err != nil {
				return err
			}
		}
		if done {
			if more {
				t.Fatal("the client waits for more")
			}
			return nil
		}
	}
	return errors.New("no end")
}

// channel is one TLS connection, both ends of it.
type channel struct {
	client, server tls.ConnectionState
	certificate    tls.Certificate
}

func (c *channel) binding() *ChannelBinding { return BindingFor(c.server, &c.certificate) }

func newChannel(t testing.TB, version uint16) *channel {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ch := &channel{certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
	a, b := net.Pipe()
	c := tls.Client(a, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
	s := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{ch.certificate}, MaxVersion: version})
	failed := make(chan error, 1)
	go func() { failed <- s.HandshakeContext(t.Context()) }()
	err = c.HandshakeContext(t.Context())
	// TLS 1.3 sends a session ticket that waits for a reader.
	go func() { _, _ = c.Read(make([]byte, 1)) }()
	if err := errors.Join(err, <-failed); err != nil {
		t.Fatal(err)
	}
	ch.client, ch.server = c.ConnectionState(), s.ConnectionState()
	a.Close()
	b.Close()
	return ch
}
