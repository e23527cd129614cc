package portable_test

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/portable"
	"rollcall/roster"
	"rollcall/roster/privacy"
	"rollcall/server/features/privatexml"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
)

const (
	delay     = "<delay xmlns='urn:xmpp:delay' from='x' stamp='2020-01-02T03:04:05Z'/>"
	atStamp   = int64(1577934245_000000)
	nsArchive = "<archive xmlns='urn:xmpp:pie:0#mam'>"
)

func result(stamp, message string) string {
	return "<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='" + stamp + "'/>" + message + "</forwarded></result>"
}

// What is not as it should be is told, with its line, and does not keep the rest
// from being read.
func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name, inner string
		problem     string // the one there is; "" if there is none
		check       func(got) bool
	}{
		{"nothing", "", "", func(g got) bool { return g.Roster == nil && g.Offline == nil && g.Keys == nil }},
		{"a contact without an address", "<query xmlns='jabber:iq:roster'>\n<item jid='a b@x'/><item jid='bob@x'/></query>", "2: ada@x: the contact \"a b@x\" has no valid address", func(g got) bool { return len(g.Roster) == 1 }},
		{"oneself", "<query xmlns='jabber:iq:roster'><item jid='ada@x'/></query>", "nobody is in their own roster", func(g got) bool { return g.Roster != nil && len(g.Roster) == 0 }},
		{"a contact of capitals", "<query xmlns='jabber:iq:roster'><item jid='BOB@X'/></query>", "", func(g got) bool { return g.Roster[0].Contact == "bob@x" }},
		{"a contact twice", "<query xmlns='jabber:iq:roster'><item jid='bob@x' subscription='to'><group>a</group></item><item jid='Bob@x' name='B' subscription='from'><group>a</group><group>b</group></item></query>", "bob@x is there twice", func(g got) bool {
			return len(g.Roster) == 1 && g.Roster[0].State == roster.Both && g.Roster[0].Name == "B" && len(g.Roster[0].Groups) == 2
		}},
		{"a contact with a resource", "<query xmlns='jabber:iq:roster'><item jid='bob@x/home'/></query>", "bob@x/home is kept without its resource", func(g got) bool { return g.Roster[0].Contact == "bob@x" }},
		{"a removed contact", "<query xmlns='jabber:iq:roster'><item jid='bob@x' subscription='remove'/></query>", "", func(g got) bool { return len(g.Roster) == 0 }},
		{"a long name", "<query xmlns='jabber:iq:roster'><item jid='bob@x' name='" + strings.Repeat("ä", 600) + "'/></query>", "more than 1023 bytes", func(g got) bool { return g.Roster[0].Name == strings.Repeat("ä", 511) }},
		{"too many groups", "<query xmlns='jabber:iq:roster'><item jid='bob@x'><group>1</group><group>2</group><group>1</group><group/><group>3</group></item></query>", "not in the group \"3\"", func(g got) bool { return len(g.Roster[0].Groups) == 2 }},
		{"states that cannot be", "<query xmlns='jabber:iq:roster'><item jid='bob@x' subscription='both' ask='subscribe' approved='true'/></query><presence xmlns='jabber:client' from='bob@x' type='subscribe'/>", "", func(g got) bool { return g.Roster[0].State == roster.Both && g.Roster[0].Request == nil }},
		{"an approval beforehand", "<query xmlns='jabber:iq:roster'><item jid='bob@x' approved='1'/></query>", "", func(g got) bool { return g.Roster[0].State == roster.Approved }},
		{"a request", "<presence xmlns='jabber:client' from='Bob@x/home' type='subscribe' id='7'><status>hi</status></presence>", "", func(g got) bool {
			return string(g.Roster[0].Request) == "<presence from='bob@x' id='7' to='ada@x' type='subscribe'><status>hi</status></presence>" && g.Roster[0].Hidden
		}},
		{"a request in the format's namespace", "<presence from='bob@x' type='subscribe'><status>hi</status></presence>", "", func(g got) bool {
			return string(g.Roster[0].Request) == "<presence from='bob@x' to='ada@x' type='subscribe'><status>hi</status></presence>"
		}},
		{"a request of too much", "<presence xmlns='jabber:client' from='bob@x' type='subscribe'><status>" + strings.Repeat("x", 9000) + "</status></presence>", "kept without what it says", func(g got) bool {
			return string(g.Roster[0].Request) == "<presence from='bob@x' to='ada@x' type='subscribe'/>"
		}},
		{"a request of nobody", "<presence xmlns='jabber:client' type='subscribe' from='@'/>", "who can be nobody", func(g got) bool { return g.Roster == nil }},
		{"a message", "<offline-messages><message xmlns='jabber:client' from='bob@x/1' to='ada@x'>" + delay + "<body>a</body></message></offline-messages>", "", func(g got) bool {
			return g.Offline[0].Stamp == atStamp && string(g.Offline[0].Stanza) == "<message from='bob@x/1' to='ada@x'><body>a</body></message>"
		}},
		{"a message in the format's namespace", "<offline-messages><message from='bob@x/1'><body>a</body>" + delay + "</message></offline-messages>", "", func(g got) bool {
			return string(g.Offline[0].Stanza) == "<message from='bob@x/1' to='ada@x'><body>a</body></message>"
		}},
		{"delayed on the way too", "<offline-messages><message xmlns='jabber:client' from='bob@x/1'><delay xmlns='urn:xmpp:delay' from='y' stamp='2019-01-02T03:04:05Z'/>" + delay + "</message></offline-messages>", "", func(g got) bool {
			return g.Offline[0].Stamp == atStamp && strings.Contains(string(g.Offline[0].Stanza), "2019")
		}},
		{"a stamp of old", "<offline-messages><message xmlns='jabber:client' from='bob@x/1'><x xmlns='jabber:x:delay' from='x' stamp='20200102T03:04:05'/></message></offline-messages>", "", func(g got) bool { return g.Offline[0].Stamp == atStamp }},
		{"no stamp", "<offline-messages><message xmlns='jabber:client' from='bob@x/1'/></offline-messages>", "", func(g got) bool { return g.Offline[0].Stamp == now.UnixMicro() }},
		{"a stamp that is none", "<offline-messages><message xmlns='jabber:client' from='bob@x'><delay xmlns='urn:xmpp:delay' from='x' stamp='noon'/></message></offline-messages>", `without a time ("noon")`, func(g got) bool { return len(g.Offline) == 0 }},
		{"from the future", nsArchive + result("2999-01-01T00:00:00Z", "<message xmlns='jabber:client' from='bob@x'/>") + "</archive>", "when nobody can have sent it", func(g got) bool { return len(g.Archive) == 0 }},
		{"from before", nsArchive + result("1960-01-01T00:00:00Z", "<message xmlns='jabber:client' from='bob@x'/>") + "</archive>", "when nobody can have sent it", nil},
		{"somebody else's message", nsArchive + result("2020-01-02T03:04:05Z", "<message xmlns='jabber:client' from='bob@x' to='cy@x'/>") + "</archive>", "which is somebody else's", nil},
		{"addresses that are none", nsArchive + result("2020-01-02T03:04:05Z", "<message xmlns='jabber:client' from='@' to='cy@x'/>") + "</archive>", "which are no addresses", nil},
		{"a result of nothing", nsArchive + "<result xmlns='urn:xmpp:mam:2'/></archive>", "without a message", nil},
		{"archived", nsArchive + result("2020-01-02T03:04:05.5+01:00", "<message xmlns='jabber:client' to='bob@x'><stanza-id xmlns='urn:xmpp:sid:0' by='ada@x' id='1'/><stanza-id xmlns='urn:xmpp:sid:0' by='room@x' id='2'/></message>") + "</archive>", "", func(g got) bool {
			return g.Archive[0].From == "ada@x" && g.Archive[0].Stamp == atStamp-3600_000000+500000 &&
				string(g.Archive[0].Stanza) == "<message from='ada@x' to='bob@x'><stanza-id xmlns='urn:xmpp:sid:0' by='room@x' id='2'/></message>"
		}},
		{"private XML of no namespace", "<query xmlns='jabber:iq:private'><a xmlns='' b='c'/></query>", "private XML {}a is left out", func(g got) bool { return len(g.Private) == 0 }},
		{"private XML of a reserved one", "<query xmlns='jabber:iq:private'><a xmlns='jabber:client'>b</a></query>", "has a namespace of its own", nil},
		{"private XML of two kinds", "<query xmlns='jabber:iq:private'><b xmlns='q'>1</b><a xmlns='p'>2</a><c xmlns='q'>3</c><d xmlns='r'/></query>", "", func(g got) bool {
			return len(g.Private) == 2 && g.Private[0].Namespace == "p" && string(g.Private[1].XML) == "<b xmlns='q'>1</b><c xmlns='q'>3</c>"
		}},
		{"too much private XML", "<query xmlns='jabber:iq:private'><b xmlns='q'>" + strings.Repeat("x", 300) + "</b><a xmlns='p'>1</a></query>", "is too much", func(g got) bool { return len(g.Private) == 1 }},
		{"privacy lists", "<query xmlns='jabber:iq:privacy'><default name='a'/><list name='b'><item type='jid' value='Bob@x' action='deny' order='7'/><item action='allow' order='9'/></list><list name='a'><item action='deny' order='1'><message/></item></list><list name='c'/></query>", "", func(g got) bool {
			return g.Lists.Default == "a" && len(g.Lists.Lists) == 2 && g.Lists.Lists[0].Items[0].Value == "bob@x" && g.Lists.Lists[1].Items[0].Kinds == privacy.Messages
		}},
		{"a privacy list with one place for all", "<query xmlns='jabber:iq:privacy'><list name='a'><item type='jid' value='b@x' action='deny' order='5'/><item type='jid' value='c@x' action='deny' order='5'/><item action='allow' order='1'/></list></query>", "", func(g got) bool {
			items := g.Lists.Lists[0].Items
			return items[0].Type == privacy.Anybody && items[1].Value == "b@x" && items[2].Value == "c@x" && items[2].Order == 3
		}},
		{"a privacy list that means nothing", "<query xmlns='jabber:iq:privacy'><list name='a'><item type='moon' value='b' action='deny' order='5'/></list></query>", "the privacy list \"a\" is left out", func(g got) bool { return len(g.Lists.Lists) == 0 }},
		{"a privacy list twice", "<query xmlns='jabber:iq:privacy'><list name='a'><item action='deny' order='5'/></list><list name='a'><item action='allow' order='5'/></list></query>", "already", func(g got) bool { return len(g.Lists.Lists) == 1 && g.Lists.Lists[0].Items[0].Action == privacy.Deny }},
		{"a default list that is not there", "<query xmlns='jabber:iq:privacy'><default name='z'/></query>", "nothing is filtered", func(g got) bool { return g.Lists.Default == "" }},
		{"a contact of shared groups", "<query xmlns='jabber:iq:roster'><item jid='bob@x' name='B'><group>g</group><shared xmlns='urn:rollcall:account:0' noted='true'><left>Staff</left></shared></item></query>", "", func(g got) bool {
			return g.Roster[0].Noted && len(g.Roster[0].Left) == 1 && g.Roster[0].Left[0] == "Staff"
		}},
		{"a large vCard", "<vCard xmlns='vcard-temp'><FN>" + strings.Repeat("x", 2000) + "</FN></vCard>", "vcard.max_size", func(g got) bool { return g.VCard == nil }},
		{"preferences", "<prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid>B@x</jid></always></prefs>", "", func(g got) bool { return g.Prefs == `{"default":"roster","always":["b@x"]}` }},
		{"preferences that are none", "<prefs xmlns='urn:xmpp:mam:2' default='maybe'/>", "preferences of the archive are left out", func(g got) bool { return g.Prefs == "" }},
		{"properties", "<account xmlns='urn:rollcall:account:0' created='2020-01-02T03:04:05.000001Z' disabled='true'/>", "", func(g got) bool { return g.Disabled && g.Created.UnixMicro() == atStamp+1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := readText(user(c.inner), portable.Options{Roster: roster.Config{MaxGroups: 2}, MaxCard: 1000, Private: privatexml.Config{MaxElement: 200}})
			if r.err != nil {
				t.Fatal(r.err)
			}
			switch {
			case c.problem == "" && len(r.problems) > 0, c.problem != "" && len(r.problems) != 1:
				t.Fatalf("problems: %q", r.problems)
			case c.problem != "" && !strings.Contains(r.problems[0], c.problem):
				t.Fatalf("the problem is %q", r.problems[0])
			}
			if g := r.accounts["ada@x"]; c.check != nil && !c.check(g) {
				t.Errorf("it is %+v", g)
			}
		})
	}
}

func TestUnknownIsCounted(t *testing.T) {
	r := readText("<server-data xmlns='urn:xmpp:pie:0' xmlns:y='urn:y'><y:x/><host jid='x'><y:x/><user name='ada' y:created='1'><y:x><y:z/></y:x><nothing/><offline-messages><y:z/></offline-messages><presence xmlns='jabber:client'/><query xmlns='jabber:iq:privacy'><active name='z'/><y:z/></query></user></host></server-data>", portable.Options{}).clean(t)
	for what, want := range map[string]int{"elements {urn:y}x": 3, "elements {urn:y}z": 2, "elements {urn:xmpp:pie:0}nothing": 1, "attributes {urn:y}created": 1, "presence that is no request": 1} {
		if r.left[what] != want {
			t.Errorf("%d of %s: %v", r.left[what], what, r.left)
		}
	}
}

func keys(h sasl.Hash, encode func([]byte) string) (k sasl.Keys, xml string) {
	k, _ = sasl.Derive(h, "tea", []byte("salt"), 4096)
	return k, fmt.Sprintf("<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='%s'><iter-count>4096</iter-count><salt> %s\n</salt><server-key>%s</server-key><stored-key>%s</stored-key></scram-credentials>",
		h, encode(k.Salt), encode(k.ServerKey), encode(k.StoredKey))
}

func TestKeys(t *testing.T) {
	once := base64.StdEncoding.EncodeToString
	twice := func(b []byte) string { return once([]byte(once(b))) }
	for _, h := range sasl.Hashes() {
		for name, encode := range map[string]func([]byte) string{"once": once, "twice": twice} {
			want, xml := keys(h, encode)
			k := readText(user(xml), portable.Options{}).clean(t).accounts["ada@x"].Keys[h]
			if string(k.Salt) != "salt" || k.Iterations != 4096 || !hmac.Equal(k.StoredKey, want.StoredKey) || !hmac.Equal(k.ServerKey, want.ServerKey) {
				t.Errorf("%s encoded %s: %+v", h, name, k)
			}
		}
	}
	k, _ := sasl.Derive(sasl.SHA1, "tea", []byte("salt"), 4096)
	k2, _ := sasl.Derive(sasl.SHA256, "tea", []byte("salt"), 4096)
	for _, c := range []struct {
		password string
		h        sasl.Hash
		want     sasl.Keys
	}{
		{"scram:" + once(k.StoredKey) + "," + once(k.ServerKey) + "," + once(k.Salt) + ",4096", sasl.SHA1, k},
		{"scram:" + twice(k.StoredKey) + "," + twice(k.ServerKey) + "," + twice(k.Salt) + ",4096", sasl.SHA1, k},
		{"scram:sha256," + once(k2.StoredKey) + "," + once(k2.ServerKey) + "," + once(k2.Salt) + ",4096", sasl.SHA256, k2},
	} {
		xml := "<server-data xmlns='urn:xmpp:pie:0'><host jid='x'><user name='ada' password='" + c.password + "'/></host></server-data>"
		g := readText(xml, portable.Options{}).clean(t).accounts["ada@x"]
		if g.Password != "" || !hmac.Equal(g.Keys[c.h].StoredKey, c.want.StoredKey) || string(g.Keys[c.h].Salt) != "salt" {
			t.Errorf("%s: %+v", c.h, g.Keys)
		}
	}
	// The salt, keys and password of an account of Prosody's with password_hash = "SHA-256".
	g := readText(user("<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'><server-key>WTdmKY1ty8wY08lCYXmo73nJpkRTM9KjgXtGpZ43ujg=</server-key><stored-key>bjPuXJJXWMFMhEDs+XN7Eg3tv0U8+8BBBcioRiozogQ=</stored-key><iter-count>10000</iter-count><salt>MjA4Y2RlZDItNDUxNi00OTBjLThjNjUtMGYxYTFiZjcyZmFm</salt></scram-credentials>"), portable.Options{}).clean(t).accounts["ada@x"]
	if len(g.Keys) != 1 || !verifies(g, "tea for two") || g.Keys[sasl.SHA256].Iterations != 10000 {
		t.Errorf("under the wrong name: %+v", g.Keys)
	}
	_, good := keys(sasl.SHA1, once)
	for xml, problem := range map[string]string{
		good + good:                                           "already",
		strings.Replace(good, "SHA-1", "MD5", 1):              "no mechanism \"SCRAM-MD5\"",
		strings.Replace(good, "4096", "many", 1):              "iteration count",
		strings.Replace(good, "4096", "99999999999999999", 1): "iteration count",
		strings.Replace(good, "SHA-1", "SHA-256", 1):          "length of the hash",
		strings.Replace(good, "<salt>", "<salt>%", 1):         "no base64",
	} {
		if r := readText(user(xml), portable.Options{}); len(r.problems) != 1 || !strings.Contains(r.problems[0], problem) {
			t.Errorf("%s: %q", problem, r.problems)
		} else if strings.Contains(r.problems[0], once(k.Salt)) {
			t.Errorf("a secret is in %q", r.problems[0])
		}
	}
}

// Names and domains become those that they are here.
func TestNamesAndDomains(t *testing.T) {
	const doc = `<server-data xmlns='urn:xmpp:pie:0'><host jid='OLD.example'><user name='Ada'><query xmlns='jabber:iq:roster'><item jid='bob@old.example'/><item jid='cy@elsewhere'/></query>
<archive xmlns='urn:xmpp:pie:0#mam'><result xmlns='urn:xmpp:mam:2'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2020-01-02T03:04:05Z'/><message xmlns='jabber:client' from='ada@old.example/desk' to='bob@old.example'><body>bob@old.example</body></message></forwarded></result></archive></user>
<user name='a b'/><user name=''/><user name='c@d'/></host><host jid='other.example'><user name='eve'/></host><host jid='..'/></server-data>`
	r := readText(doc, portable.Options{Ours: []string{"new.example"}, Domains: map[string]string{"old.example": "new.example"}})
	if r.err != nil || len(r.order) != 1 {
		t.Fatalf("%v, %q", r.err, r.order)
	}
	g := r.accounts["ada@new.example"]
	same(t, "contacts", contacts(g.Parcel), []string{`bob@new.example "" [] None`, `cy@elsewhere "" [] None`})
	if m := g.Archive[0]; m.From != "ada@new.example/desk" || string(m.Stanza) != "<message from='ada@new.example/desk' to='bob@new.example'><body>bob@old.example</body></message>" {
		t.Errorf("%+v", m)
	}
	if len(r.problems) != 6 || !strings.Contains(r.problems[0], `the name was "Ada"`) || !strings.Contains(r.problems[4], "--domain other.example=new.example") {
		t.Errorf("problems: %q", r.problems)
	}
}

func TestBrokenDocuments(t *testing.T) {
	for name, c := range map[string]struct{ doc, want string }{
		"nothing":              {"", "standard input:1: the file ends too early"},
		"something else":       {"<html/>", "no file of accounts"},
		"no XML":               {"<server-data xmlns='urn:xmpp:pie:0'>\n\n<host", "standard input:3:"},
		"a wrong end":          {"<server-data xmlns='urn:xmpp:pie:0'><host jid='x'><user name='a'></host>", "no XML"},
		"an entity":            {user("<vCard xmlns='vcard-temp'><FN>&lol;</FN></vCard>"), "no XML"},
		"a definition":         {"<!DOCTYPE lolz [<!ENTITY lol 'lol'>]>" + user(""), "document type definition"},
		"another encoding":     {"<?xml version='1.0' encoding='UTF-16'?>" + user(""), "encoding"},
		"nested without end":   {user("<query xmlns='jabber:iq:private'>" + strings.Repeat("<a xmlns='b'>", 200) + strings.Repeat("</a>", 200) + "</query>"), "too deep"},
		"nested and skipped":   {user(strings.Repeat("<a xmlns='b'>", 200) + strings.Repeat("</a>", 200)), "too deep"},
		"more than is meant":   {user("<vCard xmlns='vcard-temp'><FN>" + strings.Repeat("x", 17<<20) + "</FN></vCard>"), "larger than anything"},
		"a tag without an end": {"<server-data xmlns='urn:xmpp:pie:0' a='" + strings.Repeat("x", 17<<20), "larger than anything"},
	} {
		r := readText(c.doc, portable.Options{})
		if r.err == nil || !strings.Contains(r.err.Error(), c.want) || len(r.order) > 0 {
			t.Errorf("%s: %v, %q", name, r.err, r.order)
		}
	}
	if r := readFile(filepath.Join(t.TempDir(), "nothing.xml"), "", portable.Options{}); !errors.Is(r.err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", r.err)
	}
}

// What came before a broken place has been read.
func TestWhatComesBeforeABrokenPlace(t *testing.T) {
	r := readText("<server-data xmlns='urn:xmpp:pie:0'><host jid='x'><user name='a'/><user name='b'></oops>", portable.Options{})
	if r.err == nil || len(r.order) != 1 || r.order[0] != "a@x" {
		t.Errorf("%v, %q", r.err, r.order)
	}
}

func TestOldMessages(t *testing.T) {
	doc := user("<offline-messages><message xmlns='jabber:client' from='bob@x/1'>" + delay + "</message></offline-messages>" + nsArchive + result("2020-01-02T03:04:05Z", "<message xmlns='jabber:client' from='bob@x'/>") + "</archive>")
	r := readText(doc, portable.Options{Archive: time.Hour, Offline: time.Hour}).clean(t)
	if r.left["messages that are older than archive.retention"] != 1 || r.left["messages that are older than offline.max_age"] != 1 {
		t.Errorf("%v", r.left)
	}
	r = readText(doc, portable.Options{NoArchive: true}).clean(t)
	if g := r.accounts["ada@x"]; len(g.Offline) != 1 || g.Archive != nil || r.left["messages of archives, which are off (archive.enabled)"] != 1 {
		t.Errorf("%+v, %v", g, r.left)
	}
}

// More messages than are held in memory come out in order.
func TestManyMessages(t *testing.T) {
	var b strings.Builder
	b.WriteString(nsArchive)
	const many = 12000
	filler := strings.Repeat("x", 1000)
	for i := range many {
		b.WriteString(result("2020-01-02T03:04:05Z", fmt.Sprintf("<message xmlns='jabber:client' from='bob@x' id='%d'><body>%s</body></message>", i, filler)))
	}
	b.WriteString("</archive>")
	g := readText(user(b.String()), portable.Options{}).clean(t).accounts["ada@x"]
	if len(g.Archive) != many {
		t.Fatalf("%d came out", len(g.Archive))
	}
	for i, m := range g.Archive {
		if e, err := stanza.Parse(m.Stanza, stanza.NSClient, nil); err != nil || e.Attr("id") != fmt.Sprint(i) || len(e.ChildText(stanza.NSClient, "body")) != 1000 {
			t.Fatalf("number %d is %s", i, m.Stanza[:100])
		}
	}
}

func TestIncludes(t *testing.T) {
	include := func(href string) string {
		return "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='" + href + "'/>"
	}
	host := func(inner string) string { return "<host xmlns='urn:xmpp:pie:0' jid='x'>" + inner + "</host>" }
	one := func(name, inner string) string {
		return "<user xmlns='urn:xmpp:pie:0' name='" + name + "'>" + inner + "</user>"
	}
	data := func(inner string) string { return "<server-data xmlns='urn:xmpp:pie:0'>" + inner + "</server-data>" }
	outside := files(t, map[string]string{"secret.xml": one("mallory", "")})
	dir := files(t, map[string]string{
		"all.xml":      data(include("x.xml") + include("missing.xml")),
		"x.xml":        host(include("x/ada.xml") + include("x/b%20b.xml") + include("x/broken.xml") + include("./x/../x/cy.xml") + include("x/")),
		"x/ada.xml":    one("ada", include("card.xml")+"<query xmlns='jabber:iq:private'><p xmlns='p'>"+include("card.xml")+"</p></query>"),
		"x/b b.xml":    one("bob", ""),
		"x/broken.xml": one("dan", "") + "<",
		"x/cy.xml":     one("cy", include("../../"+filepath.Base(outside)+"/secret.xml")+include("/etc/passwd")+include("file:///etc/passwd")+include("http://x/")+include("//x/y")+include("ada.xml#a")),
		"x/card.xml":   "<vCard xmlns='vcard-temp'><FN>Ada</FN></vCard>",
		"self.xml":     data(include("self.xml") + include("round.xml")),
		"round.xml":    host(include("self.xml")),
		"link.xml":     data("<host jid='x'>" + include("away.xml") + "</host>"),
		"part.xml":     data(include("x.xml") + "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='x.xml' parse='text'/>"),
		"x-only.xml":   host(one("eve", "")),
	})
	if err := os.Symlink(filepath.Join(outside, "secret.xml"), filepath.Join(dir, "away.xml")); err != nil {
		t.Fatal(err)
	}
	r := readFile(filepath.Join(dir, "all.xml"), "", portable.Options{})
	if r.err != nil || fmt.Sprint(r.order) != fmt.Sprint([]jid.Bare{"ada@x", "bob@x", "dan@x", "cy@x"}) {
		t.Fatalf("%v, %q", r.err, r.order)
	}
	if g := r.accounts["ada@x"]; string(g.VCard) != "<vCard xmlns='vcard-temp'><FN>Ada</FN></vCard>" || !strings.Contains(string(g.Private[0].XML), "include") {
		t.Errorf("ada is %+v", g)
	}
	for _, want := range []string{
		"all.xml:1: the include of \"missing.xml\" is left out", "x.xml:1: the include of \"x/\" is left out", "outside of the directory",
		"\"/etc/passwd\" is left out: it is outside", "\"file:///etc/passwd\" is left out: it is no file", "\"http://x/\" is left out: it is no file",
		"\"//x/y\" is left out: it is no file", "\"ada.xml#a\" is left out",
	} {
		if !strings.Contains(strings.Join(r.problems, "\n"), want) {
			t.Errorf("not told %q in %q", want, r.problems)
		}
	}
	if len(r.problems) != 8 {
		t.Errorf("%d problems", len(r.problems))
	}
	for file, want := range map[string]string{"self.xml": "the document includes itself", "link.xml": "escapes", "part.xml": "only whole documents"} {
		r := readFile(filepath.Join(dir, file), "", portable.Options{})
		if r.err != nil || !strings.Contains(strings.Join(r.problems, "\n"), want) || len(r.accounts["mallory@x"].Account) > 0 {
			t.Errorf("%s: %v, %q", file, r.err, r.problems)
		}
	}
	if r := readFile(filepath.Join(dir, "x-only.xml"), "", portable.Options{}).clean(t); len(r.order) != 1 {
		t.Errorf("the part for a host: %q", r.order)
	}
	if r := readText(data(include("x.xml")), portable.Options{}); len(r.problems) != 1 || !strings.Contains(r.problems[0], "standard input has no directory") {
		t.Errorf("standard input: %q", r.problems)
	}
}

// An error of whoever gets the accounts ends it, and is theirs.
func TestErrorOfWhoeverGetsAccounts(t *testing.T) {
	dir := files(t, map[string]string{
		"all.xml": "<server-data xmlns='urn:xmpp:pie:0'><xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='x.xml'/></server-data>",
		"x.xml":   "<host xmlns='urn:xmpp:pie:0' jid='x'><user name='a'/><user name='b'/></host>",
	})
	boom, n := errors.New("boom"), 0
	err := portable.Read(t.Context(), filepath.Join(dir, "all.xml"), nil, portable.Options{Now: now}, &portable.Notes{}, func(*portable.Account) error { n++; return boom })
	if !errors.Is(err, boom) || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
}
