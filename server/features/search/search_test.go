package search

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

func TestRead(t *testing.T) {
	plain := func(inner string) string { return "<query xmlns='jabber:iq:search'>" + inner + "</query>" }
	formed := func(inner string) string {
		return plain("<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>jabber:iq:search</value></field>" + inner + "</x>")
	}
	field := func(name, value string) string {
		return "<field var='" + name + "'><value>" + value + "</value></field>"
	}
	for raw, want := range map[string]string{
		plain(""):                                 "[] false",
		plain("<first>*</first><last>%</last>"):   "[] false",
		plain("<first>Ada</first><last> </last>"): fmt.Sprintf("[{ada %d}] false", Given|Whole),
		plain("<last>King Noel</last>"):           fmt.Sprintf("[{king %d} {noel %d}] false", Family|Whole, Family|Whole),
		plain("<first>a</first><last>King</last><nick>aa</nick><email>x@y</email>"): fmt.Sprintf("[{king %d} {aa %d} {a %d} {x %d} {y %d}] false",
			Family|Whole, Nick|Local, Given|Whole, Email, Email),
		plain("<fn>Ada</fn><first xmlns='urn:o'>Ada</first>"): "[] false",
		formed(""):                 "[] true",
		formed(field("fn", "ada")): fmt.Sprintf("[{ada %d}] true", Given|Family|Whole|Nick|Local),
		formed(field("orgunit", "Night") + field("colour", "blue")):         fmt.Sprintf("[{night %d}] true", Unit),
		formed(field("first", "Ada") + field("last", "")):                   fmt.Sprintf("[{ada %d}] true", Given|Whole),
		plain("<x xmlns='jabber:x:data' type='cancel'/>"):                   "[] true",
		plain("<first>Eve</first><x xmlns='jabber:x:data' type='submit'/>"): "[] true",
	} {
		terms, isForm, err := read(parse(raw))
		if got := fmt.Sprint(terms, isForm); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", raw, got, err, want)
		}
	}
	for raw, want := range map[string]error{
		plain("<first>a b c d e f</first>"):                                                     stanza.ErrNotAcceptable,
		plain("<first>" + strings.Repeat("a", maxQuery+1) + "</first>"):                         stanza.ErrNotAcceptable,
		formed("<field var='fn'><value>a</value><value>b</value></field>"):                      stanza.ErrNotAcceptable,
		plain("<x xmlns='jabber:x:data'/>"):                                                     stanza.ErrBadRequest,
		plain("<x xmlns='jabber:x:data' type='submit'>" + field("FORM_TYPE", "other") + "</x>"): stanza.ErrBadRequest,
	} {
		if terms, _, err := read(parse(raw)); !errors.Is(err, want) {
			t.Errorf("%s: %v, %v, want %v", raw, terms, err, want)
		}
	}
}

func TestPace(t *testing.T) {
	var p pace
	now := time.Unix(1_700_000_000, 0)
	for n := range atOnce {
		if !p.take("ada@x", now) {
			t.Fatalf("the search %d is refused", n)
		}
	}
	if p.take("ada@x", now) || p.take("ada@x", now.Add(onceIn-1)) {
		t.Error("too many at once")
	}
	if !p.take("bob@x", now) {
		t.Error("somebody else is refused")
	}
	if !p.take("ada@x", now.Add(onceIn)) || p.take("ada@x", now.Add(onceIn)) {
		t.Error("not once in a while")
	}
	for n := range crowded {
		p.take(jid.Bare(fmt.Sprint(n, "@x")), now)
	}
	later := now.Add(time.Hour)
	p.take("eve@x", later)
	if len(p.free) != 1 {
		t.Errorf("%d are remembered", len(p.free))
	}
	for n := range atOnce {
		if !p.take("ada@x", later) {
			t.Fatalf("after a rest the search %d is refused", n)
		}
	}
}

// shelf is a place with so many left to describe.
type shelf struct {
	mu          sync.Mutex // guards all below
	left, calls int
	broken      error
}

func (s *shelf) Fill(_ context.Context, most int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.broken != nil {
		return 0, s.broken
	}
	n := min(s.left, most)
	s.left -= n
	return n, nil
}

// set puts something there, and says what was left.
func (s *shelf) set(left int, broken error) (was, calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, s.left, s.broken = s.left, left, broken
	return was, s.calls
}

func (s *shelf) Find(context.Context, string, []Term, int) ([]Found, error) { return nil, nil }

// Those who came before the search did are described when the server starts, and
// others that nobody described are some time later.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{left: 250}
		f := New(s, s, Config{})
		server.New(t.Context(), server.Options{Features: []server.Feature{f}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		synctest.Wait()
		if left, calls := s.set(1, errors.New("away")); left != 0 || calls != 4 {
			t.Errorf("%d are left after %d calls", left, calls)
		}
		time.Sleep(fillEvery + time.Second)
		if left, _ := s.set(1, nil); left != 1 {
			t.Error("described by a broken store")
		}
		time.Sleep(fillEvery)
		if left, _ := s.set(0, nil); left != 0 {
			t.Error("not tried again")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
