package pep

import (
	"errors"
	"hash/maphash"
	"strings"
	"testing"

	"rollcall/presence"
	"rollcall/server"
	"rollcall/xmpp/form"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// request is what a client could send, or nil if it does not get through.
func request(raw string, set bool) *server.Request {
	l := stream.Limits{Stanza: 1 << 18, Tag: 1 << 14, Depth: 64, Attrs: 32, Namespaces: 32}
	sc := stream.New(l)
	sc.Reset(l, stanza.NSClient, []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}})
	st, err := sc.Whole([]byte("<iq type='set' id='1'>" + raw + "</iq>"))
	if err != nil || len(st.Children) != 1 {
		return nil
	}
	return &server.Request{Stanza: st, Payload: st.Payload(), Set: set}
}

// XEP-0060 §4.5 with the levels of an audience.
func TestAllows(t *testing.T) {
	contact := asker{who: "bob@x", sees: true, level: presence.Status, groups: []string{"Friends"}}
	basic := asker{who: "bob@x", sees: true, level: presence.Basic}
	stranger := asker{who: "eve@x"}
	owner := asker{own: true, who: "ada@x"}
	member := asker{who: "cat@x"}
	outcast := asker{who: "dan@x", sees: true, level: presence.Full}
	people := []Affiliation{{"cat@x", Member}, {"dan@x", Outcast}}
	node := func(a Access, name string, groups ...string) *Node {
		return &Node{Name: name, Options: Options{Access: a, Groups: groups}, Affiliations: people}
	}
	for _, c := range []struct {
		what string
		node *Node
		who  asker
		want error
	}{
		{"open, a stranger", node(Open, "n"), stranger, nil},
		{"open, an outcast", node(Open, "n"), outcast, stanza.ErrForbidden},
		{"presence, a contact", node(Presence, "n"), contact, nil},
		{"presence, a stranger", node(Presence, "n"), stranger, stanza.ErrNotAuthorized},
		{"presence, a member", node(Presence, "n"), member, stanza.ErrNotAuthorized},
		{"presence, one who sees little", node(Presence, "n"), basic, nil},
		{"a mood, one who sees little", node(Presence, "http://jabber.org/protocol/mood"), basic, stanza.ErrNotAuthorized},
		{"a mood, a contact", node(Presence, "http://jabber.org/protocol/mood"), contact, nil},
		{"roster, of the group", node(Roster, "n", "Family", "Friends"), contact, nil},
		{"roster, of another", node(Roster, "n", "Family"), contact, stanza.ErrNotAuthorized},
		{"roster, of none", node(Roster, "n"), contact, stanza.ErrNotAuthorized},
		{"roster, a stranger", node(Roster, "n", "Friends"), stranger, stanza.ErrNotAuthorized},
		{"whitelist, a contact", node(Whitelist, "n"), contact, stanza.ErrNotAllowed},
		{"whitelist, a member", node(Whitelist, "n"), member, nil},
		{"whitelist, the owner", node(Whitelist, "n"), owner, nil},
	} {
		if err := c.node.allows(c.who); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
}

// What strangers hear is the same, whatever is so.
func TestHides(t *testing.T) {
	other := errors.New("the database is gone")
	for _, c := range []struct {
		who       asker
		err, want error
	}{
		{asker{}, stanza.ErrItemNotFound, stanza.ErrServiceUnavailable},
		{asker{}, stanza.Refuse(stanza.ErrBadRequest, "why"), stanza.ErrServiceUnavailable},
		{asker{sees: true}, stanza.ErrItemNotFound, stanza.ErrItemNotFound},
		{asker{own: true}, stanza.ErrItemNotFound, stanza.ErrItemNotFound},
		{asker{}, other, other},
	} {
		if err := c.who.hides(c.err); !errors.Is(err, c.want) {
			t.Errorf("%v is told as %v, want %v", c.err, err, c.want)
		}
	}
	if err := (asker{}).hides(nil); err != nil {
		t.Errorf("nothing is told as %v", err)
	}
}

func TestCut(t *testing.T) {
	var all []Item
	for _, id := range strings.Fields("a b c d") {
		all = append(all, Item{ID: id})
	}
	for _, c := range []struct {
		page page
		want string
		at   int
		ok   bool
	}{
		{page{most: -1}, "abcd", 0, true},
		{page{most: 2}, "ab", 0, true},
		{page{most: 0}, "", 0, true},
		{page{most: 2, after: "b"}, "cd", 2, true},
		{page{most: 2, after: "d"}, "", 4, true},
		{page{most: 2, last: true}, "cd", 2, true},
		{page{most: 2, last: true, before: "c"}, "ab", 0, true},
		{page{most: 1, last: true, before: "c"}, "b", 1, true},
		{page{most: 9, after: "c", before: "b", last: true}, "", 1, true},
		{page{most: 9, after: "x"}, "", 0, false},
		{page{most: 9, before: "x", last: true}, "", 0, false},
	} {
		part, at, ok := c.page.cut(all)
		got := ""
		for _, it := range part {
			got += it.ID
		}
		if got != c.want || ok != c.ok || ok && at != c.at {
			t.Errorf("%+v: %q at %d, %v; want %q at %d", c.page, got, at, ok, c.want, c.at)
		}
	}
}

func TestFitting(t *testing.T) {
	big := make([]byte, maxAnswer/2)
	all := []Item{{ID: "a", Payload: big}, {ID: "b", Payload: big}, {ID: "c", Payload: big}}
	if got := fitting(all, true); len(got) != 1 || got[0].ID != "a" {
		t.Errorf("from the first: %d", len(got))
	}
	if got := fitting(all, false); len(got) != 1 || got[0].ID != "c" {
		t.Errorf("from the last: %d", len(got))
	}
	if got := fitting([]Item{{Payload: make([]byte, 2*maxAnswer)}}, true); len(got) != 1 {
		t.Error("one item is sent, however large it is")
	}
}

// What is written as a form is read as the same options.
func TestOptionsSurviveTheirForm(t *testing.T) {
	o := Options{Title: "T", Type: "urn:t", Access: Roster, Groups: []string{"a", "b"}, MaxItems: 7, SendLast: SendOnSub, Payloads: true, NotifyDelete: true}
	r := request("<a>"+string(o.form(typeConfig).AppendSubmit(nil))+"</a>", true)
	a, err := form.Parse(form.Of(r.Payload))
	if err != nil {
		t.Fatal(err)
	}
	got := defaults("n")
	if err := got.apply(a, 10, true); err != nil {
		t.Fatal(err)
	}
	if string(got.form(typeConfig).AppendForm(nil)) != string(o.form(typeConfig).AppendForm(nil)) {
		t.Errorf("%+v became %+v", o, got)
	}
	if err := o.meets(a, 10); err != nil {
		t.Errorf("it does not meet itself: %v", err)
	}
}

func TestRoomForSubscribers(t *testing.T) {
	n := new(Node)
	for range maxOwn {
		if err := n.room(jid.MustParse("eve@x/lair"), 10); err != nil {
			t.Fatal(err)
		}
		n.Subscribers = append(n.Subscribers, jid.MustParse("eve@x/lair"))
	}
	if err := n.room(jid.MustParse("eve@x"), 10); err == nil {
		t.Error("one account takes up all the room")
	}
	if err := n.room(jid.MustParse("bob@x"), 10); err != nil {
		t.Errorf("another one: %v", err)
	}
	if err := n.room(jid.MustParse("bob@x"), maxOwn); err == nil {
		t.Error("there are more than there may be")
	}
}

func TestShelvesForgetWhatIsOldest(t *testing.T) {
	s := shelves{seed: maphash.MakeSeed()}
	big := &shelf{size: maxShelves/2 - 1}
	s.put("ada@x", big)
	s.put("bob@x", big)
	s.get("ada@x")
	s.put("cat@x", big)
	if s.get("bob@x") != nil || s.get("ada@x") == nil || s.get("cat@x") == nil {
		t.Error("another is forgotten than the one not asked for longest")
	}
	s.put("ada@x", &shelf{size: 1})
	s.put("cat@x", nil)
	if s.size != 1 || s.get("cat@x") != nil {
		t.Errorf("%d bytes are remembered", s.size)
	}
}

// FuzzParse: whatever a client sends is refused with a refusal, or is within all
// limits; and what it publishes is one element that can stand anywhere.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item id='i'><a xmlns='urn:a' xmlns:p='urn:p' p:b='&lt;'><p:c/></a></item></publish><publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pubsub#max_items'><value>max</value></field><field var='pubsub#roster_groups_allowed'><value>a</value><value>a</value></field></x></publish-options></pubsub>",
		"<p:pubsub xmlns:p='http://jabber.org/protocol/pubsub' xmlns='urn:o'><p:publish node='n'><p:item><a/></p:item></p:publish></p:pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n' max_items='2'><item id='i'/></items><set xmlns='http://jabber.org/protocol/rsm'><max>1</max><after>i</after><before/></set></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><retract node='n' notify='1'><item id='i'/></retract></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='n' jid='a@b/c'/></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><affiliations node='n'><affiliation jid='a@b' affiliation='none'/></affiliations></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><subscriptions node='n'><subscription jid='a@b' subscription='none'/></subscriptions></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'><x xmlns='jabber:x:data' type='cancel'/></configure></pubsub>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='n'/><configure/></pubsub>", "<pubsub/>", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>text</pubsub>",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, raw string, set bool) {
		r := request(raw, set)
		if r == nil || r.Payload == nil || r.Payload.Space != namespace && r.Payload.Space != nsOwner {
			return
		}
		c, err := parse(r)
		if err != nil {
			if _, known := stanza.AsError(err); !known {
				t.Fatalf("no refusal: %v", err)
			}
			return
		}
		if len(c.node) > MaxName || len(c.ids) > maxAsked || len(c.all) > maxAsked || len(c.subscribe) > maxAsked || len(c.item.ID) > MaxID {
			t.Fatalf("over the limits: %+v", c)
		}
		if c.form {
			o := defaults(c.node)
			if err := o.apply(c.options, 100, c.verb == "publish"); err == nil && (o.MaxItems < 0 || o.MaxItems > 100 || len(o.Groups) > maxGroups) {
				t.Fatalf("configured as %+v", o)
			}
		}
		if c.verb == "publish" {
			if again := request("<item>"+string(c.item.Payload)+"</item>", true); again == nil || len(again.Payload.Elements()) != 1 {
				t.Fatalf("published as %q", c.item.Payload)
			}
		}
	})
}

// Long ids alone fill an answer.
func TestFittingCountsIDs(t *testing.T) {
	all := make([]Item, 1000)
	for i := range all {
		all[i].ID = strings.Repeat("x", MaxID)
	}
	for _, first := range []bool{false, true} {
		if n := len(fitting(all, first)); n*MaxID > maxAnswer || n < 100 {
			t.Errorf("%d items are sent", n)
		}
	}
}

func TestTellsLast(t *testing.T) {
	for _, c := range []struct {
		set       SendLast
		items     int
		notify    bool
		sub, come bool
	}{
		{SendOnPresence, 1, true, true, true},
		{SendOnPresence, 0, true, false, false},
		{SendOnPresence, 1, false, false, false},
		{SendOnSub, 1, true, true, false},
		{SendOnSub, 1, false, false, false},
		{SendNever, 1, true, false, false},
	} {
		n := Node{Options: Options{SendLast: c.set, Notify: c.notify}, Items: c.items}
		if sub, come := n.tellsLast(SendOnSub), n.tellsLast(SendOnPresence); sub != c.sub || come != c.come {
			t.Errorf("%+v: who subscribes %v, who comes %v", c, sub, come)
		}
	}
}

// What is remembered of an account is counted with all that its owner and others can
// make long.
func TestShelfIsCounted(t *testing.T) {
	long := strings.Repeat("x", 1000)
	n := Node{Name: "n", Options: Options{Title: long, Type: long}, Last: Item{ID: long, Payload: []byte(long)}}
	for range 10 {
		n.Groups = append(n.Groups, long)
		n.Affiliations = append(n.Affiliations, Affiliation{JID: jid.Bare(long + "@x"), Kind: Outcast})
		n.Subscribers = append(n.Subscribers, jid.MustParse("bob@x/"+long))
	}
	if size := newShelf([]Node{n, n}).size; size < 2*34*1000 {
		t.Errorf("%d bytes are counted", size)
	}
}
