package message

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/sipgw/address"
	"rollcall/sipgw/siptest"
	"rollcall/xmpp/stanza"
)

// fault is an error as the server sends it.
func fault(condition, inside, text string) string {
	return "<error type='cancel'><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>" + inside + "</" + condition + ">" +
		"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>" + text + "</text></error>"
}

// RFC 7247 §7.1, Table 2. Whoever cannot be asked who they are is not asked.
func TestErrors(t *testing.T) {
	for condition, want := range map[string]int{
		"bad-request": 400, "conflict": 400, "feature-not-implemented": 501, "forbidden": 603, "gone": 410,
		"internal-server-error": 500, "item-not-found": 604, "jid-malformed": 400, "not-acceptable": 606, "not-allowed": 403,
		"not-authorized": 403, "policy-violation": 403, "recipient-unavailable": 600, "redirect": 302, "registration-required": 403,
		"remote-server-not-found": 404, "remote-server-timeout": 408, "resource-constraint": 500, "service-unavailable": 403,
		"subscription-required": 400, "undefined-condition": 400, "unexpected-request": 491, "never-heard-of": 400,
	} {
		play(t, nil, func(h *house) {
			p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
			h.answer = func(string) string { return fault(condition, "", "No\ntea") }
			m := h.text(p, "sip:bob@x", "tea?")
			if m.Status != want || m.Reason != "No tea" || m.Header("Authentication-Info") == "" {
				t.Errorf("%s: %s", condition, m.Raw)
			}
			if len(h.pending) != 0 {
				t.Error("it is still waited for")
			}
		})
	}
}

// Whoever has moved can be told where to; of one client it is another table.
func TestMoved(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		h.answer = func(string) string { return fault("gone", "xmpp:rob@y", "") }
		if m := h.text(p, "sip:bob@x", "tea?"); m.Status != 301 || m.Header("Contact") != "<sip:rob@y>" {
			t.Error(m.Raw)
		}
		h.answer = nil
		h.says("<message type='chat' from='bob@x/home' to='2001@phones.x'><body>tea?</body></message>")
		next(t, p)
		h.answer = func(string) string { return fault("item-not-found", "", "") }
		if m := h.text(p, "sip:bob@x;gr=home", "tea?"); m.Status != 404 {
			t.Error(m.Raw)
		}
		if got := h.taken(); !strings.Contains(got, "to='bob@x/home' type='chat'") {
			t.Error(got)
		}
		h.answer, h.fails = nil, stanza.ErrRemoteTimeout
		if m := h.text(p, "sip:bob@x", "tea?"); m.Status != 408 {
			t.Error(m.Raw)
		}
		h.fails = errors.New("the roof has fallen in")
		if m := h.text(p, "sip:bob@x", "tea?"); m.Status != 500 || strings.Contains(m.Raw, "roof") {
			t.Error(m.Raw)
		}
	})
}

// Errors that come later are waited for, for a while. Those of somebody else, or of
// nothing that was sent, are none.
func TestPatience(t *testing.T) {
	play(t, func(p *Parts) { p.Patience = 2 * time.Second }, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		send := func() (id string) {
			h.phoneSays(p, "MESSAGE sip:bob@x\nContent-Type: text/plain\n--\ntea?")
			_, id, _ = strings.Cut(h.taken(), " id='")
			id, _, _ = strings.Cut(id, "'")
			silent(t, p)
			return id
		}
		id := send()
		if !strings.HasPrefix(id, "z9hG4bK") {
			t.Error("the id is not that of the transaction:", id)
		}
		late := func(from, id string) {
			h.says("<message type='error' from='" + from + "' to='2001@phones.x/sip' id='" + id + "'>" + fault("not-acceptable", "", "") + "</message>")
		}
		late("eve@x", id)
		late("bob@x", "other")
		silent(t, p)
		late("bob@x/home", id)
		if m := next(t, p); m.Status != 406 {
			t.Error(m.Raw)
		}
		late("bob@x", id)
		silent(t, p)
		send()
		time.Sleep(1900 * time.Millisecond)
		silent(t, p)
		time.Sleep(100 * time.Millisecond)
		if m := next(t, p); m.Status != 200 {
			t.Error(m.Raw)
		}
	})
}

// What is answered 200 is stored.
func TestStored(t *testing.T) {
	var stored []func(bool)
	play(t, func(p *Parts) { p.Stored = func(f func(bool)) { stored = append(stored, f) } }, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		h.phoneSays(p, "MESSAGE sip:bob@x\nContent-Type: text/plain\n--\ntea?")
		h.wants("tea?")
		silent(t, p)
		stored[0](true)
		if m := next(t, p); m.Status != 200 {
			t.Error(m.Raw)
		}
		h.phoneSays(p, "MESSAGE sip:bob@x\nContent-Type: text/plain\n--\ntea?")
		stored[1](false)
		if m := next(t, p); m.Status != 500 {
			t.Error(m.Raw)
		}
		h.answer = func(string) string { return fault("policy-violation", "", "") }
		if m := h.text(p, "sip:bob@x", "tea?"); m.Status != 403 {
			t.Error(m.Raw)
		}
		stored[2](true)
		silent(t, p)
	})
}

// Whom a request is for.
func TestRecipients(t *testing.T) {
	for target, want := range map[string]string{
		"sip:bob@x":             "bob@x",
		"sip:bob@X:5060":        "bob@x",
		"sip:bob@x;gr=home":     "bob@x",
		"sip:bob@phones.x":      "bob@x",
		"sip:bob@192.0.2.1":     "bob@x",
		"sip:dom%27s%40home@x":  `dom\27s\40home@x`,
		"sip:3000@x":            "bob@x", // his number
		"sip:3000@phones.x":     "bob@x",
		"tel:3000":              "bob@x",
		"tel:+49-30-123":        "bob@x",
		"sip:+4930123@x":        "bob@x",
		"sip:2001@x":            "", // a device
		"sip:desk-bob@phones.x": "",
		"sip:2002@192.0.2.1":    "",
		"sip:3001@x":            "", // the number of one that is shared
		"sip:3002@x":            "", // … and of one that is nobody's
		"tel:+4930999":          "", // … and of none
		"sips:bob@x":            "",
		"sip:bob@elsewhere.y":   "",
		"sip:x":                 "",
	} {
		play(t, nil, func(h *house) {
			p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
			m := h.text(p, target, "tea?")
			got := h.taken()
			if want == "" {
				if m.Status != 299 || got != "" || len(h.passed) != 1 {
					t.Errorf("%s: %d %s", target, m.Status, got)
				}
				return
			}
			if m.Status != 200 || !strings.Contains(got, " to='"+stanza.Escape(want)+"'") {
				t.Errorf("%s: %d %s", target, m.Status, got)
			}
		})
	}
}

// Without anybody else to take it a request for nobody is answered; within a dialog it
// belongs to a call.
func TestNobody(t *testing.T) {
	play(t, func(p *Parts) { p.Elsewhere = nil }, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		if m := h.text(p, "sip:lab@x", "tea?"); m.Status != 404 {
			t.Error(m.Raw)
		}
		h.phoneSays(p, "MESSAGE sip:bob@x\nTo: <sip:bob@x>;tag=1\nContent-Type: text/plain\n--\ntea?")
		if m := next(t, p); m.Status != 404 {
			t.Error(m.Raw)
		}
	})
	play(t, func(p *Parts) { p.Home = "" }, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		if m := h.text(p, "sip:bob@192.0.2.1", "tea?"); m.Status != 299 {
			t.Error(m.Raw)
		}
	})
	play(t, func(p *Parts) {
		p.Addresses = &address.Mapper{Secure: true, Numbers: address.Plan{Domain: "phones.x", Country: "49", Trunk: "0"}}
	}, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{})
		for _, target := range []string{"sips:bob@x", "tel:030123", "sip:030123@x"} {
			if m := h.text(p, target, "tea?"); m.Status != 200 || !strings.Contains(h.taken(), " to='bob@x'") {
				t.Error(target, m.Raw)
			}
		}
	})
}

// Who may: a device that proves it is one, and not too often.
func TestWho(t *testing.T) {
	play(t, func(p *Parts) { p.Config = Config{Rate: 1, Burst: 3} }, func(h *house) {
		p, old := h.phone("2001", "10.0.0.1:5060", siptest.Options{}), h.phone("2006", "10.0.0.6:5060", siptest.Options{})
		h.stranger = true
		if m := h.text(p, "sip:bob@x", "tea?"); m.Status != 401 {
			t.Error(m.Raw)
		}
		h.stranger = false
		if m := h.text(old, "sip:bob@x", "tea?"); m.Status != 403 {
			t.Error(m.Raw)
		}
		h.phoneSays(p, "MESSAGE sip:bob@x\nFrom: <sip:mallory@x>;tag=1\nContent-Type: text/plain\n--\ntea?")
		if m := next(t, p); m.Status != 403 {
			t.Error(m.Raw)
		}
		h.wants()
		for i := range 3 {
			if m := h.text(p, "sip:bob@x", "tea?"); m.Status != 200 {
				t.Error(i, m.Raw)
			}
		}
		if m := h.text(p, "sip:bob@x", "tea?"); m.Status != 480 || m.Header("Retry-After") != "1" && m.Header("Retry-After") != "2" {
			t.Error(m.Raw)
		}
		time.Sleep(time.Second)
		if m := h.text(p, "sip:bob@x", "tea?"); m.Status != 200 {
			t.Error(m.Raw)
		}
	})
}

// What a body may be; more of it is in TestReadBody.
func TestBodies(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", siptest.Options{TCP: true})
		for _, tt := range []struct {
			headers, body string
			status        int
			want          string
		}{
			{"Content-Type: text/plain\nSubject: Pause & more\nContent-Language: de, en", "Tee?\nKaffee?", 200, "xml:lang='de'><subject>Pause &amp; more</subject><body>Tee?&#xA;Kaffee?</body>"},
			{"Content-Type: text/plain", " \n", 200, ""},
			{"Content-Type: text/plain", "", 200, ""},
			{"Content-Type: text/plain\nContent-Language: not a language", "tea?", 200, "id='z9"},
			{"Content-Type: text/plain\nContent-Encoding: identity", "tea?", 200, "tea?"},
			{"Content-Type: text/plain\nContent-Encoding: gzip", "tea?", 415, ""},
			{"Content-Type: text/plain\nRequire: tea", "tea?", 420, ""},
			{"Content-Type: message/cpim", "Subject: Pause\n\nContent-Type: text/plain\n\ntea?", 200, "<subject>Pause</subject><body>tea?</body>"},
			{"Content-Type: image/png", "x", 415, ""},
			{"Content-Type: text/plain\nCall-ID: " + strings.Repeat("c", 300), "tea?", 200, "<thread>" + callID(strings.Repeat("c", 300)) + "</thread>"},
			{"Content-Type: text/plain", strings.Repeat("x", MaxText+1), 413, ""},
			{"Content-Type: application/im-iscomposing+xml", "<no/>", 400, ""},
		} {
			h.phoneSays(p, "MESSAGE sip:bob@x\n"+tt.headers+"\n--\n"+tt.body)
			m := next(t, p)
			if got := h.taken(); m.Status != tt.status || tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("%s: %s\n%s", tt.headers, m.Raw, got)
			}
			if tt.status == 415 && m.Header("Accept")+m.Header("Accept-Encoding") == "" {
				t.Error("what would be right is not said:", m.Raw)
			}
			time.Sleep(time.Second)
		}
	})
}

// What is sent again is answered again, and not delivered again (RFC 3261 §17.2.2,
// §8.2.2.2).
func TestOnce(t *testing.T) {
	play(t, nil, func(h *house) {
		p := h.phone("2001", "10.0.0.1:5060", manual)
		text := func(branch string) string {
			return fmt.Sprintf("MESSAGE sip:bob@x SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n"+
				"From: <sip:2001@x>;tag=1\r\nTo: <sip:bob@x>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ntea?", branch)
		}
		var status []int
		for _, branch := range []string{"a", "a", "b"} {
			p.Raw(text(branch))
			synctest.Wait()
			for _, m := range p.Unread() {
				status = append(status, m.Status)
				p.Take(m)
			}
		}
		if want := []int{200, 482}; !slices.Equal(status, want) { // the phone reads no answer twice
			t.Error(status)
		}
		if got := h.taken(); strings.Count(got, "<body>") != 1 {
			t.Error(got)
		}
	})
}
