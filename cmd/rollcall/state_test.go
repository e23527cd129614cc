package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall/internal/assembly"
	"rollcall/internal/operator"
	"rollcall/presence"
	"rollcall/sipgw/history"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// withStates is a server with accounts whose presence is merged.
func withStates(t *testing.T, settings ...string) (*command, *assembly.Assembly) {
	c := newCommand(t, strings.Join(append(settings, "presence.time_zone = 'UTC'\n"), "\n"))
	parts := c.openSocket()
	c.people("ada", "bob")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- parts.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return c, parts
}

// says has a source say something for an hour.
func says(t *testing.T, parts *assembly.Assembly, who presence.Subject, k presence.Kind, source, state string, open presence.Channel) {
	t.Helper()
	err := parts.Engine.Report(who, k, source, []presence.Contribution{{State: state, Channels: open, Expires: time.Now().Add(time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(patience); parts.Engine.State(who) == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("nothing is known of %s", who)
		}
	}
}

func TestStates(t *testing.T) {
	c, parts := withStates(t)
	ada := c.login(parts, "ada@localhost", "desk")
	says(t, parts, "ada@localhost", presence.Person, "client/desk", presence.Available, presence.Chat)
	says(t, parts, "door@phones.localhost", presence.Device, "registrar", "idle", presence.Voice)

	c.prints([]string{"state", "set", "ada@localhost", "Off duty", "--for", "3d", "--text", "gone fishing"}, "set ada@localhost to off_duty until 20")
	ada.hears(t, "from='localhost'", "<body>An operator has set your state to Off duty until 20")
	c.prints(words("state set door@phones.localhost maintenance --for 3h"), "set door@phones.localhost to maintenance until ")
	c.prints(words("state set bob@localhost break --for 100h"), "set bob@localhost to break until 20")
	if out := c.must("", "state", "set", "bob@localhost", "break", "--for", "100h"); !strings.Contains(out, ", which is the longest; just now it is offline: nothing can be reached") {
		t.Errorf("what is longer than it may be, of somebody who is offline: %q", out)
	}
	c.prints(words("state show ada@localhost"), "Person  ada@localhost", "State  off_duty", "To be reached by  chat", "Seen by colleagues  xa  Off duty", "Set by hand  off_duty until 20")
	c.prints(words("state show door@phones.localhost"), "Device  door@phones.localhost", "State  maintenance")
	for late := time.Now().Add(patience); len(parts.ByHand.All()) < 3; time.Sleep(time.Millisecond) { // what is listed has been shown
		if time.Now().After(late) {
			t.Fatalf("set are %+v", parts.ByHand.All())
		}
	}
	c.prints(words("state list"), "SUBJECT  KIND  STATE  SINCE  UNTIL  BY  TEXT",
		"ada@localhost  person  off_duty", "bob@localhost  person  break", "door@phones.localhost  device  maintenance")
	c.prints(words("state names"), "STATE  NAME  USUALLY  AT MOST  SET BY", "break  Break  20m  12h  the person, operators", "emergency  Emergency mode  8h  30d  operators")
	c.prints(words("state names --devices"), "maintenance  Maintenance  to be said  30d  operators")
	c.prints(words("state clear ada@localhost"), "took off_duty away from ada@localhost")
	ada.hears(t, "<body>An operator has taken your state Off duty away.</body>")
	c.prints(words("state clear ada@localhost"), "nothing was set by hand of ada@localhost")

	c.fails("", words("state set door@phones.localhost maintenance"), "say for how long: 20m, 2h or until 15:00")
	c.fails("", words("state set ada@localhost brk"), "there is no state “brk”; there are: active, appear_offline, ")
	c.fails("", words("state set ada@localhost on_call"), "“on_call” is not set by hand; there are: ")
	c.fails("", words("state set ada@localhost break --for ever"), `"ever" does not say for how long: write 20m, 2h or 3d`)
	c.fails("", words("state set ada@localhost break --until now"), `"now" does not say until when: write 15:00 or 2026-01-31T15:00`)
	c.fails("", words("state set ada@localhost break --until 2020-01-01T00:00"), "that time is past")
	c.fails("", words("state set ada@localhost break --until 15:00 --for 1h"), "for until")
	c.fails("", words("state set ada@localhost"), "set wants an address and a state", "rollcall state set ada@example.org break --for 20m", "rollcall state names")
	c.fails("", words("state set nobody@localhost break"), "there is nobody here, and no device, with the address nobody@localhost", "rollcall account list")
	c.fails("", words("state clear nobody@localhost"), "there is nobody here")
	c.fails("", words("state show nobody@localhost"), "there is nobody here")
	c.fails("", words("state clear"), "clear wants one address")
	if out := c.must("", "audit", "list", "--no-header"); strings.Count(out, "state.set") < 4 || strings.Contains(out, "gone fishing") || strings.Contains(out, "state.show") {
		t.Errorf("written down is\n%s", out)
	}
}

// Who has a role sets states of those whom they see; that it was them is written down, and
// so is what was refused.
func TestStatesByRole(t *testing.T) {
	c, parts := withStates(t, "presence.roles = [{ role = 'dispatcher', accounts = ['ada@localhost'] }]")
	do := func(who jid.Bare, name string, pairs ...string) error {
		_, err := parts.Desk.Do(t.Context(), operator.Actor{Name: string(who) + "/desk", JID: who}, operator.NewOrder(name, pairs...))
		return err
	}
	if err := do("ada@localhost", "state.set", "subject", "bob@localhost", "state", "off_duty", "for", "1h"); err != nil {
		t.Error(err)
	}
	for _, refused := range []error{
		do("bob@localhost", "state.set", "subject", "ada@localhost", "state", "break"),
		do("ada@localhost", "explain", "subject", "bob@localhost"),
		do("ada@localhost", "account.remove", "accountjids", "bob@localhost"),
	} {
		if !errors.Is(refused, stanza.ErrForbidden) {
			t.Errorf("refused by: %v", refused)
		}
	}
	if out := c.must("", "state", "show", "bob@localhost"); !strings.Contains(out, "off_duty until") || !strings.Contains(out, "by an operator") {
		t.Errorf("set is\n%s", out)
	}
	out := c.must("", "audit", "list", "--no-header")
	for _, want := range []string{"ada@localhost/desk", "state.set", "bob@localhost/desk", "that is not for you to do", "account.remove"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not written down:\n%s", want, out)
		}
	}
}

// Everything that is known of somebody is explained, and what was.
func TestExplainAndJournal(t *testing.T) {
	c, parts := withStates(t)
	says(t, parts, "ada@localhost", presence.Person, "client/desk", presence.Available, presence.Chat)
	c.must("", "state", "set", "ada@localhost", "dnd")
	c.prints(words("explain ada@localhost"), "ada@localhost (person) is dnd: the highest rank", "to be reached by: chat", "contributions:", "* manual/operator  dnd (policy, rank 85)", "seen by:")
	var x presence.Explanation
	if err := json.Unmarshal([]byte(c.must("", "explain", "ada@localhost", "--json")), &x); err != nil || x.State != "dnd" || len(x.Says) != 2 || len(x.Levels) != 5 {
		t.Errorf("as JSON: %+v, %v", x, err)
	}
	c.prints(words("explain bob@localhost"), "bob@localhost (person) is offline: nothing can be reached", "contributions:", "  none")
	c.fails("", words("explain nobody@localhost"), "there is nobody here")
	c.fails("", words("explain"), "explain wants one address", "rollcall explain ada@example.org")

	lines := words(c.must("", "journal", "ada@localhost", "--no-header"))
	if all := strings.Join(lines, " "); !strings.Contains(all, "available dnd manual/operator reported") || !strings.Contains(all, "available client/desk reported") {
		t.Errorf("the journal is %q", all)
	}
	if out := c.must("", "journal", "ada@localhost", "--no-header", "--limit", "1", "--since", "1h"); strings.Count(out, "\n") != 1 || !strings.Contains(out, "dnd") {
		t.Errorf("the latest is %q", out)
	}
	if out := c.must("", "journal", "ada@localhost", "--since", "2999-01-01"); out != "" {
		t.Errorf("in the future: %q", out)
	}
	c.fails("", words("journal ada@localhost --since yesterday"), `"yesterday" is no time`, "rollcall journal ada@localhost --since 24h")
	c.fails("", words("journal"), "journal wants one address")

	db, err := openDatabase(t.Context(), c.load())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	began := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	call := history.Call{
		ID: began.Add(time.Minute).UnixMicro(), Device: "2001@phones.localhost", Owner: "ada@localhost", Made: true, With: "sip:2002@x",
		Began: began, Answer: began.Add(5 * time.Second), How: "timeout", Cause: "audit", Why: "it was long",
	}
	if err := db.SIPCalls().SaveCalls(t.Context(), []history.Call{call}); err != nil {
		t.Fatal(err)
	}
	if out := c.must("", "journal", "ada@localhost", "--calls", "--no-header"); strings.Join(words(out), " ") != "2026-01-31 12:01:00 2001@phones.localhost out sip:2002@x 5s 55s audit it was long" {
		t.Errorf("the calls are %q", out)
	}
	if out := c.must("", "journal", "ada@localhost", "--calls", "--since", "2026-02-01"); out != "" {
		t.Errorf("calls since then: %q", out)
	}
}

// A device that is in the register has a state before anybody has heard of it, and none
// when it is taken out.
func TestStateOfADevice(t *testing.T) {
	c, parts := withStates(t)
	const far = "far@phones.localhost"
	c.must("", words("device add far --upstream hq --critical")...) // a PBX that nobody has named
	for late := time.Now().Add(patience); parts.Engine.State(far) == nil || parts.Engine.State(far).State != presence.Unknown; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("nobody knows how it is, and it is %+v", parts.Engine.State(far))
		}
	}
	c.prints(words("explain "+far), far+" (device) is unknown: nothing can be reached, and who would know why is silent", "* pbx/hq  unknown (reachability, rank 35)")
	if out := c.must("", "explain", far); !strings.Contains(out, "left), the configuration has no such PBX: counts") {
		t.Errorf("it does not say why:\n%s", out)
	}
	c.must("", words("state set "+far+" maintenance --for 1h")...)
	c.prints(words("explain "+far), far+" (device) is maintenance: the highest rank")
	if x := parts.Engine.State(far); x == nil || !x.Critical {
		t.Errorf("it is to stay in sight: %+v", x)
	}
	c.must("", words("device remove far")...)
	for late := time.Now().Add(patience); parts.Engine.State(far) != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("a device that is gone has a state")
		}
	}
	c.fails("", words("explain "+far), "there is nobody here, and no device, with the address "+far)
}

func TestStatesWithoutServer(t *testing.T) {
	c := newCommand(t, "")
	c.people("ada")
	for _, args := range []string{"state set ada@localhost break", "state clear ada@localhost", "state show ada@localhost", "state list", "state names", "explain ada@localhost", "journal ada@localhost"} {
		c.fails("", words(args), "no server is running", "start it with: rollcall serve")
	}
}
