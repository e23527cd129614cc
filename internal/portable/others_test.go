package portable_test

import (
	"crypto/hmac"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/portable"
	"rollcall/roster/privacy"
	"rollcall/server/features/pep"
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
	items := func(node, item string) string {
		return "<items node='" + node + "'><item id='i'>" + item + "</item></items>"
	}
	const open, shut = "<pubsub xmlns='http://jabber.org/protocol/pubsub'>", "</pubsub>"
	for _, c := range []struct{ name, inner, want string }{
		{"the name", open + items("urn:xmpp:vcard4", "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>A</text></fn><x/><n><surname>B</surname></n><adr><street>S</street><parameters><type><text>home</text></type></parameters></adr><impp><uri>xmpp:a@b</uri></impp><impp><uri>sip:a@b</uri></impp><url><uri>http://a</uri></url></vcard>") + shut,
			"<vCard xmlns='vcard-temp'><FN>A</FN><N><FAMILY>B</FAMILY></N><ADR><HOME/><STREET>S</STREET></ADR><JABBERID>a@b</JABBERID><URL>http://a</URL></vCard>"},
		{"a nickname", open + items("http://jabber.org/protocol/nick", "<nick xmlns='http://jabber.org/protocol/nick'>N</nick>") + shut, "<vCard xmlns='vcard-temp'><NICKNAME>N</NICKNAME></vCard>"},
		{"a picture elsewhere", open + items("urn:xmpp:avatar:metadata", "<metadata xmlns='urn:xmpp:avatar:metadata'><info id='i' type='image/png' url='http://p'/></metadata>") + shut, "<vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><EXTVAL>http://p</EXTVAL></PHOTO></vCard>"},
		{"no picture", open + items("urn:xmpp:avatar:metadata", "<metadata xmlns='urn:xmpp:avatar:metadata'/>") + shut, ""},
		{"a vCard beside it", "<vCard xmlns='vcard-temp'><FN>B</FN></vCard>" + open + items("http://jabber.org/protocol/nick", "<nick xmlns='http://jabber.org/protocol/nick'>N</nick>") + shut, "<vCard xmlns='vcard-temp'><FN>B</FN></vCard>"},
	} {
		r := readText(user(c.inner), portable.Options{}).clean(t)
		if card := string(r.accounts["ada@x"].VCard); card != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, card, c.want)
		}
	}
}

// XEP-0227 §4.8: what was published, with how it is configured and whose it is.
func TestPEP(t *testing.T) {
	const open, shut = "<pubsub xmlns='http://jabber.org/protocol/pubsub'>", "</pubsub>"
	const owner = "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>"
	form := func(node, field, value string) string {
		return "<configure node='" + node + "'><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#node_config</value></field>" +
			"<field var='pubsub#" + field + "'><value>" + value + "</value></field><field var='pubsub#title'/></x></configure>"
	}
	item := func(id string) string { return "<item id='" + id + "'><a xmlns='urn:a'>" + id + "</a></item>" }
	r := readText(user(open+"<items node='n'>"+item("1")+item("2")+item("1")+"<item id='e'/></items><items node='m'>"+item("1")+item("2")+"</items><items node='z'/>"+shut+
		owner+form("n", "max_items", "max")+form("o", "access_model", "open")+
		"<affiliations node='n'><affiliation jid='ada@x' affiliation='owner'/><affiliation jid='bob@x' affiliation='member'/><affiliation jid='@' affiliation='member'/></affiliations>"+
		"<subscriptions node='n'><subscription jid='bob@x/a' subscription='subscribed'/><subscription jid='cat@x' subscription='pending'/></subscriptions>"+shut), portable.Options{}).clean(t)
	var said []string
	for _, n := range r.accounts["ada@x"].PEP {
		s := fmt.Sprintf("%s %s %d %v %v", n.Name, n.Access, n.MaxItems, n.Affiliations, n.Subscribers)
		for _, it := range n.Content {
			s += " " + it.ID + "=" + string(it.Payload)
		}
		said = append(said, s)
	}
	want := []string{
		"m presence 1 [] [] 2=<a xmlns='urn:a'>2</a>",
		"n presence 0 [{bob@x member}] [bob@x/a] 2=<a xmlns='urn:a'>2</a> 1=<a xmlns='urn:a'>1</a>",
		"o open 1 [] []",
		"z presence 1 [] []",
	}
	if !slices.Equal(said, want) {
		t.Errorf("read as\n%s", strings.Join(said, "\n"))
	}
}

func TestPEPThatCannotBeSoHere(t *testing.T) {
	const open, shut = "<pubsub xmlns='http://jabber.org/protocol/pubsub'>", "</pubsub>"
	const owner = "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>"
	few := portable.Options{PEP: pep.Config{MaxNodes: 1, MaxItem: 100, MaxAccount: 150}}
	for _, c := range []struct{ name, inner, want string }{
		{"who sees it", owner + "<configure node='n'><x xmlns='jabber:x:data' type='submit'><field var='pubsub#access_model'><value>authorize</value></field></x></configure>" + shut, "for members only now"},
		{"too many nodes", open + "<items node='n'/><items node='m'/>" + shut, "a node is left out"},
		{"a node without a name", open + "<items/>" + shut, "a node is left out"},
		{"too large", open + "<items node='n'><item id='1'><a xmlns='urn:a'>" + strings.Repeat("x", 100) + "</a></item></items>" + shut, "too large"},
	} {
		r := readText(user(c.inner), few)
		if len(r.problems) != 1 || !strings.Contains(r.problems[0], c.want) {
			t.Errorf("%s: %q", c.name, r.problems)
		}
		for _, n := range r.accounts["ada@x"].PEP {
			if c.name == "who sees it" && n.Access != pep.Whitelist || len(n.Content) > 0 {
				t.Errorf("%s: kept as %+v", c.name, n)
			}
		}
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
