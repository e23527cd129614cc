package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// phone is a client that answers challenges, written without any of the package's
// own code for hashing.
type phone struct {
	user, realm, secret string
	algorithm           string
	method, uri         string
	nonce               string
	count               int
	plain               bool // no qop, as RFC 2069
	zero                bool // takes the hash of the secret for zero
}

func (p *phone) hash(s string) string {
	if p.algorithm == "SHA-256" {
		return fmt.Sprintf("%x", sha256.Sum256([]byte(s)))
	}
	return fmt.Sprintf("%x", md5.Sum([]byte(s)))
}

// answer makes the header with the current count.
func (p *phone) answer() string {
	a1 := p.hash(p.user + ":" + p.realm + ":" + p.secret)
	if p.zero {
		a1 = strings.Repeat("0", len(a1))
	}
	a2 := p.hash(p.method + ":" + p.uri)
	head := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", algorithm=%s, opaque="0"`,
		p.user, p.realm, p.nonce, p.uri, p.algorithm)
	if p.plain {
		return head + fmt.Sprintf(`, response="%s"`, p.hash(a1+":"+p.nonce+":"+a2))
	}
	nc := fmt.Sprintf("%08x", p.count)
	return head + fmt.Sprintf(`, qop=auth, nc=%s, cnonce="c0ffee", response="%s"`, nc,
		p.hash(a1+":"+p.nonce+":"+nc+":c0ffee:auth:"+a2))
}

var nonceIn = regexp.MustCompile(`nonce="([^"]*)"`)

// challenged takes up the nonce of a challenge and begins to count.
func (p *phone) challenged(values []string) {
	p.nonce, p.count = nonceIn.FindStringSubmatch(values[0])[1], 1
}

const uri = "sip:x"

func newPhone() *phone {
	return &phone{user: "2001", realm: "x", secret: "s3cret", algorithm: "SHA-256", method: "REGISTER", uri: uri}
}

var start = time.Unix(1_700_000_000, 0)

func lookup(user string) (Secrets, bool) {
	if user == "2001" {
		return HA1("2001", "x", "s3cret"), true
	}
	return Secrets{}, false
}

func check(v *Verifier, at time.Time, headers ...string) Verdict {
	return v.Check(at, Request{Method: "REGISTER", URI: uri, Authorization: headers}, lookup)
}

// The example of RFC 7616 §3.9.1, for both algorithms.
func TestExampleOfTheRFC(t *testing.T) {
	const form = `Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=%s,
		nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, qop=auth, response="%s",
		cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	secrets := HA1("Mufasa", "http-auth@example.org", "Circle of Life")
	for algorithm, response := range map[string]string{
		"MD5":     "8ca523f5e9506fed4657c9700eebdbec",
		"SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		c, err := Parse(fmt.Sprintf(form, algorithm, response))
		if err != nil {
			t.Fatal(algorithm, err)
		}
		if !secrets.answers(c, "GET") {
			t.Errorf("%s: the right answer is refused", algorithm)
		}
		if secrets.answers(c, "PUT") {
			t.Errorf("%s: the answer is right for another method", algorithm)
		}
		other := HA1("Mufasa", "http-auth@example.org", "Circle Of Life")
		if other.answers(c, "GET") {
			t.Errorf("%s: the answer is right for another secret", algorithm)
		}
	}
}

func TestChallenge(t *testing.T) {
	v := New(Config{Realm: `a "b" \c`})
	values := v.Challenge(start, true)
	if len(values) != 2 {
		t.Fatalf("there are %d challenges", len(values))
	}
	// RFC 8760 §2.3: the better one first, each with another algorithm.
	for i, algorithm := range []string{"SHA-256", "MD5"} {
		for _, want := range []string{
			"algorithm=" + algorithm, `realm="a \"b\" \\c"`, `qop="auth"`, "stale=true", `opaque="`, `nonce="`,
		} {
			if !strings.Contains(values[i], want) {
				t.Errorf("%q has no %s", values[i], want)
			}
		}
	}
	again := v.Challenge(start, false)
	if nonceIn.FindString(again[0]) == nonceIn.FindString(values[0]) || strings.Contains(again[0], "stale") {
		t.Errorf("the next challenge is %q", again[0])
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*phone)
		want Outcome
	}{
		{"SHA-256", func(*phone) {}, Granted},
		{"MD5", func(p *phone) { p.algorithm = "MD5" }, Granted},
		{"without qop", func(p *phone) { p.plain = true }, Granted},
		{"MD5 without qop", func(p *phone) { p.plain, p.algorithm = true, "MD5" }, Granted},
		{"default port written", func(p *phone) { p.uri = "sip:X:5060;transport=udp" }, Granted},
		{"wrong secret", func(p *phone) { p.secret = "other" }, Denied},
		{"nobody", func(p *phone) { p.user = "2002" }, Denied},
		{"a name that nobody can have", func(p *phone) { p.user = "20:01" }, Denied},
		{"another method", func(p *phone) { p.method = "INVITE" }, Denied},
		{"another realm", func(p *phone) { p.realm = "y" }, Absent},
		{"another URI", func(p *phone) { p.uri = "sip:y" }, Malformed},
		{"a URI that is none", func(p *phone) { p.uri = "*" }, Malformed},
		{"count 0", func(p *phone) { p.count = 0 }, Stale},
		{"a nonce of somebody else", func(p *phone) { p.nonce = "abc" }, Stale},
		{"a wrong secret with it", func(p *phone) { p.nonce, p.secret = "abc", "other" }, Denied},
		{"a nonce that was changed", func(p *phone) { p.nonce = changed(p.nonce) }, Stale},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, p := New(Config{Realm: "x"}), newPhone()
			p.challenged(v.Challenge(start, false))
			tt.do(p)
			got := check(v, start.Add(time.Second), p.answer())
			if got.Outcome != tt.want || (got.Err != nil) != (tt.want == Malformed) {
				t.Errorf("got %v, %v", got.Outcome, got.Err)
			}
		})
	}
}

// A hash that is not known lets nobody in, least of all who takes it for zero.
func TestUnknownHash(t *testing.T) {
	whole := HA1("2001", "x", "s3cret")
	for _, tt := range []struct {
		algorithm string
		secrets   Secrets
		want      Outcome
	}{
		{"MD5", Secrets{MD5: whole.MD5}, Granted},
		{"SHA-256", Secrets{MD5: whole.MD5}, Denied},
		{"MD5", Secrets{SHA256: whole.SHA256}, Denied},
		{"SHA-256", Secrets{SHA256: whole.SHA256}, Granted},
		{"MD5", Secrets{}, Denied},
		{"SHA-256", Secrets{}, Denied},
	} {
		for _, zero := range []bool{false, true} {
			v, p := New(Config{Realm: "x"}), newPhone()
			p.algorithm, p.zero = tt.algorithm, zero
			p.challenged(v.Challenge(start, false))
			want := tt.want
			if zero {
				want = Denied
			}
			got := v.Check(start, Request{Method: "REGISTER", URI: uri, Authorization: []string{p.answer()}},
				func(string) (Secrets, bool) { return tt.secrets, true })
			if got.Outcome != want {
				t.Errorf("%s, zero %v: %v, want %v", tt.algorithm, zero, got.Outcome, want)
			}
		}
	}
}

func TestReadSecrets(t *testing.T) {
	whole := HA1("2001", "x", "s3cret")
	md5Hash, sha256Hash := fmt.Sprintf("%x", md5.Sum([]byte("2001:x:s3cret"))), fmt.Sprintf("%x", sha256.Sum256([]byte("2001:x:s3cret")))
	if got, err := ReadSecrets(md5Hash, sha256Hash); err != nil || got != whole {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := ReadSecrets("", sha256Hash); err != nil || got != (Secrets{SHA256: whole.SHA256}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range [][2]string{{md5Hash[1:], ""}, {"", md5Hash}, {"x" + md5Hash[1:], sha256Hash}, {strings.ToUpper(md5Hash), ""}} {
		if got, err := ReadSecrets(bad[0], bad[1]); err == nil || got != (Secrets{}) {
			t.Errorf("%q: got %+v", bad, got)
		}
	}
}

// What is not offered is not taken.
func TestAlgorithms(t *testing.T) {
	v, p := New(Config{Realm: "x", Algorithms: []Algorithm{MD5}}), newPhone()
	values := v.Challenge(start, false)
	if len(values) != 1 || !strings.HasSuffix(values[0], "algorithm=MD5") {
		t.Errorf("the challenges are %q", values)
	}
	p.challenged(values)
	if got := check(v, start, p.answer()); got.Outcome != Malformed || got.Err != errAlgorithm {
		t.Errorf("got %v, %v", got.Outcome, got.Err)
	}
	p.algorithm = "MD5"
	if got := check(v, start, p.answer()); got.Outcome != Granted {
		t.Errorf("got %v", got.Outcome)
	}
}

// Credentials for others on the way, and those that say nothing, are passed over.
func TestChoose(t *testing.T) {
	v, p := New(Config{Realm: "x"}), newPhone()
	p.challenged(v.Challenge(start, false))
	ours := p.answer()
	other := newPhone()
	other.realm = "elsewhere"
	const empty = `Digest username="2001", realm="x", nonce="", uri="sip:x", response=""`
	for _, tt := range []struct {
		name    string
		headers []string
		want    Outcome
	}{
		{"none", nil, Absent},
		{"not challenged yet", []string{empty}, Absent}, // RFC 8760 §2.7
		{"Basic", []string{"Basic MjAwMTpzM2NyZXQ="}, Absent},
		{"after others", []string{"Basic MjAwMTpzM2NyZXQ=", other.answer(), empty, "Digest x", ours}, Granted},
		{"rubbish", []string{"Digest x"}, Malformed},
		{"too many", slices.Repeat([]string{other.answer()}, maxCredentials+1), Malformed},
	} {
		if got := check(v, start, tt.headers...); got.Outcome != tt.want {
			t.Errorf("%s: got %v, %v", tt.name, got.Outcome, got.Err)
		}
	}
}

// What was sent once cannot be sent again, and a nonce has its time.
func TestReplayAndAge(t *testing.T) {
	v, p := New(Config{Realm: "x", NonceLife: time.Hour}), newPhone()
	p.challenged(v.Challenge(start, false))
	expect := func(what string, at time.Duration, want Outcome) Verdict {
		t.Helper()
		got := check(v, start.Add(at), p.answer())
		if got.Outcome != want {
			t.Errorf("%s: got %v, want %v", what, got.Outcome, want)
		}
		return got
	}
	expect("first", 0, Granted)
	expect("the same again", 0, Stale)
	p.count = 3
	expect("one was lost", time.Second, Granted)
	p.count = 2
	expect("it comes late", time.Second, Granted)
	expect("and again", time.Second, Stale)
	p.count = 100
	if got := expect("a leap", 30*time.Minute, Granted); got.Info() != "" {
		t.Errorf("there is a new nonce already: %q", got.Info())
	}
	p.count = 36
	expect("the last of the window", 30*time.Minute, Granted)
	p.count = 35
	expect("too late", 30*time.Minute, Stale)
	p.count = 101
	got := expect("late in its life", 50*time.Minute, Granted)
	if !strings.HasPrefix(got.Info(), `nextnonce="`) {
		t.Fatalf("no new nonce: %q", got.Info())
	}
	p.count = 102
	expect("too old", time.Hour, Stale)
	p.secret = "other"
	expect("too old, and wrong", time.Hour, Denied)
	p.secret, p.nonce, p.count = "s3cret", got.Next, 1
	expect("the new one", time.Hour, Granted)
	p.plain = true
	expect("a counted nonce without a count", time.Hour, Granted)
	expect("once only", time.Hour, Stale)
	p.plain, p.count = false, 2
	expect("and no count after it", time.Hour, Stale)
}

// However many nonces are used, memory is bounded, and none that was dropped can be
// used again.
func TestNoncesAreBounded(t *testing.T) {
	v := New(Config{Realm: "x", MaxNonces: 16 * 4})
	var first *phone
	var all []*phone
	for i := range 2000 {
		p := newPhone()
		at := start.Add(time.Duration(i) * time.Millisecond)
		p.challenged(v.Challenge(at, false))
		if got := check(v, at, p.answer()); got.Outcome != Granted {
			t.Fatalf("nonce %d: %v", i, got.Outcome)
		}
		if all = append(all, p); first == nil {
			first = p
		}
	}
	kept := 0
	for i := range v.replays.shards {
		s := &v.replays.shards[i]
		kept += len(s.young.counts) + len(s.old.counts)
	}
	if kept > 2*16*4 {
		t.Errorf("%d nonces are kept", kept)
	}
	end := start.Add(3 * time.Second)
	for i, p := range all {
		if got := check(v, end, p.answer()); got.Outcome != Stale {
			t.Fatalf("nonce %d could be used twice: %v", i, got.Outcome)
		}
	}
	first.challenged(v.Challenge(end, true))
	if got := check(v, end, first.answer()); got.Outcome != Granted {
		t.Errorf("after a new challenge: %v", got.Outcome)
	}
}

// A nonce that is in use stays, while others come and go.
func TestNonceInUseIsKept(t *testing.T) {
	v := New(Config{Realm: "x", MaxNonces: 16 * 4})
	p := newPhone()
	p.challenged(v.Challenge(start, false))
	for i := range 500 {
		other := newPhone()
		other.challenged(v.Challenge(start, false))
		check(v, start, other.answer())
		if i%16 == 0 {
			if got := check(v, start, p.answer()); got.Outcome != Granted {
				t.Fatalf("after %d others: %v", i, got.Outcome)
			}
			p.count++
		}
	}
}

func TestValidUser(t *testing.T) {
	for user, want := range map[string]bool{
		"2001": true, "ada@x": true, "zoë": true, "": false, "a:b": false, "a\n": false,
		strings.Repeat("a", MaxUser): true, strings.Repeat("a", MaxUser+1): false,
	} {
		if got := ValidUser(user); got != want {
			t.Errorf("%q: %v", user, got)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, algorithm := range []string{"SHA-256", "MD5"} {
		b.Run(algorithm, func(b *testing.B) {
			v, p := New(Config{Realm: "x"}), newPhone()
			p.algorithm = algorithm
			p.challenged(v.Challenge(start, false))
			headers := make([][]string, 1000)
			for i := range headers {
				p.count = i + 1
				headers[i] = []string{p.answer()}
			}
			secrets := HA1("2001", "x", "s3cret")
			find := func(string) (Secrets, bool) { return secrets, true }
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i++ {
				// After the first round they are replays, which are as much work.
				v.Check(start, Request{Method: "REGISTER", URI: uri, Authorization: headers[i%1000]}, find)
			}
		})
	}
}

func BenchmarkChallenge(b *testing.B) {
	v := New(Config{Realm: "example.org"})
	b.ReportAllocs()
	for b.Loop() {
		v.Challenge(start, false)
	}
}

// changed returns a text with another character at its end: one that means other
// bits where only the first four of six count.
func changed(text string) string {
	last := byte('A')
	if text[len(text)-1] == last {
		last = 'Q'
	}
	return text[:len(text)-1] + string(last)
}
