package register

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// book is a place for accounts.
type book struct {
	accounts map[jid.Bare]string
	broken   error
}

func (b *book) Create(_ context.Context, who jid.Bare, password string) error {
	if _, taken := b.accounts[who]; taken {
		return stanza.ErrConflict
	}
	return b.SetPassword(context.Background(), who, password)
}

func (b *book) SetPassword(_ context.Context, who jid.Bare, password string) error {
	switch {
	case b.broken != nil:
		return b.broken
	case strings.ContainsRune(password, '\t'):
		return sasl.ErrPassword
	}
	b.accounts[who] = password
	return nil
}

func (b *book) Remove(_ context.Context, who jid.Bare) error {
	if b.broken != nil {
		return b.broken
	}
	delete(b.accounts, who)
	return nil
}

func newFeature(t testing.TB, c Config) (*Feature, *book, *bytes.Buffer) {
	b := &book{accounts: map[jid.Bare]string{}}
	f := New(b, c)
	var log bytes.Buffer
	server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}, {Name: "guests", Anonymous: true}}},
		Features: []server.Feature{f},
		Log:      slog.New(slog.NewTextHandler(&log, nil)),
	})
	return f, b, &log
}

func scan(t testing.TB, raw string) *stanza.Stanza {
	t.Helper()
	st, err := scanned([]byte(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return st
}

func scanned(raw []byte) (*stanza.Stanza, error) {
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	return sc.Whole(raw)
}

var here = netip.MustParseAddr("192.0.2.1")

func set(name, password string) string {
	return "<iq type='set' id='1'><query xmlns='jabber:iq:register'>" +
		"<username>" + stanza.Escape(name) + "</username><password>" + password + "</password></query></iq>"
}

func TestStreamFeature(t *testing.T) {
	f, _, _ := newFeature(t, Config{Open: true})
	for domain, want := range map[string]string{"x": offer, "guests": "", "elsewhere": ""} {
		if got := string(f.StreamFeature(domain)); got != want {
			t.Errorf("%s: %q, want %q", domain, got, want)
		}
	}
	f.Configure(Config{})
	if got := f.StreamFeature("x"); got != nil {
		t.Errorf("closed, and yet %q", got)
	}
}

func TestUnauthenticatedIsForRegistrationOnly(t *testing.T) {
	f, _, _ := newFeature(t, Config{Open: true})
	for _, raw := range []string{
		"<iq type='get' id='1'><query xmlns='jabber:iq:version'/></iq>",
		"<iq type='result' id='1'><query xmlns='jabber:iq:register'/></iq>",
		"<iq type='error' id='1'><query xmlns='jabber:iq:register'/></iq>",
		"<message type='get' id='1'><query xmlns='jabber:iq:register'/></message>",
		"<iq type='get' id='1'/>",
	} {
		if reply, mine := f.Unauthenticated(t.Context(), "x", here, scan(t, raw)); mine || reply != nil {
			t.Errorf("%s was answered: %s", raw, reply)
		}
	}
}

// An account that is kept elsewhere is neither changed nor removed from here,
// and its owner hears why.
func TestKeptElsewhere(t *testing.T) {
	for _, raw := range []string{
		set("ada", "analytical"),
		"<iq type='set' id='1'><query xmlns='jabber:iq:register'><remove/></query></iq>",
	} {
		f, b, log := newFeature(t, Config{})
		b.accounts["ada@x"] = "kept elsewhere"
		b.broken = fmt.Errorf("storage: %w", stanza.Refuse(stanza.ErrNotAllowed, "ask the help desk"))
		st, a := scan(t, raw), server.NewAccount("ada@x", 1)
		s := &server.Session{JID: a.JID.With("desk"), Account: a}
		r := &server.Request{From: s.JID, To: a.JID.With(""), Session: s, Account: a, Set: true, Payload: st.Payload(), Stanza: st}
		_, err := f.set(t.Context(), r)
		refusal, known := stanza.AsError(err)
		if !known || !errors.Is(err, stanza.ErrNotAllowed) || refusal.Text != "ask the help desk" {
			t.Errorf("%s: %v", raw, err)
		}
		if b.accounts["ada@x"] != "kept elsewhere" || log.Len() > 0 {
			t.Errorf("%s: it has %q, and the log says: %s", raw, b.accounts["ada@x"], log)
		}
	}
}

func TestCreate(t *testing.T) {
	for _, c := range []struct {
		name, password, want string
	}{
		{"ada", "analytical", "type='result'"},
		{"ADA", "analytical", "<conflict "},
		{"Zoë", "analytical", "type='result'"},
		{"a/b", "analytical", "<not-acceptable "},
		{"a@x", "analytical", "<not-acceptable "},
		{"a b", "analytical", "<not-acceptable "},
		{strings.Repeat("a", 1024), "analytical", "<not-acceptable "},
		{"", "analytical", "<not-acceptable "},
		{"eve", "", "<not-acceptable "},
		{"eve", "seven77", "<not-acceptable "},
		{"eve", "päßwörter", "type='result'"},
		{"bob", "ringing&#x9;ringing", "<not-acceptable "},
		{"bob", strings.Repeat("a", maxPassword+1), "<not-acceptable "},
	} {
		st := scan(t, set(c.name, c.password))
		f, b, _ := newFeature(t, Config{Open: true})
		b.accounts["ada@x"] = "taken"
		if c.want == "type='result'" {
			delete(b.accounts, "ada@x")
		}
		reply, mine := f.Unauthenticated(t.Context(), "x", here, st)
		if !mine || !strings.Contains(string(reply), c.want) {
			t.Errorf("%q with %q: %s, want %s", c.name, c.password, reply, c.want)
		}
		made := jid.MustParse("x").Bare()
		if j, err := jid.Parse(c.name + "@x"); err == nil {
			made = j.Bare()
		}
		got, there := b.accounts[made]
		if yes := there && got == c.password; yes != (c.want == "type='result'") {
			t.Errorf("%q: made %v", c.name, yes)
		}
	}
}

func TestUnusablePassword(t *testing.T) {
	f, b, _ := newFeature(t, Config{Open: true})
	b.broken = sasl.ErrPassword
	reply, _ := f.Unauthenticated(t.Context(), "x", here, scan(t, set("ada", "analytical")))
	if !strings.Contains(string(reply), "<not-acceptable ") {
		t.Errorf("%s", reply)
	}
}

// What goes wrong inside is logged, and neither the reply nor the log has the
// password.
func TestFailure(t *testing.T) {
	f, b, log := newFeature(t, Config{Open: true})
	b.broken = errors.New("the disk is gone")
	reply, _ := f.Unauthenticated(t.Context(), "x", here, scan(t, set("ada", "analytical")))
	if !strings.Contains(string(reply), "<internal-server-error ") || strings.Contains(string(reply), "disk") {
		t.Errorf("the reply is %s", reply)
	}
	if !strings.Contains(log.String(), "the disk is gone") || strings.Contains(log.String()+string(reply), "analytical") {
		t.Errorf("the log has %s", log)
	}
}

func TestPerAddress(t *testing.T) {
	f, b, _ := newFeature(t, Config{Open: true, PerAddressHour: 1})
	for n, want := range []string{"type='result'", "<resource-constraint "} {
		name := string(rune('a' + n))
		reply, _ := f.Unauthenticated(t.Context(), "x", here, scan(t, set(name, "analytical")))
		if !strings.Contains(string(reply), want) {
			t.Errorf("%s: %s, want %s", name, reply, want)
		}
	}
	reply, _ := f.Unauthenticated(t.Context(), "x", netip.MustParseAddr("2001:db8::1"), scan(t, set("c", "analytical")))
	if !strings.Contains(string(reply), "type='result'") || len(b.accounts) != 2 {
		t.Errorf("from another address: %s", reply)
	}
}

// Whatever comes before login, an answer is one well-formed <iq/>, and a name
// that was let in is one that can be logged in with.
func FuzzUnauthenticated(f *testing.F) {
	for _, raw := range []string{
		set("ada", "analytical"),
		"<iq type='get' id='&quot;&lt;' to='x'><query xmlns='jabber:iq:register'/></iq>",
		"<iq type='set'><query xmlns='jabber:iq:register'><remove/></query></iq>",
		"<iq type='set' id='1'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='username'><value>a</value></field>" +
			"<field var='password'><value>12345678</value><value>9</value></field></x></query></iq>",
		"<iq type='set' id=''><r:query xmlns:r='jabber:iq:register'><r:username>&#xdf;</r:username><r:password>12345678</r:password></r:query></iq>",
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		st, err := scanned(raw)
		if err != nil {
			return
		}
		feature, b, _ := newFeature(t, Config{Open: true})
		reply, mine := feature.Unauthenticated(t.Context(), "x", here, st)
		if !mine {
			if reply != nil {
				t.Fatalf("%q is not mine and answered: %q", raw, reply)
			}
			return
		}
		answer, err := scanned(reply)
		if err != nil || answer.Kind != stanza.IQ || !answer.IsType("result") && !answer.IsType("error") {
			t.Fatalf("%q was answered by %q: %v", raw, reply, err)
		}
		for who := range b.accounts {
			j, err := jid.Parse(string(who))
			if err != nil || j.Bare() != who || j.Local() == "" || j.Domain() != "x" {
				t.Fatalf("%q made the account %q", raw, who)
			}
		}
	})
}
