package adhoc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/xmpp/form"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

var (
	ada = jid.MustParse("ada@x/desk")
	bob = jid.MustParse("bob@x/home")
)

// An id is good for its owner only, and nobody can make one up.
func TestIDs(t *testing.T) {
	var ss, other sessions
	ss.init()
	other.init()
	seen := map[string]bool{}
	for range 1000 {
		id := ss.newID(ada)
		if seen[id] {
			t.Fatalf("%s is there twice", id)
		}
		seen[id] = true
		if !ss.issued(id, ada) {
			t.Fatalf("%s was issued, and is not known", id)
		}
		if ss.issued(id, bob) || ss.issued(id, jid.MustParse("ada@x/phone")) || other.issued(id, ada) {
			t.Fatalf("%s is good for others", id)
		}
	}
	id := ss.newID(ada)
	for _, bad := range []string{"", id[1:], id + "A", id[:idRandom], strings.ToLower(id), "A" + id[1:] + "A", id[1:] + id[:1]} {
		if ss.issued(bad, ada) {
			t.Errorf("%q was never issued", bad)
		}
	}
}

// What is open is bounded: for an account, and in all.
func TestSessionsAreBounded(t *testing.T) {
	var ss sessions
	ss.init()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	begin := func(owner jid.JID, at time.Time) (*session, error) {
		return ss.begin(owner, &Command{}, &form.Form{}, at)
	}
	for i := range 3 * maxOwn {
		owner := ada.Bare().With(fmt.Sprint(i % 2)) // the clients of an account share
		if _, err := begin(owner, now.Add(time.Duration(i)*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	if len(ss.open) != maxOwn {
		t.Errorf("%d are open, want %d", len(ss.open), maxOwn)
	}
	var full error
	for i := 0; full == nil && i <= maxAll; i++ {
		_, full = begin(jid.MustParse(fmt.Sprintf("user%d@x/y", i)), now)
	}
	if !errors.Is(full, stanza.ErrResourceConstraint) || len(ss.open) != maxAll {
		t.Errorf("%d are open, and the next: %v", len(ss.open), full)
	}
	// Whoever has some open takes the place of their own oldest.
	if _, err := begin(ada, now.Add(time.Second)); err != nil {
		t.Errorf("ada, who has %d: %v", maxOwn, err)
	}
	// What is too old makes room.
	if _, err := begin(bob, now.Add(lifetime+time.Minute)); err != nil || len(ss.open) != 1 {
		t.Errorf("later %d are open, %v", len(ss.open), err)
	}
}

func TestSessionsEndWithTheirClient(t *testing.T) {
	var ss sessions
	ss.init()
	now := time.Now()
	s, err := ss.begin(ada, &Command{}, &form.Form{}, now)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := ss.begin(bob, &Command{}, &form.Form{}, now)
	if err != nil {
		t.Fatal(err)
	}
	ss.drop(ada)
	if ss.find(s.id, ada, now) != nil || ss.find(theirs.id, bob, now) == nil {
		t.Error("not those of the client that is gone were dropped")
	}
	if ss.find(theirs.id, ada, now) != nil {
		t.Error("somebody else's was found")
	}
}

// scan returns a stanza's payload; nil if it is not well-formed.
func scan(raw string) *stanza.Element {
	l := stream.Limits{Stanza: 1 << 20, Tag: 1 << 14, Depth: 64, Attrs: 64, Namespaces: 1 << 12}
	sc := stream.New(l)
	sc.Reset(l, stanza.NSClient, nil)
	st, err := sc.Whole([]byte("<iq type='set' id='1'>" + raw + "</iq>"))
	if err != nil {
		return nil
	}
	return st.Payload()
}

// FuzzCommand: whatever comes as a command, it is refused, or taken as one of the
// steps that there are and answered with what is well-formed. What is carried out
// has all that is required.
func FuzzCommand(f *testing.F) {
	for _, s := range []string{
		"<command xmlns='http://jabber.org/protocol/commands' node='n'/>",
		"<command xmlns='http://jabber.org/protocol/commands' node='n' action='cancel' sessionid='s'/>",
		"<command xmlns='http://jabber.org/protocol/commands' node='n' action='undo'/>",
		"<command xmlns='http://jabber.org/protocol/commands' node='n' action='complete' sessionid='s'><x xmlns='jabber:x:data' type='submit'><field var='a'><value>1</value></field></x></command>",
		"<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='s'><x xmlns='jabber:x:data' type='cancel'><field var='a'><value>&lt;&#10;</value></field><field var='b'><value>no@x@y</value></field></x></command>",
		"<command node='n' sessionid='s'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>u</value></field></x><x xmlns='jabber:x:data'/></command>",
	} {
		f.Add(s)
	}
	ask := &form.Form{Type: "t", Fields: []form.Field{
		{Var: "a", Label: "A", Kind: form.TextSingle, Required: true},
		{Var: "b", Label: "B", Kind: form.JIDMulti},
		{Var: "c", Label: "C", Kind: form.TextPrivate},
	}}
	f.Fuzz(func(t *testing.T, raw string) {
		e := scan(raw)
		if e == nil {
			return
		}
		o, err := read(e)
		if err != nil {
			refused(t, err)
			return
		}
		s := &session{id: "s", form: ask, command: &Command{Node: o.node, Run: func(_ context.Context, _ *Caller, a *form.Answers) (Result, error) {
			if a.Text("a") == "" {
				t.Errorf("%q was carried out without what is required", raw)
			}
			return Result{Note: a.Text("a")}, nil
		}}}
		answers, err := s.answers(o.form)
		var b []byte
		if err == nil {
			b, err = New().run(t.Context(), nil, s, answers)
		} else {
			b, err = s.again(answers, err)
		}
		if err != nil {
			refused(t, err)
			return
		}
		got := scan(string(b))
		if got == nil || !got.Is(Namespace, "command") || got.Attr("node") != o.node {
			t.Errorf("%q was answered with %q", raw, b)
		}
	})
}

func refused(t *testing.T, err error) {
	t.Helper()
	if _, known := stanza.AsError(err); !known {
		t.Errorf("no refusal: %v", err)
	}
}
