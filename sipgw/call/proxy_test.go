package call

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/sipgw/siptest"
)

// say has a phone send a message, and waits for all that comes of it.
func (h *house) say(name, text string) {
	h.t.Helper()
	m, err := siptest.Write(text)
	if err == nil {
		err = h.phones[name].Say(m)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
}

// answers has a phone answer the call that came last.
func (h *house) answers(name, text string) {
	h.t.Helper()
	m, err := siptest.Write(text)
	if err == nil {
		err = h.phones[name].Answer(m)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
}

// empty fails unless nobody is in a call.
func (h *house) empty() {
	h.t.Helper()
	synctest.Wait()
	t := h.proxy.calls
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.legs)+len(t.dialogs)+len(t.byID)+t.attempts+len(t.asked)+len(t.peers) != 0 {
		h.t.Errorf("%d devices, %d and %d dialogs, %d attempts and %d questions are left", len(t.legs), len(t.dialogs), len(t.byID), t.attempts, len(t.asked))
	}
}

// What a proxy refuses whoever sends it, before anybody has said who they are.
func TestNotPassable(t *testing.T) {
	play(t, func(h *house) { h.cfg.MaxBody = 10 }, func(h *house) {
		h.phone("2001", "2001", "192.0.2.10:5060", false)
		for fields, want := range map[string]string{
			"Max-Forwards: 0":                       "483",
			"Proxy-Require: a, b":                   "420",
			"Max-Breadth: 0":                        "440",
			"Max-Breadth: x":                        "440",
			"Call-ID: " + strings.Repeat("x", 1025): "400",
			"Subject: x\n--\nhello world":           "413",
		} {
			h.say("2001", "INVITE sip:2002@x\n"+fields)
			m := h.take("2001", want)
			if want == "420" && m.Header("Unsupported") != "a, b" {
				t.Errorf("%s", m.Raw)
			}
		}
		h.say("2001", "BYE sip:2002@x\nTo: <sip:2002@x>;tag=a\nMax-Forwards: 0")
		h.take("2001", "483")
		h.empty()
	})
}

// Who has not said who they are hears the same of whoever they call.
func TestNoEnumeration(t *testing.T) {
	secret := regexp.MustCompile(`nonce="[^"]*"|[a-z]+-2001-0-\d+|;tag=[a-z2-7]{13}|sip:\S+@(x|people)`)
	play(t, nil, func(h *house) {
		h.phone("2002", "2002", "192.0.2.11:5060", false)
		h.register("2002")
		p, err := siptest.NewPhone(&h.net, siptest.Options{
			User: "2001", Domain: "x", Manual: true,
			At: netip.MustParseAddrPort("192.0.2.10:5060"), Gateway: netip.MustParseAddrPort(gateway),
		})
		if err != nil {
			t.Fatal(err)
		}
		h.phones["2001"] = p
		var first string
		for _, to := range []string{"2002@x", "2003@x", "2999@x", "2011@x", "ada@people"} {
			h.say("2001", "INVITE sip:"+to+"\nCSeq: 1 INVITE")
			got := secret.ReplaceAllString(h.take("2001", "407").Raw, "_")
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("%s: %s\nand not %s", to, got, first)
			}
			h.say("2001", "MESSAGE sip:"+to)
			h.take("2001", "407")
		}
		if got := unread(h.phones["2002"]); got != "." {
			t.Error(got)
		}
		h.empty()
	})
}

// back sends a request that came to a PBX back to the gateway, for another address,
// as a proxy does; then what came back to that too.
func (h *house) back(m *siptest.Message, target string) {
	h.t.Helper()
	_, rest, _ := strings.Cut(m.Raw, "\r\n")
	text := "INVITE " + target + " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.200:5060;branch=z9hG4bKpbx1\r\n" +
		strings.Replace(rest, "Max-Forwards: 69", "Max-Forwards: 68", 1)
	if err := h.phones["pbx"].Raw(text); err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
}

// RFC 5393 §4: a request that comes back as it was is in a loop.
func TestLoop(t *testing.T) {
	play(t, nil, func(h *house) {
		h.phone("2001", "2001", "192.0.2.10:5060", false)
		h.phone("pbx", "pbx", "192.0.2.200:5060", false)
		h.register("2001")
		h.say("2001", "INVITE sip:2009@x")
		in := h.take("pbx", "INVITE")
		h.back(in, "sip:2009@x")
		h.take("pbx", "482")
		h.phones["pbx"].Take(in)
		h.say("pbx", "500")
		h.take("2001", "500")
		h.empty()
	})
}

// A call may come by here twice, to another address each time. It is one dialog.
func TestSpiral(t *testing.T) {
	play(t, nil, func(h *house) {
		h.phone("2001", "2001", "192.0.2.10:5060", false)
		h.phone("2003", "2003", "192.0.2.13:5060", false)
		h.phone("pbx", "pbx", "192.0.2.200:5060", false)
		h.register("2001")
		h.register("2003")
		h.say("2001", "INVITE sip:2009@x")
		h.back(h.take("pbx", "INVITE"), "sip:2003@x")
		if got := h.engaged("2003"); got != "trying <- 2001@x" {
			t.Error(got)
		}
		h.answers("2003", "200")
		for _, m := range h.phones["pbx"].Unread() {
			if m.Status != 200 {
				continue
			}
			// It goes back without the topmost Via.
			lines := strings.SplitN(m.Raw, "\r\n", 3)
			if !strings.Contains(lines[1], "192.0.2.200") {
				t.Fatal(m.Raw)
			}
			h.phones["pbx"].Raw(lines[0] + "\r\n" + lines[2])
		}
		synctest.Wait()
		h.take("2001", "200")
		if a, b := h.engaged("2001"), h.engaged("2003"); a != "confirmed -> 2003@x" || b != "confirmed <- 2001@x" {
			t.Errorf("%s; %s", a, b)
		}
		h.phones["2003"].HangUp()
		h.empty()
	})
}

func TestLimits(t *testing.T) {
	play(t, func(h *house) { h.cfg = Config{MaxCalls: 3, MaxPerDevice: 2, MaxForks: 2} }, func(h *house) {
		for i, name := range []string{"2001", "2002", "2003", "2004"} {
			h.phone(name, name, fmt.Sprintf("192.0.2.%d:5060", 10+i), false)
			h.register(name)
		}
		call := func(from, to, id string) { h.say(from, "INVITE sip:"+to+"@x\nCall-ID: "+id) }
		call("2001", "2002", "a")
		call("2001", "2002", "b")
		call("2001", "2003", "c")
		if m := h.take("2001", "403"); m.Reason != "Too Many Calls" {
			t.Error(m.Raw)
		}
		call("2003", "2002", "d")
		h.take("2003", "486")
		call("2003", "2004", "e")
		call("2003", "2004", "f")
		if m := h.take("2003", "503"); m.Header("Retry-After") == "" {
			t.Error(m.Raw)
		}
		h.answers("2004", "200")
		call("2003", "2004", "g")
		h.take("2003", "503")
		for _, name := range []string{"2001", "2001", "2003"} {
			h.phones[name].HangUp()
			synctest.Wait()
			time.Sleep(time.Minute)
		}
		time.Sleep(time.Minute)
		h.empty()
	})
	// Of what a PBX may have of them, whoever it calls.
	play(t, func(h *house) { h.cfg.MaxPerPeer = 2 }, func(h *house) {
		h.script("phones 2001, 2002, 2003\npbx\npbx > INVITE sip:2001@x\n  From: <sip:1@pbx>;tag=1\n2001 < INVITE\n2001 answers 200\npbx < 200\n" +
			"pbx > INVITE sip:2002@x\n  From: <sip:2@pbx>;tag=1\n2002 < INVITE\n" +
			"pbx > INVITE sip:2003@x\n  From: <sip:3@pbx>;tag=1\npbx < 503 Too Many Calls\n  Retry-After: \n2002 answers 486\npbx < 486\n" +
			"pbx > INVITE sip:2003@x\n  From: <sip:4@pbx>;tag=1\n2003 < INVITE\n2003 answers 200\npbx < 200\n" +
			"2003 hangs up\npbx < BYE\npbx > 200\n2001 hangs up\npbx < BYE\npbx > 200\n")
		h.empty()
	})
	// The most preferred places are those that ring.
	play(t, func(h *house) { h.cfg.MaxForks = 2 }, func(h *house) {
		h.script("phones 2001\nphone a of 2002 q=0.2\nphone b of 2002 q=0.5\nphone c of 2002 q=0.9\n2001 > INVITE sip:2002@x\nc < INVITE\n" +
			"c answers 486\nb < INVITE\nb answers 486\na < nothing\n2001 < 486\n")
	})
	// RFC 5393 §5.3: and no more than the request may have.
	play(t, nil, func(h *house) {
		h.script("phones 2001\nphone a of 2002\nphone b of 2002\n2001 > INVITE sip:2002@x\n  Max-Breadth: 1\nb < INVITE\n  Max-Breadth: 1\n" +
			"b answers 486\na < nothing\n2001 < 486\n2001 > INVITE sip:2002@x\n  Max-Breadth: 5\na < INVITE\n  Max-Breadth: 2\na answers 486\nb answers 603\n")
		h.empty()
	})
}

// Credentials for us stop here, those for others do not. Who somebody says that they
// are is found out, not believed.
func TestWhatIsNotPassedOn(t *testing.T) {
	play(t, nil, func(h *house) {
		h.script("phones 2001, 2002\n2001 > INVITE sip:2002@x\n  P-Asserted-Identity: <sip:ceo@x>\n  X-Other: stays\n")
		m := h.take("2002", "INVITE")
		if m.Header("Proxy-Authorization")+m.Header("P-Asserted-Identity") != "" || m.Header("X-Other") != "stays" {
			t.Errorf("%s", m.Raw)
		}
		const others = `Digest username="1", realm="pbx, inc; x", nonce="1"`
		r := request(t, "Proxy-Authorization: Digest username=\"2001\",realm=\"x\"\nProxy-Authorization: "+others+"\nProxy-Authorization: Basic x\n")
		if got := h.proxy.credentials(r); len(got) != 1 || got[0].Value != others {
			t.Errorf("%+v", got)
		}
	})
}

// RFC 3261 §16.7 step 7: with the challenges of all who ask who is calling, the
// caller can answer them all at once.
func TestGatheredChallenges(t *testing.T) {
	play(t, nil, func(h *house) {
		h.script("phone a of 2002\nphone b of 2002\npbx\npbx > INVITE sip:2002@x\n  From: <sip:1@pbx>;tag=1\na < INVITE\nb < INVITE\n" +
			"a answers 407\n  Proxy-Authenticate: Digest realm=\"a\"\nb answers 401\n  WWW-Authenticate: Digest realm=\"b\"\n")
		m := h.take("pbx", "407")
		if m.Header("Proxy-Authenticate") != `Digest realm="a"` || m.Header("WWW-Authenticate") != `Digest realm="b"` {
			t.Error(m.Raw)
		}
		h.empty()
	})
}

// ruling is a router that does what a test says.
type ruling func(*Call) ([]Target, error)

func (r ruling) Route(_ context.Context, c *Call) ([]Target, error) { return r(c) }

func TestRouterDecides(t *testing.T) {
	var got *Call
	var answer error
	set := func(h *house) {
		h.set = func(p *Parts) {
			plain := p.Router
			p.Router = ruling(func(c *Call) ([]Target, error) {
				if got = c; answer != nil {
					return nil, answer
				}
				return plain.Route(context.Background(), c)
			})
		}
	}
	play(t, set, func(h *house) {
		h.script("phones 2001, 2002\n")
		for _, c := range []struct {
			err  error
			want string
		}{{Refuse(486, "Do Not Disturb"), "486 Do Not Disturb"}, {errors.New("no database"), "500"}, {ErrNobody, "480"}, {nil, "200"}} {
			answer = c.err
			h.say("2001", "MESSAGE sip:2002@x")
			h.take("2001", c.want)
			if got.Method != "MESSAGE" || got.From != "sip:2001@x" || got.Caller.ID != "2001" || got.To.User != "2002" || len(got.Devices) != 1 {
				t.Errorf("%+v", got)
			}
		}
	})
}

// A phone behind a NAT is reached by the flow that it has registered by, in the call
// too.
func TestBehindNAT(t *testing.T) {
	play(t, nil, func(h *house) {
		h.net.Hide(netip.MustParseAddrPort("10.0.0.2:5060"), netip.MustParseAddrPort("192.0.2.99:61234"))
		h.phone("2002", "2002", "10.0.0.2:5060", false)
		h.register("2002")
		h.script("phones 2001\n2001 > INVITE sip:2002@x\n2002 < INVITE\n2002 answers 200\n2001 < 200\n2001 > INFO\n2002 < INFO\n2001 < 200\n" +
			"2002 > INFO\n2001 < INFO\n2002 < 200\nafter 121s\n2001: confirmed -> 2002@x\nafter 5m\n2001: confirmed -> 2002@x\n2001 hangs up\n2002 < BYE\n")
		h.empty()
	})
}

// RFC 3327: who has registered by way of a proxy is called by way of it, and asked for
// calls too.
func TestByPath(t *testing.T) {
	play(t, nil, func(h *house) {
		h.phone("edge", "edge", "192.0.2.200:5060", false)
		h.phone("2002", "2002", "192.0.2.11:5060", false)
		h.register("2002", siptest.Field{Name: "Path", Value: "<sip:192.0.2.200:5060;lr>"})
		h.script("phones 2001\n2001 > INVITE sip:2002@x\n")
		in := h.take("edge", "INVITE")
		if in.Header("Route") != "<sip:192.0.2.200:5060;lr>" || in.URI != "sip:2002@192.0.2.11:5060" {
			t.Fatal(in.Raw)
		}
		routes := in.Values("Record-Route")
		h.say("edge", "200\nContact: <sip:2002@192.0.2.11:5060>\nRecord-Route: <sip:192.0.2.200:5060;lr>, "+strings.Join(routes, ", "))
		h.take("2001", "200")
		if got := h.engaged("2001"); got != "confirmed -> 2002@x" {
			t.Error(got)
		}
		h.take("edge", "ACK")
		time.Sleep(121 * time.Second)
		asked := h.take("edge", "OPTIONS")
		if asked.Header("Route") != "<sip:192.0.2.200:5060;lr>" || asked.URI != "sip:2002@192.0.2.11:5060" || asked.Header("To") == "" {
			t.Error(asked.Raw)
		}
		h.say("edge", "200")
		h.phones["2001"].HangUp()
		synctest.Wait()
		if bye := h.take("edge", "BYE"); bye.Header("Route") != "<sip:192.0.2.200:5060;lr>" {
			t.Error(bye.Raw)
		}
		h.empty()
	})
}

// A 2xx that is sent again when the call is over brings nothing back.
func TestLateRepetition(t *testing.T) {
	play(t, nil, func(h *house) {
		h.script("phones 2001, 2002\n2001 > INVITE sip:2002@x\n2002 < INVITE\n2002 answers 200\n  X: 1\n2001 hangs up\n2002 < BYE\n")
		h.answersAgain("2002")
		h.empty()
	})
}

// answersAgain sends the last 200 to an INVITE again, with a header more, for a phone
// overlooks what is the same.
func (h *house) answersAgain(name string) {
	h.t.Helper()
	log := h.log.String()
	i := strings.LastIndex(log, name+" > SIP/2.0 200")
	for ; i >= 0; i = strings.LastIndex(log[:i], name+" > SIP/2.0 200") {
		text := log[i+len(name)+3:]
		text = text[:strings.Index(text, "\r\n\r\n")+4]
		if strings.Contains(text, " INVITE\r\n") {
			h.phones[name].Raw(text)
			synctest.Wait()
			return
		}
	}
	h.t.Fatal("nothing was answered")
}

// Whatever phones do to each other, in the end nobody is in a call, and everybody has
// been told so.
func TestNothingSticks(t *testing.T) {
	for seed := range uint64(6) {
		play(t, func(h *house) { h.cfg.RingFor = 10 * time.Second }, func(h *house) {
			names := []string{"2001", "2002", "2003", "2004", "2005"}
			for i, name := range names {
				h.phone(name, name, fmt.Sprintf("192.0.2.%d:5060", 10+i), false)
				h.register(name)
			}
			r := rand.New(rand.NewPCG(seed, 1))
			pick := func() *siptest.Phone { return h.phones[names[r.IntN(len(names))]] }
			for n := range 300 {
				p := pick()
				switch r.IntN(10) {
				case 0, 1, 2:
					p.Say(&siptest.Message{Method: "INVITE", URI: "sip:" + []string{pick().Name() + "@x", "ada@people", "11@x"}[r.IntN(3)]})
				case 3:
					p.Answer(&siptest.Message{Status: 180, Reason: fmt.Sprint("Ringing ", n)})
				case 4, 5:
					p.Answer(&siptest.Message{Status: []int{200, 200, 486, 603, 302, 503}[r.IntN(6)], Reason: "Whatever"})
				case 6, 7:
					p.HangUp()
				case 8:
					time.Sleep(time.Duration(r.IntN(20)) * time.Second)
				case 9:
					if r.IntN(4) == 0 {
						p.Reboot()
						p.Say(&siptest.Message{Method: "REGISTER", URI: "sip:x"})
					}
				}
				if r.IntN(2) == 0 {
					synctest.Wait()
				}
				p.Forget()
			}
			for _, p := range h.phones {
				p.Close()
			}
			time.Sleep(15 * time.Minute)
			h.empty()
			for _, name := range names {
				if got := h.engaged(name); got != "" {
					t.Errorf("seed %d: %s was told last: %s", seed, name, got)
				}
			}
			if n := len(h.store.copy()); n != 0 {
				t.Errorf("seed %d: %d calls are stored", seed, n)
			}
		})
	}
}
