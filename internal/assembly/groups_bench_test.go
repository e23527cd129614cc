package assembly

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rollcall/config"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// town is a whole server with clients that take everything.
type town struct {
	b       *testing.B
	parts   *Assembly
	db      *storage.DB
	scanner *stream.Scanner
}

func newTown(b *testing.B) *town {
	cfg, err := config.Parse("test", []byte("server.domains = ['x']\n"))
	if err != nil {
		b.Fatal(err)
	}
	db, err := storage.Open(b.Context(), storage.Config{Driver: storage.SQLite, Path: storage.Memory})
	if err == nil {
		_, err = db.Migrate(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	parts, err := New(b.Context(), b.Context(), Options{Config: cfg, Streams: cfg.C2S, DB: db, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	t := &town{b: b, parts: parts, db: db, scanner: stream.New(stream.DefaultLimits)}
	t.scanner.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	return t
}

func citizen(i int) jid.Bare { return jid.Bare(fmt.Sprintf("citizen%04d@x", i)) }

// settle makes accounts.
func (t *town) settle(n int) {
	for i := range n {
		if _, err := t.db.Accounts().Create(t.b.Context(), citizen(i), nil); err != nil {
			t.b.Fatal(err)
		}
	}
}

// takes is a connection that counts the stanzas that it is given.
type takes struct {
	pushes, presences atomic.Int64
	last              []byte // of what came before: a stanza may come in two parts
}

// Write implements server.Transport.
func (k *takes) Write(p []byte) (int, error) {
	for mark, n := range map[string]*atomic.Int64{"<iq type='set'": &k.pushes, "<presence ": &k.presences} {
		seam := append(k.last[max(0, len(k.last)-len(mark)+1):len(k.last):len(k.last)], p[:min(len(p), len(mark)-1)]...)
		n.Add(int64(bytes.Count(p, []byte(mark)) + bytes.Count(seam, []byte(mark))))
	}
	k.last = append(k.last[:0], p[max(0, len(p)-16):]...)
	return len(p), nil
}
func (*takes) Close() error         { return nil }
func (*takes) Abort()               {}
func (*takes) HangUp(*stream.Fault) {}

func (t *town) bind(who jid.Bare) (*server.Session, *takes) {
	a, ok, err := t.parts.Server.Account(t.b.Context(), who)
	if err != nil || !ok {
		t.b.Fatal(who, ok, err)
	}
	k := new(takes)
	s, err := t.parts.Server.Bind(t.b.Context(), a, "desk", k)
	if err != nil {
		t.b.Fatal(err)
	}
	return s, k
}

func (t *town) says(s *server.Session, raw string) {
	t.scanner.Filled(copy(t.scanner.Space(), raw))
	st, err := t.scanner.Next()
	if err == nil {
		err = t.parts.Server.Handle(context.Background(), s, st)
	}
	if err != nil {
		t.b.Fatal(err)
	}
}

const rosterGet = "<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>"

// BenchmarkLogin is somebody with 200 contacts who asks for the roster and comes
// online, with nobody and with everybody of them there, and leaves again. Contacts
// are her own, or those of a group.
func BenchmarkLogin(b *testing.B) {
	const n = 200
	for _, how := range []string{"own", "group"} {
		for _, there := range []int{0, n} {
			b.Run(fmt.Sprintf("%s/%d there", how, there), func(b *testing.B) {
				t := newTown(b)
				t.settle(n + 1)
				t.acquaint(n, how)
				for i := range there {
					s, _ := t.bind(citizen(i + 1))
					t.says(s, "<presence/>")
				}
				b.ReportAllocs()
				for b.Loop() {
					s, _ := t.bind(citizen(0))
					t.says(s, rosterGet)
					t.says(s, "<presence/>")
					s.Finish(nil)
					s.Release()
					s.End(b.Context())
				}
			})
		}
	}
}

// acquaint gives the first citizen n contacts.
func (t *town) acquaint(n int, how string) {
	first := citizen(0)
	if how == "group" {
		// By two groups, so that the others are no contacts of one another.
		one := roster.Group{Name: "one", Title: "Colleagues", Members: []roster.Member{{JID: first}}}
		rest := roster.Group{Name: "rest", Title: "Colleagues"}
		for i := range n {
			rest.Members = append(rest.Members, roster.Member{JID: citizen(i + 1), Name: fmt.Sprintf("Citizen the %dth", i+1)})
		}
		g, ctx := t.parts.Groups, t.b.Context()
		for _, err := range []error{g.Add(ctx, one), g.Add(ctx, rest), g.SetVisible(ctx, "one", "rest", true), g.SetVisible(ctx, "rest", "one", true)} {
			if err != nil {
				t.b.Fatal(err)
			}
		}
		return
	}
	store := t.db.Rosters()
	put := func(owner, contact jid.Bare, name string, version int) {
		it := &roster.Item{Contact: contact, Name: name, State: roster.Both, Groups: []string{"Colleagues"}, Version: uint32(version + 1)}
		u := roster.Update{Contact: contact, Before: uint32(version), After: uint32(version + 1), Item: it}
		if err := store.SaveRoster(t.b.Context(), owner, u); err != nil {
			t.b.Fatal(err)
		}
	}
	for i := range n {
		put(first, citizen(i+1), fmt.Sprintf("Citizen the %dth", i+1), i)
		put(citizen(i+1), first, "Citizen the first", 0)
	}
}

// BenchmarkJoin is a member who joins a group of 5000 who are all online, and
// leaves it again: each is told of the item and the presence, and the member of
// all of them. It reports the time of all processors for one joining or leaving.
// What one group makes is the same for all; when no two are in the same groups
// besides, nothing is.
func BenchmarkJoin(b *testing.B) {
	for _, how := range []string{"all alike", "no two alike"} {
		b.Run(how, func(b *testing.B) { benchmarkJoin(b, 5000, how != "all alike") })
	}
}

func benchmarkJoin(b *testing.B, n int, distinct bool) {
	t := newTown(b)
	t.settle(n + 1)
	groups := []roster.Group{{Name: "all", Title: "Everybody", Mutual: true}}
	for bit := range 13 {
		groups = append(groups, roster.Group{Name: fmt.Sprint("bit", bit), Mutual: true})
	}
	for i := range n {
		for at := range groups {
			if at == 0 || distinct && i&(1<<(at-1)) != 0 {
				groups[at].Members = append(groups[at].Members, roster.Member{JID: citizen(i)})
			}
		}
	}
	if err := t.parts.Groups.Sync(b.Context(), "test", groups); err != nil {
		b.Fatal(err)
	}
	all := make([]*takes, n+1)
	for i := range all {
		var s *server.Session
		s, all[i] = t.bind(citizen(i))
		t.arrive(s)
	}
	rounds := int64(0)
	change := func(members []roster.Member) {
		groups[0].Members = members
		if err := t.parts.Groups.Sync(b.Context(), "test", groups); err != nil {
			b.Fatal(err)
		}
		rounds++
		heard(all, rounds)
	}
	without := groups[0].Members
	b.ReportAllocs()
	before := used()
	for b.Loop() {
		change(append(without[:n:n], roster.Member{JID: citizen(n)}))
		change(without)
	}
	b.ReportMetric(float64((used()-before).Milliseconds())/float64(rounds), "cpu-ms/change")
}

// arrive has a session know its roster and be available, with nobody told: what
// five thousand tell one another when they come is not what is measured.
func (t *town) arrive(s *server.Session) {
	r, err := t.parts.Book.Of(t.b.Context(), s.Account.JID)
	if err != nil {
		t.b.Fatal(err)
	}
	t.says(s, "<iq type='get' id='r1'><query xmlns='jabber:iq:roster' ver='"+r.Version()+"'/></iq>")
	s.SetAvailability(&server.Availability{
		Head: []byte("<presence from='" + s.Full() + "' to='"),
		Tail: []byte("'><show>away</show><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.org' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/></presence>"),
	})
}

// heard waits until everybody has heard of so many changes: each of those who
// were there of one contact, and the last one of all of them.
func heard(all []*takes, rounds int64) {
	for i, k := range all {
		want := rounds
		if i == len(all)-1 {
			want *= int64(len(all) - 1)
		}
		for k.pushes.Load() < want || k.presences.Load() < want {
			runtime.Gosched()
		}
	}
}

// used is the time of all processors that the program has used.
func used() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
