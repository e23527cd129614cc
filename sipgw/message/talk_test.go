package message

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/sipgw/iscomposing"
	"rollcall/sipgw/siptest"
	"rollcall/xmpp/jid"
)

// What a device says is chat for a day after a chat message, and the two write to each
// other for ten minutes after any.
func TestTalk(t *testing.T) {
	const day = 24 * 60 * 60
	var none *talk
	if none.isChat(at(0)) || none.exchanging(at(0)) || none.answers(at(0)) {
		t.Error("they have never spoken")
	}
	tk := new(talk)
	tk.said(at(0), false, false)
	if tk.isChat(at(1)) || !tk.exchanging(at(599)) || tk.exchanging(at(600)) || tk.answers(at(1)) {
		t.Error("a single message to a device")
	}
	tk.said(at(0), true, false)
	if !tk.isChat(at(day-1)) || tk.isChat(at(day)) {
		t.Error("a chat message to a device")
	}
	tk.said(at(10), false, true)
	if tk.isChat(at(day)) || !tk.answers(at(day)) || tk.answers(at(day+10)) {
		t.Error("a single message of a device makes no chat")
	}
	tk.said(at(20), true, true)
	if !tk.isChat(at(day + 19)) {
		t.Error("a chat message of a device goes on with it")
	}
}

func TestMemory(t *testing.T) {
	m := newMemory(3)
	name := func(i int) pair { return pair{"bob@x", jid.Bare(fmt.Sprint(i, "@phones.x"))} }
	for i := range 3 {
		m.writing[m.touch(name(i))] = true
	}
	first := m.touch(name(0))
	m.touch(name(3))
	if m.get(name(1)) != nil || m.get(name(0)) != first || m.get(name(3)) == nil || len(m.all) != 3 || m.order.Len() != 3 || len(m.writing) != 2 {
		t.Error("the one longest silent is to be forgotten", len(m.all), len(m.writing))
	}
}

func TestBucket(t *testing.T) {
	var b bucket
	for i := range 2 {
		if wait := b.take(at(0), 1, 2); wait != 0 {
			t.Error(i, wait)
		}
	}
	if wait := b.take(at(0), 1, 2); wait != time.Second {
		t.Error(wait)
	}
	for _, step := range []struct {
		at   int
		wait time.Duration
	}{{1, 0}, {1, time.Second}, {100, 0}, {100, 0}, {100, time.Second}} { // no more than fit in
		if wait := b.take(at(step.at), 1, 2); wait != step.wait {
			t.Error(step, wait)
		}
	}
}

func TestDue(t *testing.T) {
	tk := &talk{out: iscomposing.Composer{Idle: idleAfter}}
	if !tk.due().IsZero() {
		t.Error("nothing is due")
	}
	tk.in.Heard(at(0), iscomposing.Status{Active: true})
	if tk.due() != at(120) {
		t.Error(tk.due())
	}
	tk.out.Compose(at(0))
	if tk.due() != at(60) {
		t.Error(tk.due())
	}
	tk.in.Content()
	if tk.due() != at(60) {
		t.Error(tk.due())
	}
}

// A client that says that somebody is writing, and nothing more, is believed for three
// minutes.
func TestLostClient(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		h.chat("2001", "tea?")
		next(t, p)
		h.text(p, "sip:bob@x", "yes")
		h.says("<message type='chat' from='bob@x/home' to='2001@phones.x/sip'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
		for i, want := range []string{"active", "active", "active", "idle"} {
			if m := next(t, p); !strings.Contains(m.Body, "<state>"+want+"</state>") || !strings.HasPrefix(m.Header("From"), "<sip:bob@x;gr=home>") {
				t.Error(i, m.Raw)
			}
			time.Sleep(time.Minute)
		}
		silent(t, p)
		if len(h.talks.writing) != 0 {
			t.Error("it is still looked at")
		}
	})
}

// What is said of a device's writing ends with what it has written, and with what it
// said last.
func TestForgetfulPhone(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		write := func(state string) {
			h.phoneSays(p, "MESSAGE sip:bob@x\nContent-Type: application/im-iscomposing+xml\n--\n<isComposing><state>"+state+"</state></isComposing>")
			if m := next(t, p); m.Status != 200 {
				t.Error(m.Raw)
			}
		}
		write("active")
		h.wants() // there is nothing between them
		h.chat("2001", "tea?")
		next(t, p)
		h.taken()
		write("active")
		h.wants("<composing ", "type='chat'", "to='bob@x'")
		time.Sleep(iscomposing.Believed - time.Second)
		h.wants()
		time.Sleep(time.Second)
		h.wants("<active ")
		write("idle")
		h.wants()
		write("active")
		h.wants("<composing ")
		h.text(p, "sip:bob@x", "yes")
		h.wants("<body>yes</body>")
		time.Sleep(exchangeFor)
		h.wants()
		write("active")
		h.wants() // it is over
	})
}
