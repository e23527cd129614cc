package watcher

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/siptest"
)

// phones are so many devices at a PBX.
func phones(n int) (all []device.Device) {
	for i := range n {
		id := fmt.Sprint(2000 + i)
		all = append(all, device.Device{ID: id, User: id, Upstream: "hq"})
	}
	return all
}

// serve has the PBX do what is right for so long. It returns how many requests came.
func (p *pbx) serve(most time.Duration, answer func(*siptest.Message) string) (asked int) {
	p.b.Helper()
	for range most / (50 * time.Millisecond) {
		p.b.after(50 * time.Millisecond)
		for _, m := range p.take() {
			if m.Method != "SUBSCRIBE" {
				continue
			}
			asked++
			p.Take(m)
			a := answer(m)
			p.say(a)
			if strings.HasPrefix(a, "200") {
				p.say(fmt.Sprintf("NOTIFY\nCall-ID: %s\nEvent: dialog\nSubscription-State: active;expires=600\nContent-Type: %s\n--\n%s", m.Header("Call-ID"), accepts[Dialog], p.calls(m)))
			}
		}
	}
	return asked
}

func yes(*siptest.Message) string { return "200\nExpires: 600" }

// everybody returns how many devices stand so.
func (b *bed) everybody(want Standing) (n int) {
	b.after(50 * time.Millisecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, all := range b.learned {
		if all[len(all)-1].Words[Dialog].Standing == want {
			n++
		}
	}
	return n
}

// Many subscriptions leave one after another, and each device is told when it has had
// its answer. Then it is said that all have.
func TestStaggered(t *testing.T) {
	const n = 300
	play(t, Config{Upstreams: []Upstream{hq()}, Rate: 50}, phones(n), func(b *bed) {
		p := b.pbx()
		if asked := p.serve(3*time.Second, yes); asked < 140 || asked > 160 {
			t.Errorf("%d requests in 3 seconds, want 150", asked)
		}
		if b.synced != 0 {
			t.Error("synced too early")
		}
		p.serve(4*time.Second, yes)
		if told := b.everybody(Told); told != n {
			t.Errorf("%d are told", told)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.synced < 6*time.Second || b.synced > 7*time.Second {
			t.Errorf("synced after %v", b.synced)
		}
	})
}

// Who has not answered within 25 seconds is waited for no longer.
func TestSyncedWithoutAnswer(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, phones(3), func(b *bed) {
		b.after(24 * time.Second)
		if b.synced != 0 {
			t.Error("synced too early")
		}
		b.stands("2000", Dialog, Asked)
		b.after(2 * time.Second)
		b.stands("2000", Dialog, Lost)
		if b.synced < 25*time.Second || b.synced > 26*time.Second {
			t.Errorf("synced after %v", b.synced)
		}
	})
}

// A PBX that does not answer is asked by one only, and is not flooded when it is back;
// then all are told again before long.
func TestSilence(t *testing.T) {
	const n = 200
	play(t, Config{Upstreams: []Upstream{hq()}}, phones(n), func(b *bed) {
		p := b.pbx()
		p.serve(5*time.Second, yes)
		if told := b.everybody(Told); told != n {
			t.Fatalf("%d are told", told)
		}
		b.net.Lose(func(_, to netip.AddrPort, _ []byte) bool { return to.String() == pbxAt })
		b.after(12 * time.Minute)
		if lost := b.everybody(Lost); lost != n {
			t.Errorf("%d are known to be unknown", lost)
		}
		if !strings.Contains(b.log.String(), "does not answer") || strings.Count(b.log.String(), "\n") != 1 {
			t.Errorf("the log:\n%s", b.log.String())
		}
		packets := 0
		b.net.Lose(func(_, to netip.AddrPort, _ []byte) bool {
			if to.String() == pbxAt {
				packets++
				return true
			}
			return false
		})
		b.after(10 * time.Minute)
		if packets < 50 || packets > 300 {
			t.Errorf("%d packets in 10 minutes of silence", packets)
		}
		b.net.Lose(nil)
		p.serve(75*time.Second, yes)
		if told := b.everybody(Told); told != n {
			t.Errorf("%d are told again", told)
		}
		if !strings.Contains(b.log.String(), "answers again") {
			t.Errorf("the log:\n%s", b.log.String())
		}
	})
}

// A PBX that has been restarted has forgotten all subscriptions. As soon as one refresh
// shows it, all are made anew.
func TestRestartedPBX(t *testing.T) {
	const n = 200
	play(t, Config{Upstreams: []Upstream{hq()}}, phones(n), func(b *bed) {
		p := b.pbx()
		p.serve(2*time.Minute, yes)
		if told := b.everybody(Told); told != n {
			t.Fatalf("%d are told", told)
		}
		fresh := map[string]bool{}
		var first, last time.Time
		p.serve(8*time.Minute, func(m *siptest.Message) string {
			if strings.Contains(m.Header("To"), "tag=") && !fresh[m.Header("Call-ID")] {
				if first.IsZero() {
					first = time.Now()
				}
				return "481"
			}
			if !first.IsZero() && len(fresh) < n {
				fresh[m.Header("Call-ID")] = true
				last = time.Now()
			}
			return "200\nExpires: 600"
		})
		if took := last.Sub(first); len(fresh) != n || took > 10*time.Second {
			t.Errorf("%d of %d were made anew, in %v", len(fresh), n, took)
		}
		if told := b.everybody(Told); told != n {
			t.Errorf("%d are told", told)
		}
	})
}

// One subscription that is forgotten has not all others asked for.
func TestForgottenOne(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, phones(100), func(b *bed) {
		p := b.pbx()
		p.serve(2*time.Minute, yes)
		refused := false
		asked := p.serve(6*time.Minute, func(m *siptest.Message) string {
			if !refused {
				refused = true
				return "481"
			}
			return "200\nExpires: 600"
		})
		if asked > 2+1+100 || !refused {
			t.Errorf("%d requests", asked)
		}
		if told := b.everybody(Told); told != 100 {
			t.Errorf("%d are told", told)
		}
	})
}

const challenge = `401
WWW-Authenticate: Digest realm="hq", nonce="%s", algorithm=SHA3
WWW-Authenticate: Digest realm="hq", nonce="%s", algorithm=SHA-256, qop="auth"
WWW-Authenticate: Digest realm="hq", nonce="%s"`

func asks(nonce string) string { return fmt.Sprintf(challenge, nonce, nonce, nonce) }

// The nonce of one challenge serves for all subscriptions at a PBX, until it is too old.
func TestLogin(t *testing.T) {
	u := hq()
	u.User, u.Secret = "watcher", "tea-kettle-42"
	play(t, Config{Upstreams: []Upstream{u}, Rate: 5}, phones(10), func(b *bed) {
		p := b.pbx()
		nonce, bare, asked := "n1", 0, 0
		guard := func(m *siptest.Message) string {
			asked++
			switch a := m.Header("Authorization"); {
			case a == "":
				bare++
				return asks(nonce)
			case !strings.Contains(a, `nonce="`+nonce+`"`):
				return asks(nonce) + ", stale=true"
			case !strings.Contains(a, `username="watcher"`) || !strings.Contains(a, "algorithm=SHA-256") || strings.Contains(a, "kettle"):
				t.Error(a)
			}
			if m.Header("From")[:27] != "<sip:watcher@192.0.2.9:5060" {
				t.Error(m.Raw)
			}
			return "200\nExpires: 600"
		}
		p.serve(5*time.Second, guard)
		if told := b.everybody(Told); told != 10 || bare != 1 || asked != 11 {
			t.Errorf("%d are told, %d of %d requests were without credentials", told, bare, asked)
		}
		nonce, asked = "n2", 0
		p.serve(9*time.Minute, guard)
		if asked != 11 {
			t.Errorf("%d requests for 10 refreshes and a nonce that was too old", asked)
		}
		if strings.Contains(b.log.String(), "kettle") || b.log.Len() > 0 {
			t.Errorf("the log:\n%s", b.log.String())
		}
	})
}

// A secret that is wrong is not tried on and on; when it is right, in its file, all goes
// well.
func TestWrongSecret(t *testing.T) {
	u := hq()
	u.User, u.SecretFile = "watcher", "f"
	play(t, Config{Upstreams: []Upstream{u}}, phones(50), func(b *bed) {
		p := b.pbx()
		b.mu.Lock()
		b.secrets["f"] = "wrong"
		b.mu.Unlock()
		tries, right := 0, ""
		guard := func(m *siptest.Message) string {
			a := m.Header("Authorization")
			if a == "" {
				return asks("n")
			}
			if right == "" {
				right = a // whatever comes of the first secret is wrong
			}
			if part(a, "cnonce") != "" && b.secret() == "right" {
				return "200\nExpires: 600"
			}
			tries++
			return asks(fmt.Sprint("n", tries))
		}
		p.serve(time.Hour, guard)
		if tries < 4 || tries > 40 {
			t.Errorf("%d tries in an hour", tries)
		}
		if lost := b.everybody(Lost); lost != 50 {
			t.Errorf("%d are lost", lost)
		}
		if n := strings.Count(b.log.String(), "does not believe who we are"); n != 1 || strings.Contains(b.log.String(), "wrong") {
			t.Errorf("the log:\n%s", b.log.String())
		}
		b.mu.Lock()
		b.secrets["f"] = "right"
		b.mu.Unlock()
		p.serve(15*time.Minute, guard)
		if told := b.everybody(Told); told != 50 {
			t.Errorf("%d are told", told)
		}
	})
}

func (b *bed) secret() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.secrets["f"]
}

func part(header, name string) string {
	_, rest, _ := strings.Cut(header, name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// Without credentials a challenge is the end.
func TestNoCredentials(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, phones(1), func(b *bed) {
		p := b.pbx()
		asked := p.serve(time.Minute, func(*siptest.Message) string { return asks("n") })
		if asked < 2 || asked > 5 {
			t.Errorf("%d requests", asked)
		}
		b.stands("2000", Dialog, Lost)
	})
}

// A PBX that asks for quiet has it: nobody else asks meanwhile, though it tells of what
// it has been asked for.
func TestRetryAfter(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}, Rate: 10}, phones(20), func(b *bed) {
		p := b.pbx()
		b.after(time.Millisecond)
		first := p.begin(600)
		b.after(100 * time.Millisecond)
		p.subscribe("503\nRetry-After: 60")
		p.notify(first, "active;expires=599", p.calls(first, "confirmed"), "200")
		b.after(58 * time.Second)
		p.silent()
		p.serve(10*time.Second, yes)
		if told := b.everybody(Told); told != 20 {
			t.Errorf("%d are told", told)
		}
	})
}

// One line that a PBX does not answer for harms no other.
func TestSilentLine(t *testing.T) {
	play(t, Config{Upstreams: []Upstream{hq()}}, phones(20), func(b *bed) {
		p := b.pbx()
		asked := 0
		answer := func(m *siptest.Message) string {
			if strings.Contains(m.Header("To"), "2007@") {
				asked++
				return "100"
			}
			return "200\nExpires: 600"
		}
		p.serve(time.Minute, answer)
		for range 60 {
			p.serve(time.Minute, answer)
			if told, lost := b.everybody(Told), b.everybody(Lost); told != 19 || lost != 1 {
				t.Fatalf("%d are told, %d are lost", told, lost)
			}
		}
		if asked < 5 || asked > 15 {
			t.Errorf("asked %d times in an hour", asked)
		}
	})
}
