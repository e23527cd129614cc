package c2s_test

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"testing"

	"rollcall/internal/transcript"
	"rollcall/internal/wire"
)

const nsSASL = "urn:ietf:params:xml:ns:xmpp-sasl"

// scram logs in as RFC 5802 says, written down apart from what is tested. gs2
// is the header; bound what it is bound to. It returns the last word.
func scram(t *testing.T, c *wire.Client, mechanism, user, password, gs2 string, bound []byte) string {
	t.Helper()
	h := map[string]func() hash.Hash{"1": sha1.New, "256": sha256.New, "512": sha512.New}[strings.Split(mechanism, "-")[2]]
	first := "n=" + user + ",r=rOprNGfwEbeRWgbNEkqO"
	encode := base64.StdEncoding.EncodeToString
	c.Say("<auth xmlns='" + nsSASL + "' mechanism='" + mechanism + "'>" + encode([]byte(gs2+first)) + "</auth>")
	c.Until("<")
	got := "<" + c.Until(">")
	if !strings.HasPrefix(got, "<challenge") {
		return got + c.Until("</failure>")
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(c.Until("</challenge>"), "</challenge>"))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for _, f := range strings.Split(string(text), ",") {
		fields[f[:1]] = f[2:]
	}
	salt, err := base64.StdEncoding.DecodeString(fields["s"])
	if err != nil {
		t.Fatal(err)
	}
	rounds, err := strconv.Atoi(fields["i"])
	if err != nil {
		t.Fatal(err)
	}
	salted, err := pbkdf2.Key(h, password, salt, rounds, h().Size())
	if err != nil {
		t.Fatal(err)
	}
	mac := func(key []byte, text string) []byte {
		m := hmac.New(h, key)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	key := mac(salted, "Client Key")
	stored := h()
	stored.Write(key)
	last := "c=" + encode(append([]byte(gs2), bound...)) + ",r=" + fields["r"]
	all := first + "," + string(text) + "," + last
	proof := mac(stored.Sum(nil), all)
	subtle.XORBytes(proof, proof, key)
	c.Say("<response xmlns='" + nsSASL + "'>" + encode([]byte(last+",p="+encode(proof))) + "</response>")
	c.Until("<")
	if got = "<" + c.Until(">"); !strings.HasPrefix(got, "<success") {
		return got + c.Until("</failure>")
	}
	answer := strings.TrimSuffix(c.Until("</success>"), "</success>")
	if want := "v=" + encode(mac(mac(salted, "Server Key"), all)); answer != encode([]byte(want)) {
		t.Error("the server did not prove that it knows the password")
	}
	return "<success>"
}

// exported and endPoint are the data of RFC 9266 and of RFC 5929 §4, as the
// client sees them.
func exported(t *testing.T, c *wire.Client) []byte {
	t.Helper()
	state := c.TLS()
	data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func endPoint(c *wire.Client) []byte {
	sum := sha256.Sum256(c.TLS().PeerCertificates[0].Raw)
	return sum[:]
}

func TestChannelBinding(t *testing.T) {
	s, _ := encrypted(t, nil, "x")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, mechanism := range []string{"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS"} {
			t.Run(fmt.Sprintf("%s %s", tls.VersionName(version), mechanism), func(t *testing.T) {
				cfg := client("x")
				cfg.MinVersion, cfg.MaxVersion = version, version
				dial := func() *wire.Client {
					c := wire.DialTLS(t, s.Direct, cfg)
					f := c.Open()
					for _, want := range []string{
						"<mechanism>" + mechanism + "</mechanism>",
						// XEP-0440 §3
						"<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/>" +
							"<channel-binding type='tls-server-end-point'/></sasl-channel-binding>",
					} {
						if !strings.Contains(f, want) {
							t.Errorf("features without %s: %s", want, f)
						}
					}
					return c
				}
				c := dial()
				want(t, scram(t, c, mechanism, "ada", transcript.Password, "p=tls-exporter,,", exported(t, c)), "<success>")
				c.Open()
				c.Bind("desk")
				c = dial()
				want(t, scram(t, c, mechanism, "ada", transcript.Password, "p=tls-server-end-point,,", endPoint(c)), "<success>")
				// To the wrong end, or to another connection.
				c = dial()
				want(t, scram(t, c, mechanism, "ada", transcript.Password, "p=tls-server-end-point,,", exported(t, c)), "<not-authorized/>")
				want(t, scram(t, c, mechanism, "ada", transcript.Password, "p=tls-exporter,,", exported(t, dial())), "<not-authorized/>")
				want(t, scram(t, c, mechanism, "ada", transcript.Password, "p=tls-unique,,", exported(t, c)), "<malformed-request/>")
				want(t, scram(t, c, mechanism, "ada", transcript.Password, "n,,", nil), "<malformed-request/>")
				// And with the right data, after all that.
				want(t, scram(t, c, mechanism, "ada", transcript.Password, "p=tls-exporter,,", exported(t, c)), "<success>")
			})
		}
	}
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// RFC 5802 §6: "y" says that the client could bind and saw no offer. It is
// refused where there was one, and fine where there was none.
func TestDowngrade(t *testing.T) {
	s, _ := encrypted(t, map[string]string{"c2s.plaintext_on_loopback": "true"}, "x")
	c := wire.DialTLS(t, s.Direct, client("x"))
	c.Open()
	want(t, scram(t, c, "SCRAM-SHA-256", "ada", transcript.Password, "y,,", nil), "<not-authorized/>")
	want(t, scram(t, c, "SCRAM-SHA-256", "ada", transcript.Password, "n,,", nil), "<success>")
	c = wire.Dial(t, s.Plain)
	c.Open()
	want(t, scram(t, c, "SCRAM-SHA-256", "ada", transcript.Password, "y,,", nil), "<success>")
	// -PLUS is only for where it is offered.
	c = wire.Dial(t, s.Plain)
	c.Open()
	want(t, scram(t, c, "SCRAM-SHA-256-PLUS", "ada", transcript.Password, "p=tls-exporter,,", nil), "<invalid-mechanism/>")
}

// A resumed TLS session shows no certificate. It is bound to by its own secret,
// and to the certificate of the session that it goes on with.
func TestResumedTLS(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			s, options := encrypted(t, nil, "other.example", "x")
			cfg := client("x")
			cfg.MinVersion, cfg.MaxVersion = version, version
			cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			dial := func(resumed bool) *wire.Client {
				t.Helper()
				c := wire.DialTLS(t, s.Direct, cfg)
				if got := c.TLS().DidResume; got != resumed {
					t.Fatalf("resumed: %v, want %v", got, resumed)
				}
				c.Open()
				return c
			}
			both := func(resumed bool) {
				t.Helper()
				c := dial(resumed)
				want(t, scram(t, c, "SCRAM-SHA-256-PLUS", "ada", transcript.Password, "p=tls-exporter,,", exported(t, c)), "<success>")
				c = dial(true)
				want(t, scram(t, c, "SCRAM-SHA-256-PLUS", "ada", transcript.Password, "p=tls-server-end-point,,", endPoint(c)), "<success>")
			}
			both(false)
			both(true)
			// With another certificate the old sessions are no good: their clients
			// would bind to the old one.
			options["tls.certificates"] = "[" + certificate(t, t.TempDir(), "x") + "]"
			reload(t, s, options)
			both(false)
		})
	}
}
