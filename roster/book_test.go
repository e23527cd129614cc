package roster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"rollcall/roster/internal/shelf"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// shelfStore is a small store in memory.
type shelfStore struct {
	mu    sync.Mutex
	loads int
	fail  error // what every call answers
	gate  chan struct{}
	all   map[jid.Bare]*storedRoster
}

type storedRoster struct {
	epoch          int64
	version, floor uint32
	items          map[jid.Bare]Item
	requests       map[jid.Bare][]byte
	gone           map[jid.Bare]uint32
}

func newStore(owners ...jid.Bare) *shelfStore {
	s := &shelfStore{all: map[jid.Bare]*storedRoster{}}
	for i, o := range owners {
		s.all[o] = &storedRoster{
			epoch: int64(i + 1), items: map[jid.Bare]Item{}, requests: map[jid.Bare][]byte{}, gone: map[jid.Bare]uint32{},
		}
	}
	return s
}

func (s *shelfStore) LoadRoster(_ context.Context, owner jid.Bare) (Contents, error) {
	if s.gate != nil {
		<-s.gate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads++
	r := s.all[owner]
	switch {
	case s.fail != nil:
		return Contents{}, s.fail
	case r == nil:
		return Contents{}, ErrNoAccount
	}
	c := Contents{Epoch: r.epoch, Version: r.version, Floor: r.floor}
	for contact, stanza := range r.requests {
		it, listed := r.items[contact]
		if !listed {
			it = Item{Contact: contact, Hidden: true}
		}
		it.State |= PendingIn
		it.Request = stanza
		c.Items = append(c.Items, it)
	}
	for contact, it := range r.items {
		if r.requests[contact] == nil {
			c.Items = append(c.Items, it)
		}
	}
	for contact, v := range r.gone {
		c.Gone = append(c.Gone, Tombstone{contact, v})
	}
	return c, nil
}

func (s *shelfStore) SaveRoster(_ context.Context, owner jid.Bare, u Update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.all[owner]
	switch {
	case s.fail != nil:
		return s.fail
	case r == nil:
		return ErrNoAccount
	case r.version != u.Before:
		return ErrStale
	}
	r.version, r.floor = u.After, u.Floor
	maps.DeleteFunc(r.gone, func(_ jid.Bare, v uint32) bool { return v <= u.Floor })
	if u.Item != nil {
		it := *u.Item
		it.State &^= PendingIn
		it.Request = nil
		r.items[u.Contact] = it
		delete(r.gone, u.Contact)
	}
	if u.Remove {
		delete(r.items, u.Contact)
		r.gone[u.Contact] = u.After
	}
	if u.Request != nil {
		r.requests[u.Contact] = u.Request
	}
	if u.DropRequest {
		delete(r.requests, u.Contact)
	}
	return nil
}

func mustOf(t *testing.T, b *Book, owner jid.Bare) *Roster {
	t.Helper()
	r, err := b.Of(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// describe shows a roster as lines that a test can compare.
func describe(r *Roster) string {
	var lines []string
	for it := range r.Items() {
		lines = append(lines, fmt.Sprintf("%s %q %v %s", it.Contact, it.Name, it.Groups, it.State))
	}
	for contact, stanza := range r.Requests() {
		lines = append(lines, fmt.Sprintf("waiting: %s %s", contact, stanza))
	}
	return strings.Join(lines, "\n")
}

func wantRoster(t *testing.T, r *Roster, lines ...string) {
	t.Helper()
	if got, want := describe(r), strings.Join(lines, "\n"); got != want {
		t.Errorf("the roster is\n%s\nnot\n%s", got, want)
	}
}

func TestSetAndRemove(t *testing.T) {
	b := NewBook(newStore("ada@x"), Config{})
	ctx := t.Context()
	res, err := b.Set(ctx, "ada@x", Edit{Contact: "bob@x", Name: "Bob", Groups: []string{"Tea"}}, nil)
	if err != nil || res.Push == nil || res.Push.Removed || res.Push.Item.Name != "Bob" {
		t.Fatalf("adding gives %+v, %v", res, err)
	}
	first := res.Push.Version
	wantRoster(t, mustOf(t, b, "ada@x"), `bob@x "Bob" [Tea] None`)

	res, err = b.Set(ctx, "ada@x", Edit{Contact: "bob@x"}, nil)
	if err != nil || res.Push.Version == first {
		t.Errorf("updating gives version %s after %s, %v", res.Push.Version, first, err)
	}
	wantRoster(t, mustOf(t, b, "ada@x"), `bob@x "" [] None`)

	res, err = b.Remove(ctx, "ada@x", "bob@x", nil)
	if err != nil || res.Push == nil || !res.Push.Removed || res.Push.Item.Contact != "bob@x" {
		t.Errorf("removing gives %+v, %v", res, err)
	}
	wantRoster(t, mustOf(t, b, "ada@x"))

	if _, err = b.Remove(ctx, "ada@x", "bob@x", nil); !errors.Is(err, stanza.ErrItemNotFound) {
		t.Errorf("removing it again: %v", err)
	}
}

// A roster set changes name and groups and nothing of the subscription.
func TestSetKeepsSubscription(t *testing.T) {
	b := NewBook(newStore("ada@x"), Config{})
	ctx := t.Context()
	b.Outbound(ctx, "ada@x", "bob@x", Subscribe, nil)
	b.Inbound(ctx, "ada@x", "bob@x", Subscribed, nil, nil)
	b.Inbound(ctx, "ada@x", "bob@x", Subscribe, []byte("<hello/>"), nil)
	if _, err := b.Set(ctx, "ada@x", Edit{Contact: "bob@x", Name: "B"}, nil); err != nil {
		t.Fatal(err)
	}
	wantRoster(t, mustOf(t, b, "ada@x"), `bob@x "B" [] To + Pending In`, "waiting: bob@x <hello/>")
	res, err := b.Remove(ctx, "ada@x", "bob@x", nil)
	if err != nil || !slices.Equal(res.Farewell, []Event{Unsubscribe, Unsubscribed}) || res.Notice != NoNotice {
		t.Errorf("removing gives %+v, %v", res, err)
	}
	wantRoster(t, mustOf(t, b, "ada@x"))
}

// RFC 6121 §3.1.3: a request alone does not add the contact to the roster.
func TestRequestIsHidden(t *testing.T) {
	b := NewBook(newStore("ada@x"), Config{})
	ctx := t.Context()
	res, err := b.Inbound(ctx, "ada@x", "eve@y", Subscribe, []byte("<first/>"), nil)
	if err != nil || !res.Forward || res.Push != nil {
		t.Fatalf("a request gives %+v, %v", res, err)
	}
	v := mustOf(t, b, "ada@x").Version()
	res, err = b.Inbound(ctx, "ada@x", "eve@y", Subscribe, []byte("<second/>"), nil)
	if err != nil || res.Forward {
		t.Errorf("a second request gives %+v, %v", res, err)
	}
	r := mustOf(t, b, "ada@x")
	wantRoster(t, r, "waiting: eve@y <first/>")
	if r.Len() != 0 || r.Version() != v {
		t.Errorf("clients notice it: %d items, version %s after %s", r.Len(), r.Version(), v)
	}
	if it, ok := r.Lookup("eve@y"); !ok || !it.Hidden || !it.PendingIn() {
		t.Errorf("the entry is %+v, %v", it, ok)
	}
	if _, err := b.Remove(ctx, "ada@x", "eve@y", nil); !errors.Is(err, stanza.ErrItemNotFound) {
		t.Errorf("removing what is not in the roster: %v", err)
	}
	res, err = b.Outbound(ctx, "ada@x", "eve@y", Subscribed, nil)
	if err != nil || !res.Forward || res.Notice != SendCurrent || res.Push == nil || res.Push.Item.Subscription() != Subscription(From) {
		t.Errorf("approving gives %+v, %v", res, err)
	}
	r = mustOf(t, b, "ada@x")
	wantRoster(t, r, `eve@y "" [] From`)
	if got := slices.Collect(r.Subscribers()); !slices.Equal(got, []jid.Bare{"eve@y"}) {
		t.Errorf("subscribers are %v", got)
	}
}

// A request that is refused or taken back leaves no trace.
func TestRequestGoesAway(t *testing.T) {
	for _, end := range []string{"refused", "taken back"} {
		b := NewBook(newStore("ada@x"), Config{})
		ctx := t.Context()
		b.Inbound(ctx, "ada@x", "eve@y", Subscribe, []byte("<r/>"), nil)
		var res Result
		var err error
		if end == "refused" {
			res, err = b.Outbound(ctx, "ada@x", "eve@y", Unsubscribed, nil)
		} else {
			res, err = b.Inbound(ctx, "ada@x", "eve@y", Unsubscribe, nil, nil)
		}
		if err != nil || !res.Forward || res.Push != nil {
			t.Errorf("%s: %+v, %v", end, res, err)
		}
		if _, ok := mustOf(t, b, "ada@x").Lookup("eve@y"); ok {
			t.Errorf("%s: the entry is still there", end)
		}
	}
}

// An item that the owner made stays when its request is refused.
func TestListedItemOutlivesRequest(t *testing.T) {
	b := NewBook(newStore("ada@x"), Config{})
	ctx := t.Context()
	b.Inbound(ctx, "ada@x", "eve@y", Subscribe, []byte("<r/>"), nil)
	b.Set(ctx, "ada@x", Edit{Contact: "eve@y", Name: "Eve"}, nil)
	wantRoster(t, mustOf(t, b, "ada@x"), `eve@y "Eve" [] None + Pending In`, "waiting: eve@y <r/>")
	b.Outbound(ctx, "ada@x", "eve@y", Unsubscribed, nil)
	wantRoster(t, mustOf(t, b, "ada@x"), `eve@y "Eve" [] None`)
}

// RFC 6121 §3.4: approved beforehand, then asked.
func TestPreApproval(t *testing.T) {
	b := NewBook(newStore("ada@x"), Config{})
	ctx := t.Context()
	res, err := b.Outbound(ctx, "ada@x", "bob@x", Subscribed, nil)
	if err != nil || res.Forward || res.Push == nil || !res.Push.Item.Approved() {
		t.Fatalf("approving gives %+v, %v", res, err)
	}
	res, err = b.Inbound(ctx, "ada@x", "bob@x", Subscribe, []byte("<r/>"), nil)
	if err != nil || res.Forward || res.Reply != Subscribed || res.Push == nil || res.Push.Item.Approved() {
		t.Errorf("the request gives %+v, %v", res, err)
	}
	wantRoster(t, mustOf(t, b, "ada@x"), `bob@x "" [] From`)
}

func TestOneself(t *testing.T) {
	b := NewBook(newStore("ada@x"), Config{})
	out, err1 := b.Outbound(t.Context(), "ada@x", "ada@x", Subscribe, nil)
	in, err2 := b.Inbound(t.Context(), "ada@x", "ada@x", Subscribe, nil, nil)
	if out.Outcome != (Outcome{}) || in.Outcome != (Outcome{}) || err1 != nil || err2 != nil {
		t.Errorf("got %+v %v, %+v %v", out, err1, in, err2)
	}
}

func TestNoAccount(t *testing.T) {
	b := NewBook(newStore(), Config{})
	if _, err := b.Of(t.Context(), "nobody@x"); !errors.Is(err, ErrNoAccount) {
		t.Errorf("got %v", err)
	}
	if _, err := b.Pin(t.Context(), "nobody@x"); !errors.Is(err, ErrNoAccount) {
		t.Errorf("got %v", err)
	}
	if n := inMemory(b); n != 0 {
		t.Errorf("%d rosters of nobody are kept", n)
	}
}

func inMemory(b *Book) int { return b.shelf.Len() }

// Many who ask at once cause one load.
func TestLoadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore("ada@x")
		s.gate = make(chan struct{})
		b := NewBook(s, Config{})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := b.Of(t.Context(), "ada@x"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(s.gate)
		wg.Wait()
		if s.loads != 1 {
			t.Errorf("%d loads", s.loads)
		}
	})
}

// Who waits for somebody else's load stops waiting with the context.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore("ada@x")
		s.gate = make(chan struct{})
		b := NewBook(s, Config{})
		var wg sync.WaitGroup
		wg.Go(func() { b.Of(t.Context(), "ada@x") })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Of(ctx, "ada@x"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(s.gate)
		wg.Wait()
	})
}

func TestBoundedAndPinned(t *testing.T) {
	var owners []jid.Bare
	for i := range 300 {
		owners = append(owners, jid.Bare(fmt.Sprintf("u%d@x", i)))
	}
	s := newStore(owners...)
	b := NewBook(s, Config{CachedRosters: shelf.Shards})
	pin, err := b.Pin(t.Context(), owners[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range owners {
		mustOf(t, b, o)
	}
	if n := inMemory(b); n > shelf.Shards+1 {
		t.Errorf("%d rosters are kept", n)
	}
	loads := s.loads
	mustOf(t, b, owners[0])
	if s.loads != loads {
		t.Error("a pinned roster was loaded again")
	}
	if _, err := b.Set(t.Context(), owners[0], Edit{Contact: "bob@x"}, nil); err != nil {
		t.Fatal(err)
	}
	if pin.Roster().Len() != 1 {
		t.Error("the pin does not see the change")
	}
	pin.Release()
	if n := inMemory(b); n > shelf.Shards {
		t.Errorf("%d rosters are kept after the release", n)
	}
}

// After a failed write the roster is read again: nobody knows what was written.
func TestFailedWrite(t *testing.T) {
	s := newStore("ada@x")
	b := NewBook(s, Config{})
	before := mustOf(t, b, "ada@x")
	boom := errors.New("boom")
	s.fail = boom
	called := false
	if _, err := b.Set(t.Context(), "ada@x", Edit{Contact: "bob@x"}, func(Result) { called = true }); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if called {
		t.Error("a change that failed was announced")
	}
	s.fail = nil
	if after := mustOf(t, b, "ada@x"); after == before || after.Len() != 0 {
		t.Errorf("the roster was not read again, or has %d items", after.Len())
	}
}

func TestForget(t *testing.T) {
	s := newStore("ada@x")
	b := NewBook(s, Config{})
	pin, err := b.Pin(t.Context(), "ada@x")
	if err != nil {
		t.Fatal(err)
	}
	b.Set(t.Context(), "ada@x", Edit{Contact: "bob@x"}, nil)
	delete(s.all, "ada@x")
	b.Forget("ada@x")
	if _, err := b.Of(t.Context(), "ada@x"); !errors.Is(err, ErrNoAccount) {
		t.Errorf("got %v", err)
	}
	if n := pin.Roster().Len(); n != 1 {
		t.Errorf("the pin of a removed account shows %d items, and its contacts are still to be told", n)
	}
	pin.Release()
	if n := inMemory(b); n != 0 {
		t.Errorf("%d rosters are kept", n)
	}
	b.Forget("nobody@x")
}

// Changes of one owner's roster are announced in their order, however many make
// them at once.
func TestAnnouncedInOrder(t *testing.T) {
	b := NewBook(newStore("ada@x"), Config{})
	var seen []string
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			contact := jid.Bare(fmt.Sprintf("c%02d@x", i))
			if _, err := b.Set(t.Context(), "ada@x", Edit{Contact: contact}, func(r Result) { seen = append(seen, r.Push.Version) }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, v := range seen {
		if want := (version{epoch: 1, own: uint32(i + 1)}).String(); v != want {
			t.Errorf("push %d has version %s, not %s", i, v, want)
		}
	}
	if err := b.Read(t.Context(), "ada@x", func(r *Roster) { seen = append(seen, r.Version()) }); err != nil || len(seen) != 21 || seen[20] != seen[19] {
		t.Errorf("reading gives %v after %v, %v", seen[20:], seen[19], err)
	}
}
