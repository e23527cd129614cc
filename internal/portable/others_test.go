package portable_test

import (
	"crypto/hmac"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/portable"
	"rollcall/roster/privacy"
	"rollcall/xmpp/sasl"
)

// The files of these tests were written by real servers about people who do not
// exist; interop/migration/fixtures.py makes them.
var (
	prosody       = "testdata/prosody-0.12/*.xml"
	ejabberd      = "testdata/ejabberd-23.01/*[0-9].xml" // it includes the other one
	ejabberdPlain = "testdata/ejabberd-23.01-plain/*[0-9].xml"
)

var passwords = map[string]string{
	"ada": "tea for two", "bob": "c0ff<>&e", "carol": "Grüße & Küsse", "dave": strings.Repeat("d", 40), "zoë": "pässwörd",
}

// everybody reads what a server wrote; what several files say of one account is
// put together.
func everybody(t *testing.T, pattern string) map[string]got {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(names), err)
	}
	all := map[string]got{}
	for _, name := range names {
		r := readFile(name, "", portable.Options{}).clean(t)
		for who, a := range r.accounts {
			g := all[who.Local()]
			if g.Account == "" {
				all[who.Local()] = a
				continue
			}
			g.Offline = append(g.Offline, a.Offline...)
			if a.Lists != nil {
				g.Lists = a.Lists
			}
			all[who.Local()] = g
		}
	}
	if len(all) != len(passwords) {
		t.Fatalf("there are %d accounts", len(all))
	}
	return all
}

// verifies reports whether a password is the account's.
func verifies(g got, password string) bool {
	if g.Password != "" {
		return g.Password == password
	}
	for h, k := range g.Keys {
		d, err := sasl.Derive(h, password, k.Salt, k.Iterations)
		if err != nil || !hmac.Equal(d.StoredKey, k.StoredKey) || !hmac.Equal(d.ServerKey, k.ServerKey) {
			return false
		}
	}
	return len(g.Keys) > 0
}

func TestWhatOthersWrite(t *testing.T) {
	for _, c := range []struct {
		name, pattern string
		archive       bool
		clear         bool
	}{
		{"Prosody", prosody, true, false},
		{"ejabberd", ejabberd, false, false},
		{"ejabberd with passwords", ejabberdPlain, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := everybody(t, c.pattern)
			for name, password := range passwords {
				g := all[name]
				if !verifies(g, password) || verifies(g, password+"x") || c.clear != (g.Password != "") {
					t.Errorf("%s cannot log in with %q: %d keys", name, password, len(g.Keys))
				}
			}
			same(t, "ada's contacts", contacts(all["ada"].Parcel), []string{
				`bob@old.example "Bob <B>" ["Ringers & Co" "Work"] Both`,
				`carol@old.example "Carol" [] None + Pending Out`,
				`dave@old.example "" [] None + Pending In hidden`,
			})
			same(t, "carol's contacts", contacts(all["carol"].Parcel), []string{`ada@old.example "" [] None + Pending In hidden`})
			same(t, "dave's contacts", contacts(all["dave"].Parcel), []string{`ada@old.example "" [] None + Pending Out`})
			same(t, "what waits for bob", bodies(all["bob"].Offline), []string{"for later 0", "for later 1", "for later 2"})
			same(t, "what waits for carol", bodies(all["carol"].Offline), []string{"for carol"})
			l := all["ada"].Lists
			if l == nil || len(l.Lists) != 1 || l.Default != l.Lists[0].Name {
				t.Fatalf("privacy lists: %+v", l)
			}
			same(t, "whom ada has blocked", privacy.NewList("", l.Lists[0].Items).Blocked(), []string{"mallory@old.example", "spam.example"})
			card := string(all["ada"].VCard)
			for _, part := range []string{"<FN>Ada Lovelace</FN>", "<NICKNAME>Ada</NICKNAME>", "<WORK/><NUMBER>+44 20 7946 0000</NUMBER>", "<TYPE>image/png</TYPE>", "<BINVAL>iVBORw0KGgo"} {
				if !strings.Contains(card, part) {
					t.Errorf("the vCard %s is without %s", card, part)
				}
			}
			kept := map[string]string{}
			for _, it := range all["ada"].Private {
				kept[it.Namespace] = string(it.XML)
			}
			if kept["exodus:prefs"] != "<exodus xmlns='exodus:prefs'><defaultnick>Countess &amp; Co</defaultnick></exodus>" ||
				kept["storage:bookmarks"] != "<storage xmlns='storage:bookmarks'><conference autojoin='true' jid='tea@rooms.example' name='Tea &amp; Cake'><nick>Ada</nick></conference></storage>" {
				t.Errorf("private XML: %q", kept)
			}
			if !c.archive {
				return
			}
			said := []string{"tea?", "2 &lt; 3 &amp;&amp; &apos;x&apos; &gt; &quot;y&quot;", "Übung 茶 👋🏽", "two&#xA;lines", "ok", "ok", "bye", "for later 0", "for later 1", "for later 2"}
			same(t, "bob's archive", bodies(all["bob"].Archive), said)
			same(t, "ada's archive", bodies(all["ada"].Archive), append(said, "for carol"))
		})
	}
}

// What one server says of a message is the same whoever's archive it is in, and
// in whatever order it writes attributes.
func TestSameMessageOfBothSides(t *testing.T) {
	all := everybody(t, prosody)
	for i, m := range all["bob"].Archive {
		other := all["ada"].Archive[i]
		if string(m.Stanza) != string(other.Stanza) || m.From != other.From || m.Stamp != other.Stamp {
			t.Errorf("%s\nis not\n%s", m.Stanza, other.Stanza)
		}
	}
}

// What servers wrote into waiting messages for themselves is not delivered.
func TestMessagesWithoutMarksOfServers(t *testing.T) {
	for _, pattern := range []string{prosody, ejabberd} {
		for _, m := range everybody(t, pattern)["bob"].Offline {
			if s := string(m.Stanza); strings.Contains(s, "delay") || strings.Contains(s, "urn:xmpp:mam:tmp") {
				t.Errorf("%s", s)
			}
			if m.ID == "" || m.Stamp < 1_700_000_000_000_000 {
				t.Errorf("%+v", m)
			}
		}
	}
}

// A picture of PEP without the rest is a vCard, and a vCard that is there wins.
func TestCardOfPEP(t *testing.T) {
	pep := func(node, item string) string {
		return "<items node='" + node + "'><item id='i'>" + item + "</item></items>"
	}
	const open, shut = "<pubsub xmlns='http://jabber.org/protocol/pubsub'>", "</pubsub>"
	for _, c := range []struct{ name, inner, want string }{
		{"the name", open + pep("urn:xmpp:vcard4", "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>A</text></fn><x/><n><surname>B</surname></n><adr><street>S</street><parameters><type><text>home</text></type></parameters></adr><impp><uri>xmpp:a@b</uri></impp><impp><uri>sip:a@b</uri></impp><url><uri>http://a</uri></url></vcard>") + shut,
			"<vCard xmlns='vcard-temp'><FN>A</FN><N><FAMILY>B</FAMILY></N><ADR><HOME/><STREET>S</STREET></ADR><JABBERID>a@b</JABBERID><URL>http://a</URL></vCard>"},
		{"a nickname", open + pep("http://jabber.org/protocol/nick", "<nick xmlns='http://jabber.org/protocol/nick'>N</nick>") + shut, "<vCard xmlns='vcard-temp'><NICKNAME>N</NICKNAME></vCard>"},
		{"a picture elsewhere", open + pep("urn:xmpp:avatar:metadata", "<metadata xmlns='urn:xmpp:avatar:metadata'><info id='i' type='image/png' url='http://p'/></metadata>") + shut, "<vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><EXTVAL>http://p</EXTVAL></PHOTO></vCard>"},
		{"no picture", open + pep("urn:xmpp:avatar:metadata", "<metadata xmlns='urn:xmpp:avatar:metadata'/>") + shut, ""},
		{"a vCard beside it", "<vCard xmlns='vcard-temp'><FN>B</FN></vCard>" + open + pep("http://jabber.org/protocol/nick", "<nick xmlns='http://jabber.org/protocol/nick'>N</nick>") + shut, "<vCard xmlns='vcard-temp'><FN>B</FN></vCard>"},
	} {
		r := readText(user(c.inner), portable.Options{}).clean(t)
		if card := string(r.accounts["ada@x"].VCard); card != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, card, c.want)
		}
	}
	r := readText(user(open+pep("urn:example:a", "<a/>")+"<items node='b'><item/><item/></items>"+shut), portable.Options{}).clean(t)
	if r.left["PEP nodes"] != 2 || r.left["items of PEP nodes"] != 3 {
		t.Errorf("left out: %v", r.left)
	}
}

// Nothing but the sections that are wanted is read.
func TestWithoutSections(t *testing.T) {
	names, _ := filepath.Glob("testdata/prosody-0.12/ada*.xml")
	for _, name := range portable.Sections() {
		g := readFile(names[0], "", portable.Options{Without: []string{name}}).clean(t).accounts["ada@old.example"]
		gone := map[string]bool{
			"passwords": len(g.Keys) == 0, "roster": g.Roster == nil, "vcard": g.VCard == nil,
			"private": g.Private == nil, "archive": g.Parcel.Archive == nil,
		}
		for part, is := range gone {
			// The vCard and the bookmarks of Prosody's are in PEP.
			if is != (part == name || name == "pep" && part == "vcard") {
				t.Errorf("without %s, is %s gone: %v", name, part, is)
			}
		}
	}
	if !slices.Contains(portable.Sections(), "archive") || slices.Contains(portable.Sections(), "account") {
		t.Errorf("the sections are %q", portable.Sections())
	}
}
