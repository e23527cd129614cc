package lastactivity

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
	"rollcall/xmpp/stream"
)

// shelf is a place for what is known.
type shelf struct {
	mu     sync.Mutex
	kept   map[int64]Left
	pages  []int // how many each transaction held
	broken error
}

func (s *shelf) Left(_ context.Context, account int64) (Left, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, found := s.kept[account]
	return l, found, s.broken
}

func (s *shelf) SetLeft(_ context.Context, all []Left) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.pages = append(s.pages, len(all))
	for _, l := range all {
		s.kept[l.Account] = l
	}
	return nil
}

func (s *shelf) breaks(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

type deaf struct{}

func (deaf) Write(b []byte) (int, error) { return len(b), nil }
func (deaf) Close() error                { return nil }
func (deaf) Abort()                      {}
func (deaf) HangUp(*stream.Fault)        {}

// one has an account of that number.
func one(n int) *server.Account {
	return server.NewAccount(jid.Bare(fmt.Sprintf("a%d@x", n)), int64(n))
}

// Lookup implements server.Accounts for all of those.
func (s *shelf) Lookup(_ context.Context, j jid.Bare) (id int64, ok bool, err error) {
	_, err = fmt.Sscanf(string(j), "a%d@x", &id)
	return id, err == nil, nil
}

func newFeature(t *testing.T) (*Feature, *shelf, *server.Server) {
	s := &shelf{kept: map[int64]Left{}}
	f := New(s, nil)
	srv := server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 1 << 20},
		Accounts: s, Features: []server.Feature{f},
	})
	return f, s, srv
}

// leave has an account come and go.
func leave(t *testing.T, srv *server.Server, n int) {
	s, err := srv.Bind(t.Context(), one(n), "home", deaf{})
	if err != nil {
		t.Fatal(err)
	}
	s.Release()
	s.End(t.Context())
}

// Thousands who leave at once share a few transactions.
func TestThoseWhoLeaveTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, srv := newFeature(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		for n := range 2500 {
			leave(t, srv, n+1)
		}
		time.Sleep(2 * gather)
		synctest.Wait()
		if fmt.Sprint(s.pages) != "[1000 1000 500]" || len(s.kept) != 2500 {
			t.Errorf("transactions of %v, %d are kept", s.pages, len(s.kept))
		}
		if len(f.pending) != 0 {
			t.Errorf("%d are pending", len(f.pending))
		}
		leave(t, srv, 1)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if len(s.pages) != 4 || !s.kept[1].At.After(s.kept[2].At) {
			t.Error("the last one is not kept at the end")
		}
	})
}

// What cannot be stored is known nevertheless, and stored when that works.
func TestStoredWhenItWorksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s, srv := newFeature(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		s.breaks(errors.New("away"))
		leave(t, srv, 1)
		time.Sleep(time.Minute)
		if seen, found, err := f.Seen(t.Context(), "a1@x"); err != nil || !found || seen.Now || time.Since(seen.At) != time.Minute {
			t.Errorf("seen %+v, %v, %v", seen, found, err)
		}
		s.breaks(nil)
		time.Sleep(2 * pause)
		synctest.Wait()
		if len(s.kept) != 1 || len(f.pending) != 0 {
			t.Errorf("%d are kept and %d pending", len(s.kept), len(f.pending))
		}
		s.breaks(errors.New("away"))
		leave(t, srv, 2)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the end failed: %v", err)
		}
	})
}

func TestSeen(t *testing.T) {
	f, s, srv := newFeature(t)
	if seen, found, err := f.Seen(t.Context(), "a1@x"); err != nil || !found || seen != (Seen{}) {
		t.Errorf("who was never there: %+v, %v, %v", seen, found, err)
	}
	if _, found, err := f.Seen(t.Context(), "nobody@x"); err != nil || found {
		t.Errorf("nobody: %v, %v", found, err)
	}
	at := time.UnixMicro(1700000000000000)
	s.kept[1] = Left{1, at, "bye"}
	if seen, _, err := f.Seen(t.Context(), "a1@x"); err != nil || !seen.At.Equal(at) || seen.Status != "bye" {
		t.Errorf("%+v, %v", seen, err)
	}
	if _, err := srv.Bind(t.Context(), one(1), "home", deaf{}); err != nil {
		t.Fatal(err)
	}
	if seen, _, err := f.Seen(t.Context(), "a1@x"); err != nil || seen != (Seen{Now: true}) {
		t.Errorf("%+v, %v", seen, err)
	}
}

// An account that is removed leaves nothing behind.
func TestRemoved(t *testing.T) {
	f, _, srv := newFeature(t)
	leave(t, srv, 1)
	srv.Removed("a1@x", 1)
	if len(f.pending) != 0 {
		t.Errorf("%d are pending", len(f.pending))
	}
}

func TestStatus(t *testing.T) {
	for raw, want := range map[string]string{
		"<presence type='unavailable'/>":                                                "",
		"<presence><status/></presence>":                                                "",
		"<presence><status> a &lt;b&gt;\n</status></presence>":                          "a <b>",
		"<presence><status>a</status><status xml:lang='de'>b</status></presence>":       "a",
		"<presence><status xmlns='urn:o'>a</status></presence>":                         "",
		"<presence><status>" + strings.Repeat("é", maxStatus) + "</status></presence>":  strings.Repeat("é", maxStatus/2),
		"<presence><status>a" + strings.Repeat("é", maxStatus) + "</status></presence>": "a" + strings.Repeat("é", maxStatus/2-1),
	} {
		sc := stream.New(stream.DefaultLimits)
		sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
		st, err := sc.Whole([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := status(st); got != want {
			t.Errorf("%.60s: %q, want %q", raw, got, want)
		}
	}
}
