package availability

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// marking adds an element to a presence, unless it is there.
func marking(name string) func(*stanza.Stanza) []byte {
	return func(st *stanza.Stanza) []byte {
		if st.HasSpace("urn:mark:" + name) {
			return nil
		}
		return st.Append(nil, string(st.From), "", []byte("<x xmlns='urn:mark:"+name+"'/>"))
	}
}

// meddler is rosters, and somebody who does something just when one is wanted.
type meddler struct {
	Rosters
	act func()
}

// Pin implements Rosters.
func (m *meddler) Pin(ctx context.Context, owner jid.Bare) (*roster.Pin, error) {
	if act := m.act; act != nil {
		m.act = nil
		act()
	}
	return m.Rosters.Pin(ctx, owner)
}

// The last word counts: of a presence that is changed and a client that says
// something else meanwhile, nobody hears the older one last.
func TestAmendWhilePublishing(t *testing.T) {
	h := newHouse(t, states{"ada@x bob@x": roster.Both, "bob@x ada@x": roster.Both})
	m := &meddler{Rosters: h.feature.rosters}
	h.feature.rosters = m
	ada, _ := h.bind("ada@x", "desk")
	out := new(recorder)
	bob, err := h.srv.Bind(t.Context(), server.NewAccount("bob@x", 1), "home", out)
	if err != nil {
		t.Fatal(err)
	}
	h.send(bob, "<presence/>")
	for n, then := range []string{"<presence id='late'/>", "<presence type='unavailable'/>", "<presence id='anew'/>"} {
		h.send(ada, "<presence id='first'/>")
		m.act = func() {
			if n == 2 {
				h.send(ada, "<presence type='unavailable'/>")
			}
			h.send(ada, then)
		}
		h.feature.Amend(ada, marking(strconv.Itoa(n)))
		for _, more := bob.Progress(); more; _, more = bob.Progress() {
			runtime.Gosched()
		}
		want := "<presence type='unavailable' from='ada@x/desk' to='bob@x'/>"
		if a := ada.Availability(); a != nil {
			want = string(a.Head) + "bob@x" + string(a.Tail)
		}
		if last := out.last(); last != want || m.act != nil {
			t.Errorf("bob heard last\n\t%s\nand ada is\n\t%s", last, want)
		}
	}
	// Both at once, as it comes.
	for n := range 500 {
		var both sync.WaitGroup
		both.Go(func() { h.feature.Amend(ada, marking(strconv.Itoa(n))) })
		h.send(ada, fmt.Sprintf("<presence id='%d'/>", n))
		both.Wait()
	}
	for _, more := bob.Progress(); more; _, more = bob.Progress() {
		runtime.Gosched()
	}
	a := ada.Availability()
	if last, want := out.last(), string(a.Head)+"bob@x"+string(a.Tail); last != want {
		t.Errorf("bob heard last\n\t%s\nand ada is\n\t%s", last, want)
	}
}

// last returns the last presence, and forgets all.
func (r *recorder) last() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.got.String()
	r.got.Reset()
	return all[max(strings.LastIndex(all, "<presence"), 0):]
}

// What is changed goes to those whom a presence goes to, and to nobody else;
// what is right already is not told again.
func TestAmend(t *testing.T) {
	h := newHouse(t, states{"ada@x bob@x": roster.Both, "bob@x ada@x": roster.Both})
	out := map[string]*recorder{}
	sessions := map[string]*server.Session{}
	for _, name := range []string{"ada@x/desk", "ada@x/phone", "bob@x/home", "eve@x/loft"} {
		who, resource, _ := strings.Cut(name, "/")
		out[name] = new(recorder)
		s, err := h.srv.Bind(t.Context(), server.NewAccount(jid.Bare(who), 1), resource, out[name])
		if err != nil {
			t.Fatal(err)
		}
		sessions[name] = s
	}
	h.feature.Amend(sessions["ada@x/desk"], marking("early")) // not available: nothing to tell
	for _, s := range sessions {
		h.send(s, "<presence><priority>3</priority></presence>")
	}
	h.feature.Amend(sessions["ada@x/desk"], marking("once"))
	h.feature.Amend(sessions["ada@x/desk"], marking("once"))
	if a := sessions["ada@x/desk"].Availability(); a.Priority != 3 || !strings.Contains(string(a.Tail), "urn:mark:once") {
		t.Errorf("ada is now %d, %s%s", a.Priority, a.Head, a.Tail)
	}
	for name, s := range sessions {
		s.Finish(nil)
		s.Release()
		s.End(t.Context())
		want := 1
		if name == "eve@x/loft" {
			want = 0
		}
		if n := strings.Count(out[name].got.String(), "urn:mark:once"); n != want {
			t.Errorf("%s was told %d times", name, n)
		}
		if strings.Contains(out[name].got.String(), "urn:mark:early") {
			t.Errorf("%s was told of what was not there", name)
		}
	}
}
