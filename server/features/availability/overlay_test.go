package availability

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/presence"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
)

// merged is what is known of people, as a test says.
type merged struct {
	mu     sync.Mutex
	states map[jid.Bare]*presence.Effective
	heard  []string
}

// State implements Merged.
func (m *merged) State(who presence.Subject) *presence.Effective {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.states[who]
}

// Next implements Merged; the tests say themselves what has changed.
func (m *merged) Next(ctx context.Context) ([]presence.Subject, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Report implements Merged.
func (m *merged) Report(who presence.Subject, _ presence.Kind, source string, all ...presence.Contribution) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	said := "nothing"
	for _, c := range all {
		said = fmt.Sprintf("%s %q", c.State, c.Facets.Text)
	}
	m.heard = append(m.heard, fmt.Sprintf("%s %s %s", who, source, said))
	return nil
}

// levels is an audience in which everybody has the level that their first letter
// has here, or that of a colleague.
type levels map[byte]presence.Level

// Level implements Audience.
func (l levels) Level(watcher, _ jid.Bare) presence.Level {
	if level, ok := l[watcher[0]]; ok {
		return level
	}
	return presence.Status
}

// Narrow implements Audience.
func (l levels) Narrow() bool {
	for _, level := range l {
		if level < presence.Status {
			return true
		}
	}
	return false
}

// Language implements Audience.
func (levels) Language() string { return "en" }

// With implements Audience.
func (levels) With(e *presence.Effective, said presence.Contribution) *presence.Effective {
	return presence.DefaultCatalogue().With(e, said, time.Now())
}

// Show implements Audience: what is secret is seen by the highest level only.
func (levels) Show(e *presence.Effective, _ string, l presence.Level) presence.Shown {
	s := presence.Shown{Show: "dnd", Text: e.State, Aside: strings.Join(e.Secondary, " "), Engaged: e.Engaged}
	switch {
	case e.State == "appear_offline" && l < presence.Full:
		return presence.Shown{Unavailable: true}
	case l == presence.Basic:
		s.Text, s.Aside = "", ""
	case l >= presence.Detail:
		s.Text += " since noon"
		s.State = e.State
	}
	return s
}

// street is a house with people of all levels in it who see ada: basil at the
// level of his first letter, and so on.
type street struct {
	*house
	m       *merged
	ada     *server.Session
	desk    *recorder
	clients map[string]*recorder
	all     map[string]*server.Session
}

var streetLevels = levels{'h': presence.Hidden, 'b': presence.Basic, 'd': presence.Detail, 'f': presence.Full}

func newStreet(t testing.TB) *street {
	who := []string{"hidden@x", "basic@x", "status@x", "detail@x", "full@x"}
	pairs := states{}
	for _, w := range who {
		pairs["ada@x "+w], pairs[w+" ada@x"] = roster.Both, roster.Both
	}
	s := &street{house: newHouse(t, pairs), m: &merged{states: map[jid.Bare]*presence.Effective{}}}
	s.feature.Merge(s.m, streetLevels)
	s.clients, s.all = map[string]*recorder{}, map[string]*server.Session{}
	s.ada, s.desk = s.enter("ada@x", "desk")
	for _, w := range who {
		name, _, _ := strings.Cut(w, "@")
		s.all[name], s.clients[name] = s.enter(jid.Bare(w), "home")
		s.send(s.all[name], "<presence/>")
	}
	s.read()
	return s
}

func (s *street) enter(who jid.Bare, resource string) (*server.Session, *recorder) {
	out := new(recorder)
	session, err := s.srv.Bind(s.t.Context(), server.NewAccount(who, 1), resource, out)
	if err != nil {
		s.t.Fatal(err)
	}
	return session, out
}

// becomes has ada be in a state; "" is none. What a second word says is beside it.
func (s *street) becomes(state string) {
	var e *presence.Effective
	if state != "" {
		all := strings.Fields(state)
		e = &presence.Effective{Subject: "ada@x", State: all[0], Secondary: all[1:], Engaged: all[0] != "dnd", Channels: presence.Chat}
		if e.Winner.Source = "phone/2001"; all[0] == "dnd" {
			e.Winner.Source = "client/desk"
		}
	}
	s.now(e)
}

func (s *street) now(e *presence.Effective) {
	s.m.mu.Lock()
	s.m.states["ada@x"] = e
	s.m.mu.Unlock()
	s.feature.turn.Lock()
	defer s.feature.turn.Unlock()
	s.feature.cover("ada@x", e)
	s.feature.stand("ada@x", e)
}

// read returns what everybody has got since the last time, by name.
func (s *street) read() map[string]string {
	got := map[string]string{}
	for name, of := range s.all {
		for _, more := of.Progress(); more; _, more = of.Progress() {
			runtime.Gosched()
		}
		r := s.clients[name]
		r.mu.Lock()
		got[name] = strings.ReplaceAll(r.got.String(), " to='"+of.Bare()+"'", "")
		r.got.Reset()
		r.mu.Unlock()
	}
	return got
}

func (s *street) expect(what string, want map[string]string) {
	s.t.Helper()
	got := s.read()
	for name := range s.all {
		if got[name] != want[name] {
			s.t.Errorf("%s: %s sees\n\t%s\nand not\n\t%s", what, name, got[name], want[name])
		}
	}
}

const (
	adaDesk = "<presence from='ada@x/desk'>"
	adaBye  = "<presence type='unavailable' from='ada@x/desk'/>"
	onCall  = "<state xmlns='urn:rollcall:presence:0' id='on_call'/>"
)

// What somebody is engaged in is written over what a client says, as far as each
// one may know it, and goes without anything being put back.
func TestOverlay(t *testing.T) {
	s := newStreet(t)
	s.send(s.ada, "<presence><show>away</show><status>lunch</status><idle xmlns='urn:xmpp:idle:1' since='2026-01-01T00:00:00Z'/><c/></presence>")
	idle := "<idle xmlns='urn:xmpp:idle:1' since='2026-01-01T00:00:00Z'/>"
	lunch := adaDesk + "<show>away</show><status>lunch</status>" + idle + "<c/></presence>"
	s.expect("lunch", map[string]string{
		"basic":  adaDesk + "<show>away</show>" + idle + "<c/></presence>",
		"status": lunch, "detail": lunch, "full": lunch,
	})
	s.becomes("on_call")
	since := adaDesk + "<show>dnd</show><status xml:lang='en'>on_call since noon</status><c/>" + onCall + "</presence>"
	s.expect("a call", map[string]string{
		"basic":  adaDesk + "<show>dnd</show><c/></presence>",
		"status": adaDesk + "<show>dnd</show><status xml:lang='en'>on_call</status><c/></presence>",
		"detail": since, "full": since,
	})
	s.send(s.ada, "<presence><show>xa</show><status>gone</status><c/></presence>")
	s.expect("nobody sees a difference", nil)
	s.send(s.ada, "<presence><priority>5</priority></presence>")
	s.expect("a difference", map[string]string{
		"basic":  adaDesk + "<show>dnd</show><priority>5</priority></presence>",
		"status": adaDesk + "<show>dnd</show><status xml:lang='en'>on_call</status><priority>5</priority></presence>",
		"detail": adaDesk + "<show>dnd</show><status xml:lang='en'>on_call since noon</status><priority>5</priority>" + onCall + "</presence>",
		"full":   adaDesk + "<show>dnd</show><status xml:lang='en'>on_call since noon</status><priority>5</priority>" + onCall + "</presence>",
	})
	s.becomes("")
	free := adaDesk + "<priority>5</priority></presence>"
	s.expect("hung up", map[string]string{"basic": free, "status": free, "detail": free, "full": free})
	if got := s.desk.all(); strings.Contains(got, "on_call") {
		t.Errorf("ada's own client got %s", got)
	}
	s.send(s.ada, "<presence type='unavailable'/>")
	s.expect("goodbye", map[string]string{"basic": adaBye, "status": adaBye, "detail": adaBye, "full": adaBye})
	want := []string{
		`ada@x client/desk idle "lunch"`, `ada@x client/desk long_idle "gone"`, `ada@x client/desk available ""`, "ada@x client/desk nothing",
	}
	if got := s.m.heard[len(s.m.heard)-4:]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("merged is %q, and not %q", got, want)
	}
}

// Who has won with the client's own word keeps it, and what else is true comes
// after it.
func TestOverlayFacet(t *testing.T) {
	s := newStreet(t)
	s.send(s.ada, "<presence><show>dnd</show><status>writing</status></presence>")
	s.read()
	s.becomes("dnd on_call")
	with := adaDesk + "<show>dnd</show><status xml:lang='en'>writing · on_call</status><state xmlns='urn:rollcall:presence:0' id='dnd'/></presence>"
	s.expect("a call beside", map[string]string{
		"status": adaDesk + "<show>dnd</show><status xml:lang='en'>on_call</status></presence>", "detail": with, "full": with,
	})
}

// Whoever appears to be offline is so to all but those who see everything, comes
// back to them as they are, and leaves unseen.
func TestAppearOffline(t *testing.T) {
	s := newStreet(t)
	s.send(s.ada, "<presence><show>away</show></presence>")
	s.read()
	s.becomes("appear_offline")
	all := adaDesk + "<show>dnd</show><status xml:lang='en'>appear_offline since noon</status><state xmlns='urn:rollcall:presence:0' id='appear_offline'/></presence>"
	s.expect("hides", map[string]string{"basic": adaBye, "status": adaBye, "detail": adaBye, "full": all})
	s.send(s.ada, "<presence><show>xa</show></presence>")
	s.expect("still hidden", nil)
	s.send(s.all["status"], "<presence type='probe' to='ada@x'/>")
	s.expect("a probe", map[string]string{"status": "<presence from='ada@x' to='status@x/home' type='unavailable'/>"})
	s.becomes("")
	back := adaDesk + "<show>xa</show></presence>"
	s.expect("comes back", map[string]string{"basic": back, "status": back, "detail": back, "full": back})
	s.becomes("appear_offline")
	s.read()
	s.send(s.ada, "<presence type='unavailable'/>")
	s.expect("leaves unseen", map[string]string{"full": adaBye})
}

// Another audience is put in force at once, and those are told to whom it makes a
// difference.
func TestGrade(t *testing.T) {
	s := newStreet(t)
	s.send(s.ada, "<presence><status>here</status></presence>")
	s.becomes("on_call")
	s.read()
	s.feature.Grade(levels{'h': presence.Basic, 'b': presence.Basic, 's': presence.Hidden, 'd': presence.Status, 'f': presence.Full})
	s.expect("regraded", map[string]string{
		"hidden": adaDesk + "<show>dnd</show></presence>",
		"status": adaBye,
		"detail": adaDesk + "<show>dnd</show><status xml:lang='en'>on_call</status></presence>",
	})
}

// A phone stands in for who has no client, and no message is drawn to it.
func TestStandIn(t *testing.T) {
	s := newStreet(t)
	phone := func(state string, c presence.Channel) *presence.Effective {
		said := presence.Contribution{Source: "phone/2001", State: state, Channels: c, Expires: time.Now().Add(time.Hour)}
		return &presence.Effective{
			Subject: "ada@x", State: state, Channels: c, Engaged: state == "on_call", Winner: said, All: []presence.Contribution{said},
		}
	}
	s.now(phone("phone_only", presence.Voice))
	who := "<presence from='ada@x/desk-phone'>"
	seen := func(state string) map[string]string {
		end := "<priority>-1</priority>"
		more := who + "<show>dnd</show><status xml:lang='en'>" + state + " since noon</status>" + end + "<state xmlns='urn:rollcall:presence:0' id='" + state + "'/></presence>"
		return map[string]string{
			"basic":  who + "<show>dnd</show>" + end + "</presence>",
			"status": who + "<show>dnd</show><status xml:lang='en'>" + state + "</status>" + end + "</presence>",
			"detail": more, "full": more,
		}
	}
	s.expect("a phone", seen("phone_only"))
	s.now(phone("on_call", presence.Voice))
	on := seen("on_call")
	on["basic"] = "" // who sees no words sees no difference
	s.expect("a call", on)
	s.send(s.all["status"], "<presence type='unavailable'/>")
	s.send(s.all["status"], "<presence/>")
	if got := s.read()["status"]; !strings.Contains(got, on["status"]) {
		t.Errorf("who comes sees %s", got)
	}
	s.send(s.all["status"], "<presence type='probe' to='ada@x'/>")
	want := strings.Replace(on["status"], who, "<presence from='ada@x/desk-phone' to='status@x/home'>", 1)
	s.expect("a probe", map[string]string{"status": want})
	s.send(s.ada, "<presence/>")
	s.now(phone("on_call", presence.Voice|presence.Chat))
	got := s.read()["full"]
	if !strings.HasPrefix(got, adaDesk) || !strings.HasSuffix(got, "<presence type='unavailable' from='ada@x/desk-phone'/>") {
		t.Errorf("the client comes first, then the phone goes, and there came %s", got)
	}
}

// After a restart the clients of before count for a while, and are not there: who is on
// the phone is seen to be so all the same, and who is not waits for them.
func TestStandInForTheMissed(t *testing.T) {
	s := newStreet(t)
	said := func(source, state string, c presence.Channel, stale bool) presence.Contribution {
		return presence.Contribution{Source: source, State: state, Channels: c, Stale: stale, Expires: time.Now().Add(time.Hour)}
	}
	was := func(stale bool, more ...presence.Contribution) *presence.Effective {
		all := append(more, said("client/desk", "available", presence.Chat, stale), said("phone/2001", "", presence.Voice, false))
		return &presence.Effective{
			Subject: "ada@x", State: all[0].State, Channels: presence.Voice | presence.Chat, Engaged: len(more) > 0, Winner: all[0], All: all, Stale: stale,
		}
	}
	call := said("phone/2001", "on_call", presence.Voice, true)
	s.now(was(true))
	s.expect("nothing but a client of before", nil)
	s.now(was(false, call))
	s.expect("a client that is about to be seen", nil)
	s.now(was(true, call))
	if got := s.read(); !strings.Contains(got["status"], "desk-phone'><show>dnd</show>") {
		t.Errorf("on the phone: %s", got)
	}
	s.now(was(true))
	if got := s.read(); !strings.Contains(got["status"], "type='unavailable' from='ada@x/desk-phone'") {
		t.Errorf("not on the phone any more: %s", got)
	}
}

// However a client, what lies over it and the audience change at the same time:
// in the end everybody has been told what is true.
func TestOverlayRaces(t *testing.T) {
	s := newStreet(t)
	s.send(s.ada, "<presence/>")
	for round := range 300 {
		var all sync.WaitGroup
		all.Go(func() { s.becomes([]string{"", "on_call", "appear_offline", "dnd on_call"}[rand.IntN(4)]) })
		all.Go(func() { s.feature.Amend(s.ada, marking(fmt.Sprint(round))) })
		if round%7 == 0 {
			all.Go(func() { s.feature.Grade(streetLevels) })
		}
		s.send(s.ada, []string{"<presence/>", "<presence><show>dnd</show></presence>", "<presence type='unavailable'/>"}[rand.IntN(3)])
		all.Wait()
		s.check(round)
	}
}

// check compares what everybody was told last with what a newcomer would be told.
func (s *street) check(round int) {
	s.t.Helper()
	got := s.read()
	for name, of := range s.all {
		if told := last(got[name]); told != "" {
			s.seen(name, told)
		}
		want := adaBye
		if a := s.ada.Availability(); a != nil {
			n := s.feature.current(s.ada, a)
			if o := n.seen(of.JID.Bare()); !o.hidden {
				want = strings.Replace(string(o.head)+string(o.tail), " to=''", "", 1)
			}
		}
		if known := s.clients[name].known; known != want && (known != "" || want != adaBye) {
			s.t.Fatalf("round %d: %s was told last\n\t%s\nand what is true is\n\t%s", round, name, known, want)
		}
	}
}

func (s *street) seen(name, told string) { s.clients[name].known = told }

func last(all string) string { return all[max(strings.LastIndex(all, "<presence"), 0):] }

// BenchmarkOverlay is a call of somebody with three clients, whom 150 see: both of
// its ends. The time that counts is that of one end.
func BenchmarkOverlay(b *testing.B) {
	c := newCrowd(b, 150)
	c.feature.Merge(&merged{}, levels{})
	for _, resource := range []string{"laptop", "phone", "tablet"} {
		s, _ := c.bind("ada@x", resource)
		c.send(s, somewhere)
	}
	on := &presence.Effective{Subject: "ada@x", State: "on_call", Engaged: true, Channels: presence.Chat, Winner: presence.Contribution{Source: "phone/1"}}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		c.feature.turn.Lock()
		if n%2 == 0 {
			c.feature.cover("ada@x", on)
		} else {
			c.feature.cover("ada@x", nil)
		}
		c.feature.turn.Unlock()
	}
}
