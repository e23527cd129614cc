package privacy

import (
	"errors"
	"slices"
	"testing"

	"rollcall/roster"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// parsed reads the items of a list as a client writes them.
func parsed(t testing.TB, items string) (*List, error) {
	t.Helper()
	raw := "<list name='l'>" + items + "</list>"
	e, err := stanza.Parse([]byte(raw), Namespace, nil)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return Config{}.Parse(e)
}

func must(t testing.TB, items string) *List {
	t.Helper()
	l, err := parsed(t, items)
	if err != nil {
		t.Fatalf("%s: %v", items, err)
	}
	return l
}

// romeo's roster.
var romeo = roster.New(roster.Contents{Epoch: 1, Version: 1, Items: []roster.Item{
	{Contact: "juliet@example.com", State: roster.Both, Groups: []string{"Friends"}},
	{Contact: "benvolio@example.org", State: roster.To, Groups: []string{"Friends", "Montague"}},
	{Contact: "paris@example.org", State: roster.From, Groups: []string{"Enemies"}},
	{Contact: "nurse@example.com", State: roster.PendingOut},
	{Contact: "count@example.com", State: roster.PendingIn, Hidden: true},
}})

// The examples of XEP-0016, and who comes through.
func TestExamples(t *testing.T) {
	const (
		none     = ""
		juliet   = "juliet@example.com/balcony"
		benvolio = "benvolio@example.org/square"
		paris    = "paris@example.org/church"
		tybalt   = "tybalt@example.com/pda"
		nurse    = "nurse@example.com/house"
		count    = "count@example.com/hall"
	)
	for _, tt := range []struct {
		what, items string
		// Which of message, iq, presence-in (i), presence-out (o), rest (r) each peer's
		// stanzas are denied.
		denied map[string]string
	}{
		{"§2.3, public", `<item type='jid' value='tybalt@example.com' action='deny' order='1'/><item action='allow' order='2'/>`,
			map[string]string{tybalt: "mqior", "tybalt@example.com": "mqior", juliet: none, "example.com": none}},
		{"§2.3, private", `<item type='subscription' value='both' action='allow' order='10'/><item action='deny' order='15'/>`,
			map[string]string{juliet: none, benvolio: "mqior", paris: "mqior", tybalt: "mqior", nurse: "mqior"}},
		{"§2.3, special", `<item type='jid' value='juliet@example.com' action='allow' order='6'/>
			<item type='jid' value='benvolio@example.org' action='allow' order='7'/>
			<item type='jid' value='mercutio@example.org' action='allow' order='42'/><item action='deny' order='666'/>`,
			map[string]string{juliet: none, benvolio: none, "mercutio@example.org": none, tybalt: "mqior", paris: "mqior"}},
		{"§2.9, by address", `<item type='jid' value='tybalt@example.com' action='deny' order='3'><message/></item>`,
			map[string]string{tybalt: "m", juliet: none}},
		{"§2.9, by group", `<item type='group' value='Enemies' action='deny' order='4'><message/></item>`,
			map[string]string{paris: "m", juliet: none, tybalt: none}},
		{"§2.9, by subscription", `<item type='subscription' value='none' action='deny' order='5'><message/></item>`,
			map[string]string{tybalt: "m", nurse: "m", count: "m", juliet: none, paris: none}},
		{"§2.9, globally", `<item action='deny' order='6'><message/></item>`, map[string]string{tybalt: "m", juliet: "m"}},
		{"§2.10, by address", `<item type='jid' value='tybalt@example.com' action='deny' order='7'><presence-in/></item>`, map[string]string{tybalt: "i"}},
		{"§2.10, by group", `<item type='group' value='Enemies' action='deny' order='8'><presence-in/></item>`, map[string]string{paris: "i", juliet: none}},
		{"§2.10, by subscription", `<item type='subscription' value='to' action='deny' order='9'><presence-in/></item>`, map[string]string{benvolio: "i", juliet: none}},
		{"§2.10, globally", `<item action='deny' order='11'><presence-in/></item>`, map[string]string{tybalt: "i", juliet: "i"}},
		{"§2.11, by address", `<item type='jid' value='tybalt@example.com' action='deny' order='13'><presence-out/></item>`, map[string]string{tybalt: "o"}},
		{"§2.11, by group", `<item type='group' value='Enemies' action='deny' order='15'><presence-out/></item>`, map[string]string{paris: "o", tybalt: none}},
		{"§2.11, by subscription", `<item type='subscription' value='from' action='deny' order='17'><presence-out/></item>`, map[string]string{paris: "o", juliet: none}},
		{"§2.11, globally", `<item action='deny' order='23'><presence-out/></item>`, map[string]string{paris: "o", juliet: "o"}},
		{"§2.12, by address", `<item type='jid' value='tybalt@example.com' action='deny' order='29'><iq/></item>`, map[string]string{tybalt: "q"}},
		{"§2.12, by group", `<item type='group' value='Enemies' action='deny' order='31'><iq/></item>`, map[string]string{paris: "q"}},
		{"§2.12, by subscription", `<item type='subscription' value='none' action='deny' order='17'><iq/></item>`, map[string]string{tybalt: "q", juliet: none}},
		{"§2.12, globally", `<item action='deny' order='1'><iq/></item>`, map[string]string{juliet: "q"}},
		{"§2.13, by address", `<item type='jid' value='tybalt@example.com' action='deny' order='23'/>`, map[string]string{tybalt: "mqior", juliet: none}},
		{"§2.13, by group", `<item type='group' value='Enemies' action='deny' order='13'/>`, map[string]string{paris: "mqior", juliet: none}},
		{"§2.13, by subscription", `<item type='subscription' value='none' action='deny' order='11'/>`, map[string]string{tybalt: "mqior", juliet: none}},
		{"§2.13, globally", `<item action='deny' order='7'/>`, map[string]string{tybalt: "mqior", juliet: "mqior"}},
		{"§2.15", `<item type='subscription' value='none' action='deny' order='437'/>`, map[string]string{tybalt: "mqior", paris: none}},
		{"§2.1, all four kinds are not all", `<item action='deny' order='7'><message/><iq/><presence-in/><presence-out/></item>`, map[string]string{tybalt: "mqio"}},
		{"§2.1, only that resource", `<item type='jid' value='a@b/c' action='deny' order='7'/>`, map[string]string{"a@b/c": "mqior", "a@b": none, "a@b/d": none}},
		{"§2.1, any resource", `<item type='jid' value='a@b' action='deny' order='7'/>`, map[string]string{"a@b/c": "mqior", "a@b": "mqior", "x@b": none, "b": none, "b/c": none}},
		{"§2.1, a resource of a domain", `<item type='jid' value='b/c' action='deny' order='7'/>`, map[string]string{"b/c": "mqior", "a@b/c": none, "b": none}},
		{"§2.1, a whole domain", `<item type='jid' value='b' action='deny' order='7'/>`, map[string]string{"b/c": "mqior", "a@b/c": "mqior", "b": "mqior", "a@b": "mqior", "x.b": none, "b@x": none}},
		{"§2.2, in ascending order", `<item action='deny' order='30'/><item type='jid' value='a@b' action='allow' order='20'/><item type='jid' value='a@b/c' action='deny' order='10'><iq/></item>`,
			map[string]string{"a@b/c": "q", "a@b/d": none, "x@b": "mqior"}},
		{"§2.2, the first one decides", `<item type='jid' value='b' action='allow' order='1'><message/></item><item type='jid' value='a@b' action='deny' order='2'/>`,
			map[string]string{"a@b/c": "qior", "x@b": none}},
		{"a group after an address", `<item type='jid' value='paris@example.org' action='allow' order='1'/><item type='group' value='Enemies' action='deny' order='2'/>`, map[string]string{paris: none}},
		{"a group before an address", `<item type='group' value='Enemies' action='allow' order='1'/><item type='jid' value='paris@example.org' action='deny' order='2'/>`, map[string]string{paris: none}},
	} {
		l := must(t, tt.items)
		for peer, want := range tt.denied {
			j := jid.MustParse(peer)
			for traffic, letter := range []byte("mqior") {
				denied := slices.Contains([]byte(want), letter)
				if got := l.Read(Traffic(traffic), PeerIn(romeo, j)) == Deny; got != denied {
					t.Errorf("%s: %c with %s is denied: %v", tt.what, letter, peer, got)
				}
				if got := l.Decide(Traffic(traffic), j, romeo) == Deny; got != denied {
					t.Errorf("%s: %c with %s is denied once compiled: %v", tt.what, letter, peer, got)
				}
			}
		}
	}
}

func TestTrafficOf(t *testing.T) {
	for _, tt := range []struct {
		out  bool
		kind stanza.Kind
		want Traffic
	}{
		{false, stanza.Message, MessageIn}, {false, stanza.IQ, IQIn}, {false, stanza.Presence, PresenceIn}, {false, stanza.Other, Rest},
		{true, stanza.Message, Rest}, {true, stanza.IQ, Rest}, {true, stanza.Presence, PresenceOut}, {true, stanza.Other, Rest},
	} {
		if got := TrafficOf(tt.out, tt.kind); got != tt.want {
			t.Errorf("out %v, %v: %v", tt.out, tt.kind, got)
		}
	}
}

func TestBadLists(t *testing.T) {
	for items, want := range map[string]error{
		`<item action='deny'/>`:                                                            stanza.ErrBadRequest,
		`<item action='deny' order='-1'/>`:                                                 stanza.ErrBadRequest,
		`<item action='deny' order='4294967296'/>`:                                         stanza.ErrBadRequest,
		`<item action='deny' order='1.5'/>`:                                                stanza.ErrBadRequest,
		`<item order='1'/>`:                                                                stanza.ErrBadRequest,
		`<item action='block' order='1'/>`:                                                 stanza.ErrBadRequest,
		`<item action='deny' order='1'/><item action='allow' order='1'/>`:                  stanza.ErrBadRequest,
		`<item action='deny' order='1'/><item action='allow' order='01'/>`:                 stanza.ErrBadRequest,
		`<item type='nick' value='x' action='deny' order='1'/>`:                            stanza.ErrBadRequest,
		`<item value='a@b' action='deny' order='1'/>`:                                      stanza.ErrBadRequest,
		`<item type='jid' action='deny' order='1'/>`:                                       stanza.ErrMalformedJID,
		`<item type='jid' value='@b' action='deny' order='1'/>`:                            stanza.ErrMalformedJID,
		`<item type='group' value='' action='deny' order='1'/>`:                            stanza.ErrBadRequest,
		`<item type='subscription' value='remove' action='deny' order='1'/>`:               stanza.ErrBadRequest,
		`<item action='deny' order='1'><presence/></item>`:                                 stanza.ErrBadRequest,
		`<active name='x'/>`:                                                               stanza.ErrBadRequest,
		`<item action='deny' order='1'/><x xmlns='urn:x'/>`:                                stanza.ErrBadRequest,
		`<item action='deny' order='0'/><item action='allow' order='4294967295'/>`:         nil,
		`<item action='deny' order='1'><report xmlns='urn:x'/><message/><message/></item>`: nil,
		`<item type='jid' value='A@EXAMPLE.org/Desk' action='deny' order='1'/>`:            nil,
		``: nil,
	} {
		if _, err := parsed(t, items); !errors.Is(err, want) {
			t.Errorf("%s: %v, not %v", items, err, want)
		}
	}
	for raw, want := range map[string]error{"<list/>": stanza.ErrBadRequest, "<list name=''/>": stanza.ErrBadRequest, "<list name='long'/>": stanza.ErrNotAcceptable} {
		e, err := stanza.Parse([]byte(raw), Namespace, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (Config{MaxNameBytes: 3}).Parse(e); !errors.Is(err, want) {
			t.Errorf("%s: %v", raw, err)
		}
	}
	e, err := stanza.Parse([]byte("<list name='l'><item action='deny' order='1'/><item action='deny' order='2'/></list>"), Namespace, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Config{MaxItems: 1}).Parse(e); !errors.Is(err, stanza.ErrPolicyViolation) {
		t.Errorf("too many items: %v", err)
	}
	if l := must(t, `<item type='jid' value='A@EXAMPLE.org/Desk' action='deny' order='1'/>`); l.Items()[0].Value != "a@example.org/Desk" {
		t.Errorf("the address is kept as %q", l.Items()[0].Value)
	}
}

// A group has to be in the roster, or to have been in the list before.
func TestCheckGroups(t *testing.T) {
	friends := must(t, `<item type='group' value='Friends' action='deny' order='1'/>`)
	strangers := must(t, `<item type='group' value='Friends' action='deny' order='1'/><item type='group' value='Strangers' action='deny' order='2'/>`)
	if err := friends.CheckGroups(romeo, nil); err != nil {
		t.Error(err)
	}
	if err := strangers.CheckGroups(romeo, friends); !errors.Is(err, stanza.ErrItemNotFound) {
		t.Errorf("a group that is not there: %v", err)
	}
	if err := strangers.CheckGroups(romeo, strangers); err != nil {
		t.Errorf("a group that was there: %v", err)
	}
	if err := must(t, "<item action='deny' order='1'/>").CheckGroups(nil, nil); err != nil {
		t.Error(err)
	}
}

// What a list says is found without garbage, and without the roster where there
// is no need.
func TestDecideAllocates(t *testing.T) {
	l := must(t, `<item type='jid' value='tybalt@example.com' action='deny' order='1'/>
		<item type='group' value='Enemies' action='deny' order='2'/><item type='subscription' value='none' action='deny' order='3'/>`)
	peers := []jid.JID{jid.MustParse("tybalt@example.com/pda"), jid.MustParse("paris@example.org/church"), jid.MustParse("nobody@example.net")}
	f := l.Under(romeo)
	if n := testing.AllocsPerRun(100, func() {
		for _, j := range peers {
			if !f.Denies(false, stanza.Message, j) {
				t.Error("came through")
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	plain := must(t, `<item type='jid' value='tybalt@example.com' action='deny' order='1'/>`)
	if plain.LooksAtRoster() || plain.Under(romeo) != plain.Under(nil) || !l.LooksAtRoster() {
		t.Error("the roster counts where it should not, or does not where it should")
	}
}

// Whatever list a client sends: if it is taken, it is written as it was read, and
// what was compiled says the same as the list read item by item.
func FuzzList(f *testing.F) {
	for _, items := range []string{
		`<item type='jid' value='a@b' action='deny' order='1'/><item action='allow' order='2'/>`,
		`<item type='jid' value='b' action='deny' order='3'><iq/></item><item type='jid' value='a@b/c' action='allow' order='2'><message/><presence-in/></item><item action='deny' order='9'/>`,
		`<item type='group' value='Friends' action='allow' order='1'/><item type='subscription' value='both' action='deny' order='0'><presence-out/></item>`,
		`<item type='subscription' value='none' action='deny' order='437'/><item type='jid' value='paris@example.org' action='allow' order='7'/>`,
	} {
		f.Add("<list name='l'>" + items + "</list>")
	}
	var peers []jid.JID
	for _, p := range []string{"a@b", "a@b/c", "a@b/d", "b", "b/c", "x@b/c", "juliet@example.com/balcony", "benvolio@example.org", "paris@example.org/church", "nurse@example.com", "tybalt@example.com/pda"} {
		peers = append(peers, jid.MustParse(p))
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := scanned(t, text)
		if l == nil {
			return
		}
		again := scanned(t, string(l.Append(nil)))
		if again == nil || !slices.Equal(again.Items(), l.Items()) {
			t.Fatalf("%q is written as %q", text, l.Append(nil))
		}
		for _, j := range peers {
			for traffic := range traffics {
				if plain, quick := l.Read(traffic, PeerIn(romeo, j)), l.Decide(traffic, j, romeo); plain != quick {
					t.Fatalf("%q: traffic %d with %s is %v, and %v once compiled", text, traffic, j, plain, quick)
				}
			}
			if l.Blocks(j) {
				for traffic := range traffics {
					if l.Read(traffic, PeerIn(romeo, j)) != Deny {
						t.Fatalf("%q: %s is in the blocklist and comes through", text, j)
					}
				}
			}
		}
	})
}

// scanned reads a list as it comes in a stream, or returns nil.
func scanned(t *testing.T, text string) *List {
	raw := []byte("<iq type='set' id='1'><query xmlns='" + Namespace + "'>" + text + "</query></iq>")
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	st, err := sc.Whole(raw)
	if err != nil {
		return nil
	}
	for _, e := range st.Payload().Elements() {
		if l, err := (Config{}).Parse(e); err == nil && e.Is(Namespace, "list") {
			return l
		}
	}
	return nil
}

func BenchmarkDecide50(b *testing.B) {
	items := ""
	for i := range 50 {
		items += "<item type='jid' value='pest" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "@example.net' action='deny' order='" + string(rune('1'+i/10)) + string(rune('0'+i%10)) + "'/>"
	}
	l := must(b, items)
	peer := jid.MustParse("friend@example.net/desk")
	b.ReportAllocs()
	for b.Loop() {
		if l.Decide(MessageIn, peer, nil) != Allow {
			b.Fatal("kept out")
		}
	}
}
