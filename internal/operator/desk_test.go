package operator_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/config"
	"rollcall/internal/assembly"
	"rollcall/internal/operator"
	"rollcall/server"
	"rollcall/server/features/adhoc"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

// place is a server with a database in memory, and a log that can be read.
type place struct {
	*assembly.Assembly
	db  *storage.DB
	log *strings.Builder
}

var by = operator.Actor{Name: "uid 0", Origin: "a test"}

func open(t *testing.T, settings string) *place {
	t.Helper()
	cfg, err := config.Parse("t", []byte("auth.iterations = 4096\nserver.domains = ['x']\n"+settings))
	if err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(t.Context(), storage.Config{Driver: storage.SQLite, Path: storage.Memory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	log := new(strings.Builder)
	parts, err := assembly.New(t.Context(), context.Background(), assembly.Options{
		Config: cfg, Streams: cfg.C2S, DB: db, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &place{parts, db, log}
}

func (p *place) do(t *testing.T, name string, pairs ...string) operator.Answer {
	t.Helper()
	a, err := p.Desk.Do(t.Context(), by, operator.NewOrder(name, pairs...))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return a
}

func (p *place) reason(t *testing.T, name string, pairs ...string) operator.Reason {
	t.Helper()
	_, err := p.Desk.Do(t.Context(), by, operator.NewOrder(name, pairs...))
	var e *operator.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: %v", name, err)
		return ""
	}
	return e.Reason
}

// acts returns what the audit log has, the newest first: who, what, whom, why not.
func (p *place) acts(t *testing.T) (out []string) {
	t.Helper()
	for _, row := range p.do(t, "audit.list").Rows {
		out = append(out, strings.Join([]string{row[1], row[2], row[3], row[4], row[6]}, "|"))
	}
	return out
}

// Of many who make the same account at once one does.
func TestOneAccountMadeByMany(t *testing.T) {
	p := open(t, "")
	var mu sync.Mutex
	reasons := map[operator.Reason]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := p.Desk.Do(t.Context(), by, operator.NewOrder("account.add", "accountjid", "ada@x", "password", "p"))
			var e *operator.Error
			mu.Lock()
			defer mu.Unlock()
			if errors.As(err, &e) {
				reasons[e.Reason]++
			} else if err == nil {
				reasons["made"]++
			}
		})
	}
	all.Wait()
	if reasons["made"] != 1 || reasons[operator.Exists] != 7 {
		t.Errorf("%v", reasons)
	}
}

func TestReasons(t *testing.T) {
	p := open(t, "")
	p.do(t, "account.add", "accountjid", "ada@x", "password", "p")
	for _, row := range []struct {
		want  operator.Reason
		order []string
	}{
		{operator.Exists, []string{"account.add", "accountjid", "ada@x", "password", "p"}},
		{operator.NotOurs, []string{"account.add", "accountjid", "ada@y", "password", "p"}},
		{operator.Password, []string{"account.add", "accountjid", "bob@x", "password", "a\x00b"}},
		{operator.Wrong, []string{"account.add", "accountjid", "bob@x", "password", "p", "password-verify", "q"}},
		{operator.NoAccount, []string{"account.passwd", "accountjid", "bob@x", "password", "p"}},
		{operator.NoAccount, []string{"account.show", "accountjid", "bob@x"}},
		{operator.NoAccount, []string{"account.roster", "accountjids", "bob@x"}},
		{operator.NoAccount, []string{"account.disable", "accountjids", "bob@x"}},
		{operator.NoAccount, []string{"account.enable", "accountjids", "bob@x"}},
		{operator.NoAccount, []string{"account.remove", "accountjids", "bob@x"}},
		{operator.NoAccount, []string{"account.lastlogin", "accountjids", "bob@x"}},
		{operator.NoSession, []string{"session.kill", "accountjids", "ada@x/desk"}},
		{operator.Wrong, []string{"account.promote"}},
		{operator.Wrong, []string{"audit.list", "since", "yesterday"}},
	} {
		if got := p.reason(t, row.order[0], row.order[1:]...); got != row.want {
			t.Errorf("%q: %q, want %q", row.order, got, row.want)
		}
	}
}

// quiet is a connection that takes everything.
type quiet struct{}

func (quiet) Write(b []byte) (int, error) { return len(b), nil }
func (quiet) Close() error                { return nil }
func (quiet) Abort()                      {}
func (quiet) HangUp(*stream.Fault)        {}

func (p *place) bind(t *testing.T, who jid.Bare, resource string) *server.Session {
	t.Helper()
	a, ok, err := p.Server.Account(t.Context(), who)
	if err != nil || !ok {
		t.Fatalf("%s: %v, %v", who, ok, err)
	}
	s, err := p.Server.Bind(t.Context(), a, resource, quiet{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.End(context.Background()) })
	return s
}

// What is done is written down: by whom, what, to whom, and what came of it. What
// people do to their own accounts, too, and what nobody may.
func TestAudit(t *testing.T) {
	p := open(t, "server.admins = ['ada@x']\n")
	p.do(t, "account.add", "accountjid", "ada@x", "password", "secret")
	p.do(t, "account.add", "accountjid", "bob@x", "password", "secret")
	p.reason(t, "account.add", "accountjid", "bob@x", "password", "secret")
	p.reason(t, "account.disable", "accountjids", "bob@x", "accountjids", "eve@x")
	p.do(t, "announce", "announcement", "gossip")
	p.do(t, "shutdown", "delay", "3600", "announcement", "gossip")
	p.do(t, "shutdown.cancel")
	p.do(t, "account.show", "accountjid", "ada@x")
	p.reason(t, "account.remove", "accountjids", "") // it was no order

	ada, bob := p.bind(t, "ada@x", "desk"), (*server.Session)(nil)
	for _, c := range p.Desk.Commands() {
		if c.Node == "http://jabber.org/protocol/admin#delete-motd" {
			who := &adhoc.Caller{JID: ada.JID, Account: ada.Account, Session: ada}
			if _, err := c.Run(t.Context(), who, nil); err != nil || !c.May(who) {
				t.Errorf("an administrator: %v", err)
			}
			p.do(t, "account.enable", "accountjids", "bob@x")
			bob = p.bind(t, "bob@x", "home")
			who = &adhoc.Caller{JID: bob.JID, Account: bob.Account, Session: bob}
			if c.May(who) {
				t.Error("everybody may do everything")
			}
			p.Desk.Forbidden(t.Context(), who, &c)
			p.Desk.Forbidden(t.Context(), who, &c)
		}
	}
	p.Desk.Own(t.Context(), "bob@x", "own.passwd")
	want := []string{
		"bob@x||own.passwd|bob@x|done",
		"bob@x/home||motd.delete||forbidden",
		"uid 0|a test|account.enable|bob@x|done",
		"ada@x/desk||motd.delete||done",
		"uid 0|a test|shutdown.cancel||done",
		"uid 0|a test|shutdown||done",
		"uid 0|a test|announce||done",
		"uid 0|a test|account.disable|bob@x eve@x|there is no account eve@x; disabled 1 before that",
		"uid 0|a test|account.add|bob@x|bob@x exists already",
		"uid 0|a test|account.add|bob@x|done",
		"uid 0|a test|account.add|ada@x|done",
	}
	if got := p.acts(t); !slices.Equal(got, want) {
		t.Errorf("the audit log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if detail := p.do(t, "audit.list", "max_items", "6").Rows[5][5]; detail != "delay=3600" {
		t.Errorf("the shutdown was with %q", detail)
	}
	// The same is in the server's log, with its keys, and no secret is.
	for _, words := range []string{
		`msg="an operator's order was carried out" by="uid 0" from="a test" action=account.add jid=ada@x`,
		`msg="an operator's order came to nothing" by=bob@x/home from="" action=motd.delete jid="" err=forbidden`,
	} {
		if !strings.Contains(p.log.String(), words) {
			t.Errorf("the log has no %q:\n%s", words, p.log)
		}
	}
	for _, word := range []string{"secret", "gossip"} {
		if strings.Contains(p.log.String(), word) || strings.Contains(fmt.Sprint(p.do(t, "audit.list").Rows), word) {
			t.Errorf("%q was written down", word)
		}
	}
}

// The audit log keeps what is not too old.
func TestAuditRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, "audit.retention = '2h'\n")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Desk.Run(ctx) }()
		p.do(t, "motd.set", "motd", "old")
		time.Sleep(90 * time.Minute)
		p.do(t, "motd.delete")
		synctest.Wait()
		if got := p.acts(t); len(got) != 2 {
			t.Errorf("within the time: %q", got)
		}
		time.Sleep(95 * time.Minute)
		synctest.Wait()
		if got := p.acts(t); len(got) != 1 || !strings.Contains(got[0], "motd.delete") {
			t.Errorf("later: %q", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		p.db.Close() // in the bubble that it was opened in
	})
}

// Who is an administrator may change while the server runs.
func TestAdminsMayChange(t *testing.T) {
	p := open(t, "server.admins = ['ada@x']\n")
	if !p.Desk.Admin("ada@x") || p.Desk.Admin("bob@x") {
		t.Error("not what the configuration says")
	}
	cfg, err := config.Parse("t", []byte("server.domains = ['x']\nserver.admins = ['Bob@x']\n"))
	if err != nil {
		t.Fatal(err)
	}
	p.Desk.Configure(cfg)
	if p.Desk.Admin("ada@x") || !p.Desk.Admin("bob@x") {
		t.Error("not what the new configuration says")
	}
}

// A list that is asked for as a whole still has an end, lest it break the stream
// that it goes through.
func TestLongLists(t *testing.T) {
	p := open(t, "")
	long := strings.Repeat("a", 900)
	for i := range 450 {
		if _, err := p.db.Accounts().Create(t.Context(), jid.Bare(fmt.Sprintf("%s%05d@x", long, i)), nil); err != nil {
			t.Fatal(err)
		}
	}
	seen, after := 0, ""
	for page := 0; ; page++ {
		a := p.do(t, "account.list", "max_items", "none", "after", after)
		size := 0
		for _, v := range a.Facts[0].Values {
			size += len(v)
		}
		if size > 384<<10 {
			t.Errorf("a page of %d bytes", size)
		}
		if seen += len(a.Rows); a.Next == "" || page > 9 {
			break
		}
		after = a.Next
	}
	if seen != 450 {
		t.Errorf("%d of 450 accounts are listed", seen)
	}
}

// What has been said of an account's login is known at once.
func TestLastLogin(t *testing.T) {
	p := open(t, "")
	p.do(t, "account.add", "accountjid", "ada@x", "password", "p")
	last := func() string { return p.do(t, "account.lastlogin", "accountjids", "ada@x").Rows[0][1] }
	if got := last(); got != "never" {
		t.Errorf("before: %s", got)
	}
	s := p.bind(t, "ada@x", "desk")
	if got, want := last(), s.Began().Local().Format("2006-01-02 15:04"); got != want {
		t.Errorf("after: %s, want %s", got, want)
	}
}
