package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/operator"
	"rollcall/roster"
	"rollcall/xmpp/jid"
)

func TestDemo(t *testing.T) {
	ctx := context.Background()
	c := newCommand(t, "")
	cfg := c.load()
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	book, devices := roster.NewBook(db.Rosters(), cfg.Roster), operator.NewDevices(db, cfg)
	desk := operator.New(operator.Parts{DB: db, Config: cfg, Book: book, Devices: devices})
	var phones []demoDevice
	start := func() []demoAccount {
		t.Helper()
		d, err := newDemo(cfg, desk, db.Accounts(), book, devices)
		if err != nil {
			t.Fatal(err)
		}
		people, err := d.run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if phones, err = d.addDevices(ctx); err != nil {
			t.Fatal(err)
		}
		return people
	}

	people := start()
	if len(people) != 3 || people[0].jid != "alice@localhost" {
		t.Fatalf("the demonstration has %v", people)
	}
	for _, p := range people {
		knowsAll(t, book, p.jid, devices.Domain())
	}
	first := phones
	if len(first) != 2 || first[0].jid != "201@phones.localhost" || first[0].secret == "" || first[0].secret == first[1].secret {
		t.Errorf("its devices are %+v", first)
	}
	if d := devices.Picture().ByID("201"); d == nil || d.Owner != "alice@localhost" || !opens(d, first[0].secret) {
		t.Errorf("there is %+v", d)
	}
	file := filepath.Join(cfg.DataDir, demoFile)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v; want 0600", demoFile, info.Mode(), err)
	}

	for i, p := range start() {
		if p.fresh || p.password != people[i].password {
			t.Errorf("the second start has %+v, the first had %+v", p, people[i])
		}
	}
	if !slices.Equal(phones, first) {
		t.Errorf("the second start has %+v, the first had %+v", phones, first)
	}
	for _, o := range []operator.Order{
		operator.NewOrder("device.secret", "device", "door"),
		operator.NewOrder("account.passwd", "accountjid", "bob@localhost", "password", "his own"),
		operator.NewOrder("account.remove", "accountjids", "carol@localhost"),
	} {
		if _, err := desk.Do(ctx, operator.Actor{Name: "a test"}, o); err != nil {
			t.Fatal(err)
		}
	}
	book.Forget("carol@localhost")
	again := start()
	if again[0].password != people[0].password || again[1].password != "" || !again[2].fresh || again[2].password == people[2].password {
		t.Errorf("after a change and a removal: %+v", again)
	}
	if phones[0] != first[0] || phones[1].secret != "" {
		t.Errorf("after another secret: %+v", phones)
	}
	if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), "bob@") || !strings.Contains(string(text), again[2].password) {
		t.Errorf("the file has %q, %v", text, err)
	}
	if r, err := book.Of(ctx, "carol@localhost"); err != nil || r.Len() != 4 {
		t.Errorf("the new carol has %d contacts, %v; want 4", r.Len(), err)
	}
}

func TestDemoIsForThisMachineOnly(t *testing.T) {
	cfg := newCommand(t, "tls.self_signed = 'always'\n").load()
	cfg.C2S.Listen = []string{":5222"}
	if _, err := newDemo(cfg, nil, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "leave out --demo") {
		t.Errorf("got %v", err)
	}
	cfg = newCommand(t, "server.domains = [{ name = 'guest.localhost', anonymous = true }]\n").load()
	if _, err := newDemo(cfg, nil, nil, nil, nil); err == nil {
		t.Error("a domain without accounts got some")
	}
}

// knowsAll expects somebody to have the other people as contacts, and to see the
// devices.
func knowsAll(t *testing.T, book *roster.Book, who jid.Bare, devices string) {
	t.Helper()
	r, err := book.Of(context.Background(), who)
	if err != nil || r.Len() != 4 {
		t.Fatalf("%s has %d contacts, %v; want 4", who, r.Len(), err)
	}
	for it := range r.Items() {
		if it.Contact.Domain() == devices {
			if it.Subscription().String() != "to" {
				t.Errorf("%s has %+v", who, it)
			}
			continue
		}
		if it.Subscription().String() != "both" || it.PendingIn() || it.Ask() || it.Name == "" {
			t.Errorf("%s has %s as %+v, want both sides and nothing pending", who, it.Contact, it)
		}
	}
}
