package message

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/sipgw/siptest"
	"rollcall/xmpp/stanza"
)

var manual = siptest.Options{Manual: true}

// RFC 7247 §7.2, Table 3, as far as MESSAGE gets such answers.
func TestRefusals(t *testing.T) {
	for status, want := range map[string]string{
		"300 Many":                   "<redirect ",
		"301 Moved":                  "<gone ",
		"302 Moved":                  "<redirect ",
		"380 Other Service":          "<not-acceptable ",
		"400 Bad Something":          "<bad-request ",
		"401 Who":                    "<not-authorized ",
		"402 Pay":                    "<bad-request ",
		"403 Not You":                "<forbidden ",
		"404 None":                   "<item-not-found ",
		"406 No":                     "<not-acceptable ",
		"407 Who":                    "<registration-required ",
		"408 Late":                   "<remote-server-timeout ",
		"410 Gone":                   "<gone ",
		"413 Too Large":              "<policy-violation ",
		"416 Scheme":                 "<not-acceptable ",
		"420 Ext":                    "<feature-not-implemented ",
		"480 Out To Lunch":           "<recipient-unavailable ",
		"481 None":                   "<item-not-found ",
		"482 Loop":                   "<not-acceptable ",
		"486 Busy":                   "<recipient-unavailable ",
		"488 No":                     "<not-acceptable ",
		"491 Pending":                "<unexpected-request ",
		"493 Cipher":                 "<bad-request ",
		"499 Odd":                    "<bad-request ",
		"500 Oops":                   "<internal-server-error ",
		"502 Gate":                   "<remote-server-not-found ",
		"503 Busy":                   "<internal-server-error ",
		"504 Late":                   "<remote-server-timeout ",
		"513 Large":                  "<policy-violation ",
		"600 Busy":                   "<recipient-unavailable ",
		"603 Do Not Disturb Me, Bob": "<recipient-unavailable ",
		"604 None":                   "<item-not-found ",
		"606 No":                     "<not-acceptable ",
	} {
		play(t, nil, func(h *house) {
			p := h.phone("2001", "10.0.0.1:5060", manual)
			if err := h.chat("2001", "tea?"); err != nil {
				t.Fatal(err)
			}
			next(t, p)
			h.phoneSays(p, status)
			_, reason, _ := strings.Cut(status, " ")
			h.wants("<message from='2001@phones.x' to='bob@x/home' type='error' id='1'>", want, ">"+reason+"</text>")
		})
	}
}

// Success is a receipt, but only that it was delivered, and only for who asked.
func TestReceipts(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", manual)
		for _, tt := range []struct{ say, answer, want string }{
			{"<message type='chat' id='7' from='bob@x/home' to='2001@phones.x'><body>a</body><request xmlns='urn:xmpp:receipts'/></message>", "200 OK", "type='chat'"},
			{"<message id='8' from='bob@x/home' to='2001@phones.x/sip'><body>a</body><request xmlns='urn:xmpp:receipts'/></message>", "200 OK", "<received xmlns='urn:xmpp:receipts' id='8'/>"},
			{"<message type='chat' id='7' from='bob@x/home' to='2001@phones.x'><body>a</body><request xmlns='urn:xmpp:receipts'/></message>", "202 Accepted", ""},
			{"<message type='chat' from='bob@x/home' to='2001@phones.x'><body>a</body><request xmlns='urn:xmpp:receipts'/></message>", "200 OK", ""},
			{"<message type='headline' id='9' from='bob@x/home' to='2001@phones.x'><body>a</body></message>", "200 OK", ""},
		} {
			if err := h.says(tt.say); err != nil {
				t.Fatal(err)
			}
			next(t, p)
			h.phoneSays(p, tt.answer)
			if tt.want == "" {
				h.wants()
			} else {
				h.wants("<message from='2001@phones.x/sip' to='bob@x/home'", tt.want, "<received ")
			}
		}
	})
}

// What a device cannot read it is not sent again, until it is another program or a day
// has passed.
func TestDeaf(t *testing.T) {
	for _, status := range []string{"405 Method Not Allowed", "415 Unsupported", "501 Not Implemented"} {
		play(t, nil, func(h *house) {
			p := h.phone("2001", "10.0.0.1:5060", manual)
			if err := h.chat("2001", "tea?"); err != nil {
				t.Fatal(err)
			}
			next(t, p)
			h.phoneSays(p, status)
			h.wants("type='error'", "<feature-not-implemented ", "This device cannot receive text")
			if err := h.chat("2001", "tea?"); !errors.Is(err, stanza.ErrNotImplemented) {
				t.Error(err)
			}
			silent(t, p)
			h.phoneSays(p, "REGISTER sip:phones.x\nUser-Agent: another/2.0")
			next(t, p)
			if err := h.chat("2001", "tea?"); err != nil {
				t.Error(err)
			}
			next(t, p)
			h.phoneSays(p, status)
			h.taken()
			time.Sleep(deafFor)
			if err := h.chat("2001", "tea?"); err != nil {
				t.Error(err)
			}
			next(t, p)
			h.phoneSays(p, "200 OK")
			h.wants("<received ")
		})
	}
}

// A device that does not know who is writing may know text.
func TestHalfDeaf(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", manual)
		write := func(state string) {
			t.Helper()
			if err := h.says("<message type='chat' from='bob@x/home' to='2001@phones.x/sip'><" + state + " xmlns='http://jabber.org/protocol/chatstates'/></message>"); err != nil {
				t.Error(err)
			}
		}
		answer := func(status string) *siptest.Message {
			t.Helper()
			m := next(t, p)
			h.phoneSays(p, status)
			return m
		}
		h.chat("2001", "tea?")
		answer("200 OK")
		h.text(p, "sip:bob@x", "yes")
		if got := h.taken(); !strings.Contains(got, "<active xmlns='http://jabber.org/protocol/chatstates'/>") {
			t.Error("it is not said that it knows who is writing:", got)
		}
		write("composing")
		if m := answer("415 Unsupported"); !strings.Contains(m.Body, "<state>active</state>") {
			t.Error(m.Raw)
		}
		h.wants() // nobody hears of that
		write("paused")
		write("composing")
		silent(t, p)
		h.text(p, "sip:bob@x", "well?")
		if got := h.taken(); strings.Contains(got, "<active ") {
			t.Error(got)
		}
		h.chat("2001", "with milk?")
		answer("200 OK")
		h.wants("<received ")

		// It does know, after all.
		h.phoneSays(p, "MESSAGE sip:bob@x\nContent-Type: application/im-iscomposing+xml\n--\n<isComposing><state>active</state></isComposing>")
		next(t, p)
		h.wants("<composing ", "<no-store ")
		write("composing")
		answer("200 OK")
	})
}

// The best of several answers counts (RFC 3261 §16.7).
func TestFork(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"200 OK", "480 Away", "<received "},
		{"480 Away", "200 OK", "<received "},
		{"404 None", "480 Away", "<item-not-found "},
		{"480 Away", "603 No", "<recipient-unavailable "},
		{"486 Busy", "415 No Text", "cannot receive text"},
		{"500 Oops", "404 None", "<item-not-found "},
	} {
		play(t, nil, func(h *house) {
			a, b := h.phone("2001", "10.0.0.1:5060", manual), h.phone("2001", "10.0.0.2:5060", manual)
			if err := h.chat("2001", "tea?"); err != nil {
				t.Fatal(err)
			}
			x, y := next(t, a), next(t, b)
			if x.Header("Call-ID") != y.Header("Call-ID") || x.Header("CSeq") != y.Header("CSeq") || x.URI == y.URI {
				t.Error("these are not two copies of one:", x.Raw, y.Raw)
			}
			h.phoneSays(a, tt.a)
			h.phoneSays(b, tt.b)
			h.wants(tt.want)
		})
	}
}

func TestBetter(t *testing.T) {
	order := []int{200, 202, 603, 300, 415, 404, 480, 500, 0}
	for i, a := range order {
		for j, b := range order {
			if (i < j) != better(a, b) {
				t.Error(a, b)
			}
		}
	}
}

// One message after another, in order, whoever they are from (RFC 3428 §8).
func TestQueue(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", manual)
		for i := range maxWaiting + 1 {
			if err := h.chat("2001", fmt.Sprint("text ", i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.chat("2001", "one more"); !errors.Is(err, stanza.ErrResourceConstraint) {
			t.Error(err)
		}
		for i := range maxWaiting + 1 {
			if m := next(t, p); m.Body != fmt.Sprint("text ", i) {
				t.Error(m.Raw)
			}
			silent(t, p)
			h.phoneSays(p, "200 OK")
		}
		silent(t, p)
		if got := h.taken(); strings.Count(got, "<received ") != maxWaiting+1 {
			t.Error(got)
		}
		if len(h.queues) != 0 {
			t.Error("a queue is left")
		}
	})
}

// Who is writing is past when there is something to read.
func TestSuperseded(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", manual)
		h.chat("2001", "tea?")
		next(t, p)
		h.phoneSays(p, "200 OK")
		h.text(p, "sip:bob@x", "yes")
		h.chat("2001", "with milk?") // which is not answered yet
		next(t, p)
		for _, state := range []string{"composing", "paused", "composing"} {
			h.says("<message type='chat' from='bob@x/home' to='2001@phones.x/sip'><" + state + " xmlns='http://jabber.org/protocol/chatstates'/></message>")
		}
		h.chat("2001", "or lemon?")
		h.phoneSays(p, "200 OK")
		if m := next(t, p); m.Body != "or lemon?" {
			t.Error(m.Raw)
		}
		h.phoneSays(p, "200 OK")
		silent(t, p)
	})
}

// A place that does not answer holds nobody up but itself.
func TestSilentPlace(t *testing.T) {
	play(t, nil, func(h *house) {
		a, b := h.phone("2001", "10.0.0.1:5060", manual), h.phone("2001", "10.0.0.2:5060", manual)
		h.chat("2001", "one")
		next(t, a)
		next(t, b)
		h.phoneSays(a, "200 OK")
		h.wants("<received ")
		h.chat("2001", "two")
		next(t, a)
		h.phoneSays(a, "200 OK")
		h.wants("<received ")
		silent(t, b)
		time.Sleep(time.Minute)
		silent(t, b) // it has heard "one" again, byte for byte, and nothing else
		h.chat("2001", "three")
		if m := next(t, b); m.Body != "three" {
			t.Error(m.Raw)
		}
	})
}

// Nobody answers: all that waits is lost with it, and at once.
func TestTimeout(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", manual)
		h.chat("2001", "one")
		h.chat("2001", "two")
		next(t, p)
		time.Sleep(33 * time.Second)
		got := h.taken()
		if strings.Count(got, "<remote-server-timeout ") != 2 || !strings.Contains(got, "This device does not answer") {
			t.Error(got)
		}
		silent(t, p)
		if err := h.chat("2001", "three"); err != nil {
			t.Error(err)
		}
		if m := next(t, p); m.Body != "three" {
			t.Error(m.Raw)
		}
	})
}

// A connection that is gone is nowhere, and so is a device that is not registered, or
// is disabled.
func TestAway(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:40000", siptest.Options{TCP: true})
		p.Close()
		synctest.Wait()
		h.chat("2001", "tea?")
		h.wants("<recipient-unavailable ", "cannot be reached now")
		for _, who := range []string{"lab", "old"} {
			if err := h.chat(who, "tea?"); err == nil || !strings.HasPrefix(err.Error(), "recipient-unavailable") {
				t.Error(who, err)
			}
		}
		if err := h.chat("nobody", "tea?"); !errors.Is(err, stanza.ErrServiceUnavailable) {
			t.Error(err)
		}
		if err := h.says("<message from='2001@phones.x/sip' to='lab@phones.x'><body>tea?</body></message>"); !errors.Is(err, stanza.ErrNotAllowed) {
			t.Error(err)
		}
		h.wants()
	})
}

// RFC 7572 §6, RFC 3428 §8.
func TestSize(t *testing.T) {
	play(t, nil, func(h *house) {
		udp := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		h.phone("2002", "10.0.0.2:40000", siptest.Options{TCP: true})
		err := h.chat("2001", strings.Repeat("x", MaxRequest))
		if !errors.Is(err, stanza.ErrPolicyViolation) {
			t.Fatal(err)
		}
		var most, is int
		if _, err := fmt.Sscanf(err.Error(), "policy-violation: This device takes %d bytes of text at most, and this has %d", &most, &is); err != nil || is != MaxRequest || most < 700 {
			t.Error(err, most, is)
		}
		if err := h.chat("2001", strings.Repeat("x", most+1)); !errors.Is(err, stanza.ErrPolicyViolation) {
			t.Error(err)
		}
		if err := h.chat("2001", strings.Repeat("ü", most/2)); err != nil {
			t.Error(err)
		}
		if m := next(t, udp); len(m.Raw) > MaxRequest || len(m.Raw) < MaxRequest-unknown {
			t.Error("the request has", len(m.Raw))
		}
		// Where nothing big is lost the text counts alone.
		if err := h.chat("desk-bob", strings.Repeat("x", MaxRequest)); err != nil {
			t.Error(err)
		}
		if err := h.chat("desk-bob", strings.Repeat("x", MaxRequest+1)); !errors.Is(err, stanza.ErrPolicyViolation) {
			t.Error(err)
		}
	})
}

// RFC 7572 §4, Table 1; the conversations have more of it.
func TestRequest(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		pbx := h.phone("2004", "192.0.2.50:5060", siptest.Options{})
		for _, tt := range []struct{ body, header, want string }{
			{"<body>tea?</body><thread>a b</thread>", "Call-ID", callID("a b")},
			{"<body>tea?</body><thread>1@2@3</thread>", "Call-ID", callID("1@2@3")},
			{"<body>tea?</body><thread>one@two</thread>", "Call-ID", "one@two"},
			{"<body>tea?</body><subject>one\ntwo </subject>", "Subject", "one two"},
			{"<body xml:lang='de'>Tee?</body><body xml:lang='fr'>thé?</body>", "Content-Language", "de"},
			{"<body xml:lang='x y'>Tee?</body>", "Content-Language", ""},
			{"<body>tea?</body>", "Content-Language", ""},
			{"<body>tea?</body>", "From", ""},
		} {
			if err := h.says("<message from='dom\\27s@x/a \"b' to='2001@phones.x'>" + tt.body + "</message>"); err != nil {
				t.Fatal(err)
			}
			m := next(t, p)
			if tt.header == "From" {
				if got := m.Header("From"); !strings.HasPrefix(got, "<sip:dom's@x;gr=a%20%22b>;tag=") {
					t.Error(got)
				}
			} else if got := m.Header(tt.header); got != tt.want {
				t.Errorf("%s: %s %q, want %q", tt.body, tt.header, got, tt.want)
			}
		}
		if err := h.says("<message from='bob@x/home' to='far@phones.x'><body>tea?</body></message>"); err != nil {
			t.Fatal(err)
		}
		if m := next(t, pbx); m.URI != "sip:700@192.0.2.50" || m.Header("To") != "<sip:700@192.0.2.50>" {
			t.Error(m.Raw)
		}
	})
}

func TestPick(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		for say, want := range map[string]string{
			"<message xml:lang='fr' from='bob@x/home' to='2001@phones.x'><body xml:lang='de'>Tee?</body><body>thé?</body></message>": "thé?",
			"<message xml:lang='en' from='bob@x/home' to='2001@phones.x'><body xml:lang='de'>Tee?</body></message>":                  "Tee?",
		} {
			if err := h.says(say); err != nil {
				t.Fatal(err)
			}
			if m := next(t, p); m.Body != want {
				t.Errorf("%s: %s", say, m.Raw)
			}
		}
	})
}
