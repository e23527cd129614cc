package badinput

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/wire"
)

// Logging in does not tell who has an account: the same bytes, but for what is
// random, and about the same time.
func TestLoginTellsNothing(t *testing.T) {
	s := serve(t, map[string]string{"auth.attempts_per_stream": "100"})
	random := regexp.MustCompile(`r=[^,]*|s=[^,]*`)
	for _, mechanism := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		c := wire.Dial(t, s.Plain)
		c.Open()
		var seen [2][]string
		for i, name := range []string{"bob", "nobody", "bob", "nobody"} {
			nonce, salt, rest := challenge(t, c, mechanism, name)
			final := "c=biws,r=" + nonce + ",p=" + base64.StdEncoding.EncodeToString(make([]byte, map[string]int{"1": 20, "256": 32, "512": 64}[strings.TrimPrefix(mechanism, "SCRAM-SHA-")]))
			c.Say("<response xmlns='" + nsSASL + "'>" + base64.StdEncoding.EncodeToString([]byte(final)) + "</response>")
			seen[i%2] = append(seen[i%2], salt, random.ReplaceAllString(rest, "?")+c.Until("</failure>"))
			if len(salt) != len(seen[0][0]) {
				t.Errorf("%s: salts of different lengths: %q", mechanism, seen)
			}
		}
		if seen[0][0] != seen[0][2] || seen[1][0] != seen[1][2] {
			t.Errorf("%s: a salt changes: %q", mechanism, seen)
		}
		if seen[0][0] == seen[1][0] || seen[0][1] != seen[1][1] || seen[0][3] != seen[1][3] {
			t.Errorf("%s: known and unknown differ: %q", mechanism, seen)
		}
	}
}

// challenge begins an exchange and returns the server's nonce and salt, and the
// whole message.
func challenge(t *testing.T, c *wire.Client, mechanism, name string) (nonce, salt, all string) {
	t.Helper()
	c.Say("<auth xmlns='" + nsSASL + "' mechanism='" + mechanism + "'>" + base64.StdEncoding.EncodeToString([]byte("n,,n="+name+",r=abcdefgh")) + "</auth>")
	c.Until("'>")
	text, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(c.Until("</challenge>"), "</challenge>"))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(string(text), ",")
	return strings.TrimPrefix(fields[0], "r="), strings.TrimPrefix(fields[1], "s="), string(text)
}

func TestPlainTellsNothing(t *testing.T) {
	s := serve(t, map[string]string{"auth.attempts_per_stream": "100"})
	c := wire.Dial(t, s.Plain)
	c.Open()
	names := []string{"bob", "nobody"}
	var took [2][]time.Duration
	var said [2]string
	for range 40 {
		for i, name := range names {
			began := time.Now()
			c.Say(wire.Plain(name, "guess"))
			said[i] = c.Until("</failure>")
			took[i] = append(took[i], time.Since(began))
		}
	}
	if said[0] != said[1] {
		t.Errorf("known: %s\nunknown: %s", said[0], said[1])
	}
	slices.Sort(took[0])
	slices.Sort(took[1])
	known, unknown := took[0][len(took[0])/2], took[1][len(took[1])/2]
	t.Logf("known %v, unknown %v", known, unknown)
	if known > 2*unknown || unknown > 2*known {
		t.Errorf("known accounts take %v, unknown ones %v", known, unknown)
	}
}

// Somebody who is not there and somebody who does not exist look alike to a
// stranger, with one exception: RFC 6121 §8.5.2.2.1 has a message to the former
// stored, while §8.5.1 has a choice for one to the latter. Whoever writes to a
// mistyped address is to hear of it, so the choice is the error.
func TestStanzasTellNothing(t *testing.T) {
	s := serve(t, nil)
	ada := wire.Dial(t, s.Plain)
	ada.Login("ada", "desk")
	ada.Say("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>") // be interested
	answers(ada)
	ask := func(stanza, who string) string {
		ada.Say(strings.ReplaceAll(stanza, "WHO", who))
		got := strings.ReplaceAll(answers(ada), who, "WHO")
		return regexp.MustCompile(` ver='[^']*'| id='push[^']*'|id='[0-9A-Za-z]{8,}'`).ReplaceAllString(got, "")
	}
	for _, stanza := range questions() {
		known, unknown := ask(stanza, "bob@x"), ask(stanza, "zed@x")
		if known != unknown {
			t.Errorf("%s\n  known: %s\nunknown: %s", stanza, known, unknown)
		}
	}
	for _, kind := range []string{"chat", "normal"} {
		m := "<message type='" + kind + "' id='m' to='WHO'><body>hi</body></message>"
		if got := ask(m, "bob@x"); strings.Contains(got, "error") {
			t.Errorf("a message to somebody who is away came back: %s", got)
		}
		if got := ask(m, "zed@x"); !strings.Contains(got, "<service-unavailable") {
			t.Errorf("a message to nobody did not come back: %s", got)
		}
	}
}

// Whom somebody has blocked that one meets as an account that does not exist,
// whatever is tried, while they are there and while they are away. Not even the
// exception above holds: what would be stored comes back.
func TestBlockedLearnNothing(t *testing.T) {
	s := serve(t, nil)
	bob := wire.Dial(t, s.Plain)
	bob.Login("bob", "home")
	bob.Say("<presence/><iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='ada@x'/></block></iq>")
	bob.Until("id='b'")
	ada := wire.Dial(t, s.Plain)
	ada.Login("ada", "desk")
	ada.Say("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>") // be interested
	answers(ada)
	ask := func(stanza, who string) string {
		ada.Say(strings.ReplaceAll(stanza, "WHO", who))
		got := strings.ReplaceAll(answers(ada), who, "WHO")
		return regexp.MustCompile(` ver='[^']*'| id='push[^']*'|id='[0-9A-Za-z]{8,}'`).ReplaceAllString(got, "")
	}
	all := questions()
	for _, to := range []string{"WHO", "WHO/home"} {
		for _, kind := range []string{"chat", "normal"} {
			all = append(all, "<message type='"+kind+"' id='m' to='"+to+"'><body>hi</body></message>")
		}
	}
	for away := range 2 {
		if away == 1 {
			bob.Say("</stream:stream>")
			bob.Until("</stream:stream>")
		}
		for _, stanza := range all {
			known, unknown := ask(stanza, "bob@x"), ask(stanza, "zed@x")
			if known != unknown {
				t.Errorf("%s\nblocked: %s\nunknown: %s", stanza, known, unknown)
			}
		}
	}
}

// questions are stanzas to WHO that could tell whether there is such an account.
func questions() (all []string) {
	for _, to := range []string{"WHO", "WHO/home"} {
		for _, kind := range []string{"get", "set"} {
			for _, payload := range []string{
				"<vCard xmlns='vcard-temp'/>", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
				"<query xmlns='http://jabber.org/protocol/disco#items'/>", "<query xmlns='jabber:iq:version'/>",
				"<time xmlns='urn:xmpp:time'/>", "<ping xmlns='urn:xmpp:ping'/>", "<query xmlns='jabber:iq:roster'/>",
				"<query xmlns='jabber:iq:last'/>", "<query xmlns='urn:xmpp:mam:2'/>", "<enable xmlns='urn:xmpp:carbons:2'/>",
				"<query xmlns='jabber:iq:private'/>", "<query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query>",
				"<query xmlns='jabber:iq:search'/>", "<x xmlns='urn:example'/>", "<query xmlns='jabber:iq:register'/>",
			} {
				all = append(all, fmt.Sprintf("<iq type='%s' id='q' to='%s'>%s</iq>", kind, to, payload))
			}
		}
		for _, kind := range []string{"", " type='unavailable'", " type='probe'", " type='error'"} {
			all = append(all, "<presence"+kind+" to='"+to+"'/>")
		}
		for _, kind := range []string{"headline", "groupchat", "error"} {
			all = append(all, "<message type='"+kind+"' id='m' to='"+to+"'><body>hi</body></message>")
		}
	}
	// What these do lasts, so they come last.
	for _, kind := range []string{"unsubscribe", "unsubscribed", "subscribed", "subscribe", "subscribe", "probe", "unsubscribe"} {
		all = append(all, "<presence type='"+kind+"' to='WHO'/>")
	}
	return all
}
