package shelf

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"rollcall/xmpp/jid"
)

type (
	numbers = Shelf[int, int]
	number  = Place[int, int]
)

var zero int

// newShelf has one value for each shard that nobody uses, and zero in common.
func newShelf() *numbers {
	s := new(numbers)
	s.Init(Shards, &zero, 64*Shards)
	return s
}

// put has an owner's value set.
func put(t testing.TB, s *numbers, owner jid.Bare, v *int) {
	t.Helper()
	if err := s.Turn(t.Context(), owner, func(p *number) error { s.Set(p, v); return nil }); err != nil {
		t.Fatal(err)
	}
}

func value(s *numbers, owner jid.Bare) *int {
	_, v := s.Peek(owner)
	return v
}

// neighbours returns owners of one shard.
func neighbours(s *numbers, n int) (all []jid.Bare) {
	first, _ := s.shard("ada@x")
	for i := 0; len(all) < n; i++ {
		owner := jid.Bare(fmt.Sprintf("u%d@x", i))
		if sh, _ := s.shard(owner); sh == first {
			all = append(all, owner)
		}
	}
	return all
}

// What was not asked for the longest goes first, and what somebody holds stays.
func TestKeeps(t *testing.T) {
	s := new(numbers)
	s.Init(2*Shards, nil, 0)
	all := neighbours(s, 4)
	v := 1
	held := s.Take(all[0])
	s.Set(held, &v)
	put(t, s, all[1], &v)
	put(t, s, all[2], &v)
	s.Peek(all[1])
	put(t, s, all[3], &v)
	if got := s.Owners(); !slices.Equal(got, []jid.Bare{all[0], all[1], all[3]}) {
		t.Errorf("kept are %v of %v", got, all)
	}
	s.Give(held)
	if got := s.Owners(); !slices.Equal(got, []jid.Bare{all[3], all[0]}) {
		t.Errorf("then %v of %v", got, all)
	}
	s.Forget(all[3])
	if got := s.Owners(); !slices.Equal(got, []jid.Bare{all[0]}) || value(s, all[3]) != nil {
		t.Errorf("one was forgotten: %v of %v", got, all)
	}
}

// Whoever was not loaded, or is in doubt, has no place for longer than somebody
// holds it.
func TestKeepsNothing(t *testing.T) {
	s, v := newShelf(), 1
	s.Give(s.Take("ada@x"))
	if s.Len() != 0 {
		t.Error("a place without a value is kept")
	}
	for name, doubt := range map[string]func(*number){
		"doubt":  s.Doubt,
		"forget": func(p *number) { s.Forget(p.Owner) },
	} {
		p := s.Take("ada@x")
		s.Set(p, &v)
		doubt(p)
		if p.Fresh() != nil || p.Last() != &v || value(s, "ada@x") != nil {
			t.Errorf("%s: %v, %v", name, p.Fresh(), p.Last())
		}
		p.Trust()
		doubt(p) // while it is read again
		s.Set(p, &v)
		if p.Fresh() != nil {
			t.Errorf("%s while it was read is lost", name)
		}
		s.Give(p)
		if s.Len() != 0 {
			t.Errorf("%s: it is kept", name)
		}
	}
}

// The value that most have takes no place.
func TestCommon(t *testing.T) {
	s, v := newShelf(), 1
	put(t, s, "ada@x", &zero)
	if value(s, "ada@x") != &zero || s.Len() != 0 {
		t.Fatalf("%v in %d places", value(s, "ada@x"), s.Len())
	}
	p := s.Take("ada@x")
	if p.Fresh() != &zero {
		t.Error("it has to be read again")
	}
	s.Set(p, &v)
	if value(s, "ada@x") != &v {
		t.Error("the old value is seen")
	}
	s.Give(p)
	if value(s, "ada@x") != &v || s.Len() != 1 {
		t.Errorf("%v in %d places", value(s, "ada@x"), s.Len())
	}
	put(t, s, "ada@x", &zero)
	s.Forget("ada@x")
	if value(s, "ada@x") != nil {
		t.Error("it was forgotten, and is known")
	}
	if value(s, "") != nil {
		t.Error("nobody has a value")
	}
}

// What was seen in the store counts unless something has happened since.
func TestCommonSince(t *testing.T) {
	v := 1
	for name, meanwhile := range map[string]func(*numbers){
		"it was changed":           func(s *numbers) { put(t, s, "ada@x", &v) },
		"it was changed, and left": func(s *numbers) { put(t, s, "ada@x", &v); s.Forget("ada@x") },
		"it was forgotten":         func(s *numbers) { s.Forget("ada@x") },
		"somebody changes it":      func(s *numbers) { s.Take("ada@x") },
		"it may have been changed": func(s *numbers) { p := s.Take("ada@x"); s.Doubt(p); s.Give(p) },
	} {
		s := newShelf()
		era := s.Era("ada@x")
		meanwhile(s)
		s.Common("ada@x", era)
		if value(s, "ada@x") == &zero {
			t.Errorf("%s, and the value of before counts", name)
		}
	}
	s := newShelf()
	s.Common("ada@x", s.Era("ada@x"))
	if value(s, "ada@x") != &zero {
		t.Error("nothing has happened, and it is not known")
	}
}

// However many have the common value, there is no more room for them.
func TestCommonIsBounded(t *testing.T) {
	s := newShelf()
	known := 0
	for i := range 100 * Shards * 64 {
		put(t, s, jid.Bare(fmt.Sprintf("u%d@x", i)), &zero)
	}
	for i := range s.shards {
		known += len(s.shards[i].plain)
	}
	if known > 2*64*Shards || s.Len() != 0 {
		t.Errorf("room for %d, and %d places", known, s.Len())
	}
}

// Who waits for the turn gets it in order, and who gives up is passed over.
func TestTurns(t *testing.T) {
	s := newShelf()
	p := s.Take("ada@x")
	if err := s.Lock(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	waiting := func() int {
		sh, _ := s.shard(p.Owner)
		sh.mu.Lock()
		defer sh.mu.Unlock()
		return len(sh.waiting[p])
	}
	var mu sync.Mutex
	var got []int
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 4 {
		all.Go(func() {
			ctx := ctx
			if i != 1 {
				ctx = t.Context()
			}
			err := s.Turn(ctx, "ada@x", func(*number) error {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, i)
				return nil
			})
			if (i == 1) != errors.Is(err, context.Canceled) {
				t.Errorf("%d: %v", i, err)
			}
		})
		for waiting() <= i {
		}
	}
	cancel()
	for waiting() > 3 {
	}
	s.Unlock(p)
	all.Wait()
	s.Give(p)
	if !slices.Equal(got, []int{0, 2, 3}) || s.Len() != 0 {
		t.Errorf("the turns of %v, and %d places", got, s.Len())
	}
	for i := range s.shards {
		if n := len(s.shards[i].waiting); n > 0 {
			t.Errorf("%d still wait", n)
		}
	}
}

// Nobody is left waiting when others give up, whenever they do.
func TestTurnsGivenUp(t *testing.T) {
	s := newShelf()
	var all sync.WaitGroup
	n := 0
	for range 8 {
		all.Go(func() {
			for range 500 {
				ctx, cancel := context.WithCancel(t.Context())
				go cancel()
				s.Turn(ctx, "ada@x", func(*number) error { n++; return nil })
			}
		})
	}
	all.Wait()
	if err := s.Turn(t.Context(), "ada@x", func(*number) error { n++; return nil }); err != nil || n == 0 {
		t.Errorf("%v after %d turns", err, n)
	}
}

// Everybody who is online has a place.
func TestPlaceIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Place[int, *int]{}); size > 64 {
		t.Errorf("a place has %d bytes", size)
	}
}
