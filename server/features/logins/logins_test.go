package logins

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

// shelf is a store that can be out of order.
type shelf struct {
	kept   map[int64]time.Time
	writes int
	err    error
}

func (s *shelf) LoggedIn(_ context.Context, when map[int64]time.Time) error {
	if s.err != nil {
		return s.err
	}
	s.writes++
	maps.Copy(s.kept, when)
	return nil
}

type everybody struct{}

func (everybody) Lookup(context.Context, jid.Bare) (int64, bool, error) { return 1, true, nil }

type wire struct{}

func (wire) Write(b []byte) (int, error) { return len(b), nil }
func (wire) Close() error                { return nil }
func (wire) Abort()                      {}
func (wire) HangUp(*stream.Fault)        {}

func login(t *testing.T, srv *server.Server, who jid.Bare, id int64) {
	t.Helper()
	s, err := srv.Bind(t.Context(), server.NewAccount(who, id), "desk", wire{})
	if err != nil {
		t.Fatal(err)
	}
	s.Release()
	s.End(t.Context())
}

// Logins are written together after a while, and the rest at the end.
func TestLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{kept: map[int64]time.Time{}}
		f := New(s)
		srv := server.New(context.Background(), server.Options{
			Config: server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 1 << 20}, Accounts: everybody{}, Features: []server.Feature{f},
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		first := time.Now()
		login(t, srv, "ada@x", 1)
		login(t, srv, "bob@x", 2)
		login(t, srv, "guest@x", 0)
		time.Sleep(every + time.Millisecond)
		synctest.Wait()
		if s.writes != 1 || len(s.kept) != 2 || !s.kept[1].Equal(first) {
			t.Errorf("%d writes, %v", s.writes, s.kept)
		}
		time.Sleep(10 * every)
		synctest.Wait()
		if s.writes != 1 {
			t.Error("nothing was written")
		}
		login(t, srv, "ada@x", 1)
		cancel()
		if err := <-done; err != nil || s.writes != 2 || !s.kept[1].After(first) {
			t.Errorf("in the end %d writes, %v, %v", s.writes, s.kept, err)
		}
	})
}

// What could not be written waits, and does not take the place of what is later.
func TestLoginsWait(t *testing.T) {
	s := &shelf{kept: map[int64]time.Time{}, err: errors.New("the disk is full")}
	f := New(s)
	at := time.Now()
	f.waiting[1], f.waiting[2] = at, at
	if err := f.Flush(t.Context()); err == nil {
		t.Fatal("it was not told that it failed")
	}
	f.waiting[1] = at.Add(time.Hour)
	if err := f.Flush(t.Context()); err == nil {
		t.Fatal("it was not told that it failed")
	}
	s.err = nil
	if err := f.Flush(t.Context()); err != nil || !s.kept[1].Equal(at.Add(time.Hour)) || !s.kept[2].Equal(at) || len(f.waiting) != 0 {
		t.Errorf("%v, %v; %v wait", err, s.kept, f.waiting)
	}
}

// Whoever writes when there is nothing to write is not in the way of who logs in
// meanwhile: the race detector looks on.
func TestLoginsMeanwhile(t *testing.T) {
	s := &shelf{kept: map[int64]time.Time{}}
	f := New(s)
	srv := server.New(context.Background(), server.Options{
		Config: server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 1 << 20}, Accounts: everybody{}, Features: []server.Feature{f},
	})
	const people = 200
	done := make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err := f.Flush(context.Background()); err != nil {
				done <- err
				return
			}
		}
	}()
	for id := range int64(people) {
		login(t, srv, "ada@x", id+1)
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := f.Flush(t.Context()); err != nil || len(s.kept) != people {
		t.Errorf("%d are kept, %v", len(s.kept), err)
	}
}
