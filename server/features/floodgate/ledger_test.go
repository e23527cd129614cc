package floodgate

import (
	"hash/maphash"
	"testing"
	"time"

	"rollcall/server"
	"rollcall/xmpp/jid"
)

// What an account may do next, by what it did before and when.
func TestSpend(t *testing.T) {
	const min, hour = time.Minute, time.Hour
	type step struct {
		at    time.Duration
		what  limit
		peer  uint64
		fresh bool
		over  limit
		wait  time.Duration // 0: it passes
	}
	third := 20 * time.Second
	for _, c := range []struct {
		name  string
		cfg   Config
		steps []step
	}{
		{"messages", Config{MessagesPerMinute: 3}, []step{
			{0, messages, 1, true, 0, 0}, {0, messages, 2, true, 0, 0}, {0, messages, 1, false, 0, 0},
			{0, messages, 1, false, messages, third}, {third, messages, 3, true, 0, 0}, {third, messages, 3, false, messages, third},
		}},
		{"each limit has its own count", Config{MessagesPerMinute: 1, RequestsPerMinute: 1, SubscriptionsPerHour: 1, PresencePerMinute: 1, ContactMessagesPerMinute: 1}, []step{
			{0, messages, 1, false, 0, 0}, {0, requests, 1, false, 0, 0}, {0, subscriptions, 1, false, 0, 0}, {0, broadcasts, 0, false, 0, 0}, {0, contactMessages, 5, false, 0, 0},
			{0, messages, 1, false, messages, min}, {0, requests, 1, false, requests, min}, {0, subscriptions, 1, false, subscriptions, hour},
			{0, broadcasts, 0, false, broadcasts, min}, {0, contactMessages, 5, false, contactMessages, min},
		}},
		{"new addresses", Config{AddressesPerHour: 2}, []step{
			{0, messages, 1, true, 0, 0}, {0, subscriptions, 2, true, 0, 0}, {0, messages, 3, true, addresses, hour / 2},
			{0, subscriptions, 3, true, addresses, hour / 2}, {0, messages, 1, false, 0, 0}, {hour / 2, messages, 3, true, 0, 0},
		}},
		{"what is refused by one limit costs nothing of another", Config{MessagesPerMinute: 2, AddressesPerHour: 1, ReceivedPerMinute: 1}, []step{
			{0, messages, 1, true, 0, 0}, {0, messages, 2, true, addresses, hour}, {0, messages, 1, false, received, min},
			{0, messages, 2, false, 0, 0}, {0, messages, 2, false, messages, min / 2},
		}},
		{"what one address gets", Config{ReceivedPerMinute: 2}, []step{
			{0, messages, 1, false, 0, 0}, {0, subscriptions, 1, false, 0, 0}, {0, messages, 1, false, received, min / 2},
			{0, messages, 5<<48 | 2, false, 0, 0}, {min / 2, messages, 1, false, 0, 0},
		}},
	} {
		r, l := newRules(c.cfg, nil), &ledger{}
		for i, s := range c.steps {
			cost := cost{what: s.what, peer: s.peer, fresh: s.fresh && r.pace[addresses].Limits(), note: true}
			if s.what == messages || s.what == subscriptions {
				cost.crowd = r.crowd
			}
			over, wait := l.spend(r, cost, s.at)
			if over != s.over || wait != s.wait {
				t.Errorf("%s, step %d: over %q for %v, want %q for %v", c.name, i, names[over], wait, names[s.over], s.wait)
			}
			if met := l.met(s.peer, s.at); wait == 0 && !met {
				t.Errorf("%s, step %d: the peer is forgotten", c.name, i)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	r, l := newRules(Config{MessagesPerMinute: 1, RefusalsPerMinute: 2}, nil), &ledger{}
	for i, want := range []bool{false, false, true, true} {
		if got := l.refused(r, 0); got != want {
			t.Errorf("refusal %d: too many %v", i, got)
		}
	}
	if l.refused(r, 30*time.Second) {
		t.Error("too many after half a minute")
	}
	never := newRules(Config{MessagesPerMinute: 1}, nil)
	for range 1000 {
		if l.refused(never, 0) {
			t.Fatal("too many, and there is no limit")
		}
	}
}

// Strangers are acquaintances for an hour at least after they were last written
// to, and for two at most.
func TestAcquaintances(t *testing.T) {
	for _, c := range []struct {
		added, asked time.Duration
		want         bool
	}{
		{0, 0, true}, {0, 59 * time.Minute, true}, {0, 61 * time.Minute, true}, {0, 2 * time.Hour, false},
		{90 * time.Minute, 140 * time.Minute, true}, {90 * time.Minute, 149 * time.Minute, true},
		{90 * time.Minute, 5 * time.Hour, false},
	} {
		var a acquaintances
		a.add(1, c.added)
		if got := a.has(1, c.asked); got != c.want {
			t.Errorf("added at %v, asked at %v: %v", c.added, c.asked, got)
		}
		if a.has(2, c.asked) {
			t.Errorf("somebody who was never written to is known at %v", c.asked)
		}
		if got := a.none(c.asked); got == c.want {
			t.Errorf("added at %v, at %v there is nobody: %v", c.added, c.asked, got)
		}
	}
	var a acquaintances
	a.add(1, 0)
	for at := time.Duration(0); at < 10*time.Hour; at += 50 * time.Minute {
		if !a.has(1, at) {
			t.Errorf("forgotten at %v, and the talk goes on", at)
		}
	}
	for peer := range uint64(maxAcquaintances + 100) {
		a.add(peer, 10*time.Hour)
	}
	if len(a.fresh) != maxAcquaintances {
		t.Errorf("%d are remembered", len(a.fresh))
	}
}

// A ledger is there as long as it says something, with sessions or without.
func TestShelf(t *testing.T) {
	s := &shelf{seed: maphash.MakeSeed()}
	r := newRules(Config{MessagesPerMinute: 1}, nil)
	count := func() (n int) {
		for i := range s.drawers {
			n += len(s.drawers[i].all)
		}
		return n
	}
	l := s.take("ada@x")
	if s.take("ada@x") != l || s.peek("ada@x") != l || s.peek("bob@x") != nil {
		t.Error("sessions of one account have not the same ledger")
	}
	l.spend(r, cost{what: messages}, 0)
	s.give(l, 0)
	s.sweep(time.Hour)
	if count() != 1 {
		t.Error("it is gone while a session has it")
	}
	l.spend(r, cost{what: messages}, time.Hour)
	s.give(l, time.Hour)
	s.sweep(time.Hour + time.Second)
	if count() != 1 {
		t.Error("what was used up is forgotten with the session")
	}
	s.sweep(time.Hour + time.Minute)
	if count() != 0 {
		t.Error("it is kept for ever")
	}
	l = s.take("bob@x")
	s.give(l, 0)
	if count() != 0 {
		t.Error("one that says nothing is kept")
	}
}

// An address is refused for the crowd of others only if it shares both places
// with them.
func TestCrowd(t *testing.T) {
	var c crowd
	pace := server.PaceOf(10, time.Minute)
	seed := maphash.MakeSeed()
	for i := range 100 { // victims of a crowd
		for range 20 {
			c.take(pace, maphash.String(seed, string(colleague(i))), 0)
		}
	}
	const others = 10_000
	hit := 0
	for i := range others {
		if c.take(pace, maphash.String(seed, string(colleague(1000+i))), 0) > 0 {
			hit++
		}
	}
	if hit > others/100 {
		t.Errorf("%d of %d others are hit", hit, others)
	}
}

func TestSpell(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1: "1 second", time.Second: "1 second", 1500 * time.Millisecond: "2 seconds", 120 * time.Second: "120 seconds",
		121 * time.Second: "3 minutes", 30 * time.Minute: "30 minutes", time.Hour: "60 minutes",
	} {
		if got := spell(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestNewRules(t *testing.T) {
	if newRules(Config{RefusalsPerMinute: 5, Exempt: []jid.Bare{"a@x"}}, []jid.Bare{"b@x"}) != nil {
		t.Error("there are rules, and nothing is limited")
	}
	for i, c := range []Config{
		{MessagesPerMinute: 1}, {AddressesPerHour: 1}, {SubscriptionsPerHour: 1}, {RequestsPerMinute: 1},
		{PresencePerMinute: 1}, {ContactMessagesPerMinute: 1}, {ReceivedPerMinute: 1},
	} {
		if newRules(c, nil) == nil {
			t.Errorf("configuration %d limits nothing", i)
		}
	}
}
