package privacy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"rollcall/roster"
	"rollcall/roster/internal/shelf"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// in puts the items of a list in short: "1-a@b" denies, "2+" allows.
func in(l *List) string {
	var all []string
	for _, it := range l.Items() {
		all = append(all, fmt.Sprintf("%d%c%s", it.Order, "+-"[it.Action], it.Value))
	}
	return strings.Join(all, " ")
}

// The blocklist is what is certainly blocked (XEP-0191 §5).
func TestBlocked(t *testing.T) {
	for items, want := range map[string]string{
		`<item type='jid' value='a@b' action='deny' order='1'/><item type='jid' value='c' action='deny' order='2'/>`:                                           "a@b c",
		`<item type='jid' value='a@b' action='deny' order='1'><message/></item>`:                                                                               "",
		`<item type='jid' value='a@b' action='allow' order='1'/>`:                                                                                              "",
		`<item type='group' value='a@b' action='deny' order='1'/><item action='deny' order='2'/>`:                                                              "",
		`<item type='jid' value='x@y' action='allow' order='1'/><item type='jid' value='a@b' action='deny' order='2'/>`:                                        "a@b",
		`<item type='jid' value='a@b' action='allow' order='1'><iq/></item><item type='jid' value='a@b' action='deny' order='2'/>`:                             "",
		`<item type='jid' value='b' action='allow' order='1'/><item type='jid' value='a@b' action='deny' order='2'/>`:                                          "",
		`<item type='jid' value='a@b/c' action='allow' order='1'/><item type='jid' value='b' action='deny' order='2'/>`:                                        "",
		`<item type='jid' value='a@b/c' action='allow' order='1'/><item type='jid' value='a@b/d' action='deny' order='2'/>`:                                    "a@b/d",
		`<item type='subscription' value='both' action='allow' order='1'/><item type='jid' value='a@b' action='deny' order='2'/>`:                              "",
		`<item type='jid' value='a@b' action='deny' order='1'/><item action='allow' order='2'/><item type='jid' value='c' action='deny' order='3'/>`:           "a@b",
		`<item type='jid' value='a@b' action='deny' order='1'/><item action='deny' order='2'><iq/></item><item type='jid' value='c' action='deny' order='3'/>`: "a@b c",
		`<item type='jid' value='a@b' action='deny' order='1'/><item type='jid' value='a@b' action='deny' order='2'/>`:                                         "a@b",
	} {
		if got := strings.Join(must(t, items).Blocked(), " "); got != want {
			t.Errorf("%s: %q", items, got)
		}
	}
}

func TestBlockAndUnblock(t *testing.T) {
	none := new(Lists)
	deny := func(order uint32, value string) Item {
		return Item{Type: JID, Value: value, Action: Deny, Order: order}
	}
	all := func(items ...Item) *Lists {
		return New(Contents{Version: 1, Default: "l", Lists: []*List{NewList("l", items)}})
	}
	taken := New(Contents{Version: 1, Lists: []*List{NewList("blocklist", nil), NewList("blocklist-2", nil)}})
	for _, tt := range []struct {
		what    string
		lists   *Lists
		block   bool
		who     string
		list    string // in which list the change is
		in      string
		removed string
	}{
		{"the first", none, true, "a@b c", "blocklist", "1-a@b 2-c", ""},
		{"a name that is free", taken, true, "a@b", "blocklist-3", "1-a@b", ""},
		{"in front, with room", all(deny(7, "x@y"), Item{Order: 9}), true, "a@b c", "l", "5-a@b 6-c 7-x@y 9+", ""},
		{"in front, without room", all(deny(1, "x@y"), Item{Order: 9}), true, "a@b c", "l", "1-a@b 2-c 3-x@y 4+", ""},
		{"order 0", all(deny(0, "x@y")), true, "a@b", "l", "1-a@b 2-x@y", ""},
		{"again", all(deny(1, "a@b")), true, "a@b", "", "", ""},
		{"one that was of no use", all(Item{Order: 1}, deny(2, "a@b")), true, "a@b", "l", "1-a@b 2+", ""},
		{"one of two", all(deny(1, "a@b"), deny(2, "c")), false, "c", "l", "1-a@b", ""},
		{"one wherever it is", all(Item{Order: 1}, deny(2, "a@b")), false, "a@b", "l", "1+", ""},
		{"who was not blocked", all(deny(1, "a@b")), false, "c", "", "", ""},
		{"all", all(deny(1, "a@b"), deny(2, "c"), Item{Order: 3}), false, "", "l", "3+", ""},
		{"the last", all(deny(1, "a@b")), false, "a@b", "", "", "l"},
		{"nobody", none, false, "", "", "", ""},
	} {
		do := tt.lists.Unblock
		if tt.block {
			do = tt.lists.Block
		}
		c, err := do(strings.Fields(tt.who))
		if err != nil {
			t.Fatal(err)
		}
		list, items := "", ""
		if c.Put != nil {
			list, items = c.Put.Name(), in(c.Put)
		}
		if list != tt.list || items != tt.in || c.Remove != tt.removed {
			t.Errorf("%s: %q has %q, and %q goes", tt.what, list, items, c.Remove)
		}
		if c.Put != nil && c.Default != list {
			t.Errorf("%s: the default list is %q", tt.what, c.Default)
		}
	}
}

// shelfOf is a store in memory that counts how often it is read.
type shelfOf struct {
	mu    sync.Mutex
	all   map[jid.Bare]Contents
	reads int
	fail  error
}

// LoadLists implements Store.
func (s *shelfOf) LoadLists(_ context.Context, owner jid.Bare) (Contents, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if owner == "nobody@x" {
		return Contents{}, roster.ErrNoAccount
	}
	return s.all[owner], s.fail
}

// SaveLists implements Store.
func (s *shelfOf) SaveLists(_ context.Context, owner jid.Bare, u Update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.all[owner].Version != u.Before {
		return ErrStale
	}
	after := New(s.all[owner]).with(u.Change)
	s.all[owner] = Contents{Version: u.After, Default: u.Default, Lists: after.all}
	return nil
}

func block(who ...string) func(*Lists) (Change, error) {
	return func(l *Lists) (Change, error) { return l.Block(who) }
}

func ignore(_, _ *Lists) {}

func TestBookCaches(t *testing.T) {
	s := &shelfOf{all: map[jid.Bare]Contents{}}
	b := NewBook(s, Config{CachedAccounts: shelf.Shards})
	for range 3 { // that there is nothing is known as well
		if l, err := b.Of(t.Context(), "ada@x"); err != nil || l.Default() != nil {
			t.Fatal(l, err)
		}
	}
	if s.reads != 1 {
		t.Errorf("read %d times", s.reads)
	}
	if err := b.Change(t.Context(), "ada@x", block("bob@x"), ignore); err != nil {
		t.Fatal(err)
	}
	if l, _ := b.Of(t.Context(), "ada@x"); !slices.Equal(l.Default().Blocked(), []string{"bob@x"}) || s.reads != 1 {
		t.Errorf("%v after %d reads", l.Default().Blocked(), s.reads)
	}
	b.Forget("ada@x")
	if l, _ := b.Of(t.Context(), "ada@x"); l.Default() == nil || s.reads != 2 {
		t.Errorf("after being forgotten: %v after %d reads", l.Default(), s.reads)
	}
	for i := range 50 * shelf.Shards {
		if _, err := b.Of(t.Context(), jid.Bare(fmt.Sprintf("u%d@x", i))); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.shelf.Len(); n > shelf.Shards {
		t.Errorf("%d accounts are kept", n)
	}
	for range 2 {
		if _, err := b.Of(t.Context(), "nobody@x"); !errors.Is(err, roster.ErrNoAccount) {
			t.Errorf("nobody: %v", err)
		}
	}
}

// Whoever has seen in the store that there are no lists can say so, unless there
// are some by now.
func TestBookIsTold(t *testing.T) {
	s := &shelfOf{all: map[jid.Bare]Contents{}}
	b := NewBook(s, Config{})
	b.None("ada@x", b.Era("ada@x"))
	if l, err := b.Of(t.Context(), "ada@x"); err != nil || l.Default() != nil || s.reads != 0 {
		t.Errorf("%v, %v after %d reads", l.Default(), err, s.reads)
	}
	era := b.Era("bob@x")
	if err := b.Change(t.Context(), "bob@x", block("ada@x"), ignore); err != nil {
		t.Fatal(err)
	}
	b.None("bob@x", era)
	if l, err := b.Of(t.Context(), "bob@x"); err != nil || l.Default() == nil {
		t.Errorf("%v, %v", l.Default(), err)
	}
	b.Forget("bob@x")
	b.None("bob@x", era)
	if l, err := b.Of(t.Context(), "bob@x"); err != nil || l.Default() == nil {
		t.Errorf("after being forgotten: %v, %v", l.Default(), err)
	}
}

// Of changes at the same time none is lost, and each is told after the one before.
func TestBookSerialises(t *testing.T) {
	b := NewBook(&shelfOf{all: map[jid.Bare]Contents{}}, Config{})
	last, told := 0, 0
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			err := b.Change(t.Context(), "ada@x", block(fmt.Sprintf("p%d@x", i)), func(before, after *Lists) {
				if n := len(before.Default().Blocked()); n != last || len(after.Default().Blocked()) != n+1 {
					t.Errorf("from %d to %d after %d", n, len(after.Default().Blocked()), last)
				}
				last, told = last+1, told+1
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if told != 50 {
		t.Errorf("%d were told", told)
	}
}

func TestBookErrors(t *testing.T) {
	s := &shelfOf{all: map[jid.Bare]Contents{}}
	b := NewBook(s, Config{MaxLists: 1, MaxItems: 2})
	never := func(_, _ *Lists) { t.Error("a failed change was told") }
	if err := b.Change(t.Context(), "ada@x", block("a@y", "b@y", "c@y"), never); !errors.Is(err, stanza.ErrPolicyViolation) {
		t.Errorf("too many items: %v", err)
	}
	if err := b.Change(t.Context(), "ada@x", block("a@y"), ignore); err != nil {
		t.Fatal(err)
	}
	other := func(l *Lists) (Change, error) { return l.Put(NewList("other", []Item{{Order: 1}})) }
	if err := b.Change(t.Context(), "ada@x", other, never); !errors.Is(err, stanza.ErrPolicyViolation) {
		t.Errorf("too many lists: %v", err)
	}
	boom := errors.New("boom")
	s.fail = boom
	if err := b.Change(t.Context(), "ada@x", block("b@y"), never); !errors.Is(err, boom) {
		t.Errorf("a store that fails: %v", err)
	}
	if _, err := b.Of(t.Context(), "ada@x"); !errors.Is(err, boom) {
		t.Errorf("what may have been written is not read again: %v", err)
	}
	s.fail = nil
	s.all["ada@x"] = Contents{Version: 7}
	b.shelf.Set(b.shelf.Take("ada@x"), New(Contents{Version: 3}))
	if err := b.Change(t.Context(), "ada@x", block("b@y"), ignore); err != nil {
		t.Errorf("somebody else was faster: %v", err)
	}
}
