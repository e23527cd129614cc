package jid

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("a", 1023)
	for _, c := range []struct{ in, local, domain, resource string }{
		{"juliet@capulet.example/balcony", "juliet", "capulet.example", "balcony"},
		{"juliet@capulet.example", "juliet", "capulet.example", ""},
		{"capulet.example", "", "capulet.example", ""},
		{"capulet.example/balcony", "", "capulet.example", "balcony"},
		{"localhost", "", "localhost", ""},
		{"capulet.example/a@b/c", "", "capulet.example", "a@b/c"},
		{"Juliet@CAPULET.Example/Balcony", "juliet", "capulet.example", "Balcony"},
		{"foo@bar.example.", "foo", "bar.example", ""},
		{"bar.example./x", "", "bar.example", "x"},
		{"a@xn--bcher-kva.example", "a", "bücher.example", ""},
		{"a@BÜCHER.example", "a", "bücher.example", ""},
		{"a@bu\u0308cher.example", "a", "bücher.example", ""},
		{"a@192.0.2.7/x", "a", "192.0.2.7", "x"},
		{"a@[2001:db8::7]/x", "a", "[2001:db8::7]", "x"},
		{"ａｄａ@x", "ada", "x", ""},
		{"fu\u00dfball@example.com", "fußball", "example.com", ""},
		{"Σ@example.com/foo", "σ", "example.com", "foo"},
		{"σ@example.com/e\u0301", "σ", "example.com", "é"},
		{"king@example.com/\u265a", "king", "example.com", "\u265a"},
		{"a@example.com/a\u00a0b", "a", "example.com", "a b"},
		{"a@example.com/ foo ", "a", "example.com", " foo "},
		{"call\\20me\\40x@example.com", "call\\20me\\40x", "example.com", ""},
		{"!#$%()*+,-.;=?[\\]^_`{|}~@x", "!#$%()*+,-.;=?[\\]^_`{|}~", "x", ""},
		{long + "@x/" + long, long, "x", long},
	} {
		j, err := Parse(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if j.Local() != c.local || j.Domain() != c.domain || j.Resource() != c.resource {
			t.Errorf("%q: %q %q %q", c.in, j.Local(), j.Domain(), j.Resource())
		}
		checkWhole(t, j)
	}
}

// checkWhole checks that all views of an address agree.
func checkWhole(t *testing.T, j JID) {
	t.Helper()
	s := j.Domain()
	if j.Local() != "" {
		s = j.Local() + "@" + s
	}
	b := j.Bare()
	if b.String() != s || b.Local() != j.Local() || b.Domain() != j.Domain() {
		t.Errorf("bare form of %q: %q %q %q", j, b, b.Local(), b.Domain())
	}
	if b.With(j.Resource()) != j {
		t.Errorf("%q with %q is not %q", b, j.Resource(), j)
	}
	if j.Resource() != "" {
		s += "/" + j.Resource()
	}
	if j.String() != s {
		t.Errorf("%q is written %q", s, j)
	}
	full := j.Resource() != ""
	if j.IsFull() != full || j.IsBare() == full || j.IsZero() {
		t.Errorf("%q: full %v, bare %v, zero %v", j, j.IsFull(), j.IsBare(), j.IsZero())
	}
	if b.IsDomain() != (j.Local() == "") || j.IsDomain() != (b.IsDomain() && !full) {
		t.Errorf("%q: IsDomain %v, bare %v", j, j.IsDomain(), b.IsDomain())
	}
	again, err := Parse(j.String())
	if err != nil || again != j {
		t.Errorf("%q parses as %q, %v", j, again, err)
	}
	fromBytes, err := ParseBytes([]byte(j.String()))
	if err != nil || fromBytes != j {
		t.Errorf("%q parses from bytes as %q, %v", j, fromBytes, err)
	}
}

func TestMalformed(t *testing.T) {
	long := strings.Repeat("a", 1024)
	for _, s := range []string{
		"", "@", "/", ".", "@x", "a@", "a@/x", "a@x/", "x/", "/x", "a@.", "a@.x", "a@x..", "a@x..y", "a@-x", "a@x-",
		"a b@x", "a\"b@x", "a&b@x", "a'b@x", "a:b@x", "a<b@x", "a>b@x", "a@b@x",
		"\u00a0@x", "a\u2020@x", "henry\u2163@x", "\u265a@x", "a\x00@x", "a\x7f@x", "a@x\x00", "a@x y", "a@exa_mple", "a@x/\x01", "a@x/\n",
		"a\xff@x", "a@x\xff", "a@x/\xff", "a@xn--a", "a@[::1", "a@[::1]x", "a@[1.2.3.4]", "a@::1", "::ffff:1.2.3.4", "a@[fe80::1%eth0]",
		long + "@x", "a@" + long, "a@x/" + long, "a@x/" + strings.Repeat("x", 1<<20),
		"\uff20@x", // a fullwidth '@' is found after the separators, and refused
		"a@x\uff0fy", "a@x\uff20y", "a@x\u3002\u3002y",
	} {
		if j, err := Parse(s); !errors.Is(err, ErrMalformed) || !j.IsZero() {
			t.Errorf("%.40q: %q, %v", s, j, err)
		}
		if j, err := ParseBytes([]byte(s)); !errors.Is(err, ErrMalformed) || !j.IsZero() {
			t.Errorf("%.40q as bytes: %q, %v", s, j, err)
		}
	}
}

func TestZero(t *testing.T) {
	var j JID
	if !j.IsZero() || j.IsBare() || j.IsFull() || j.IsDomain() {
		t.Error("the zero JID claims to be an address")
	}
	if j.String() != "" || j.Bare() != "" || j.Local() != "" || j.Domain() != "" || j.Resource() != "" {
		t.Error("the zero JID has parts")
	}
	var b Bare
	if b.Local() != "" || b.Domain() != "" || b.IsDomain() || b.With("") != j || b.With("x") != j {
		t.Error("the empty bare address has parts")
	}
}

func TestParts(t *testing.T) {
	for _, c := range []struct {
		name     string
		prepare  func(string) (string, error)
		in, want string
	}{
		{"Local", Local, "Ada", "ada"},
		{"Local", Local, "a.b-c_d+e", "a.b-c_d+e"},
		{"Resource", Resource, "Desk Phone", "Desk Phone"},
		{"Resource", Resource, "e\u0301", "é"},
		{"Domain", Domain, "Example.ORG.", "example.org"},
		{"Domain", Domain, "[::1]", "[::1]"},
		{"Domain", Domain, strings.Repeat("a.", 120) + "a", strings.Repeat("a.", 120) + "a"},
	} {
		if got, err := c.prepare(c.in); err != nil || got != c.want {
			t.Errorf("%s(%q) = %q, %v", c.name, c.in, got, err)
		}
	}
	for _, bad := range []string{"", "a@b", "a/b", strings.Repeat("ä", 512), strings.Repeat("a", maxInput+1)} {
		if got, err := Local(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("Local(%.20q) = %.20q, %v", bad, got, err)
		}
		if got, err := Domain(bad); !errors.Is(err, ErrMalformed) && !strings.Contains(bad, "ä") {
			t.Errorf("Domain(%.20q) = %.20q, %v", bad, got, err)
		}
	}
	for _, bad := range []string{"", "\x00", strings.Repeat("ä", 512)} {
		if got, err := Resource(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("Resource(%.20q) = %.20q, %v", bad, got, err)
		}
	}
}

func TestMustParsePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	MustParse("a@")
}

func TestCanonicalParts(t *testing.T) {
	for _, c := range []struct {
		in        string
		at, slash int
		ok        bool
	}{
		{"a@b/c", 1, 3, true},
		{"a@b", 1, 3, true},
		{"b", -1, 1, true},
		{"b/c@d/e", -1, 1, true},
		{"A@b", 0, 0, false},
		{"a@1.2.3.4", 0, 0, false},
		{"a@x--y", 0, 0, false},
	} {
		at, slash, ok := Canonical([]byte(c.in))
		if ok != c.ok || ok && (at != c.at || slash != c.slash) {
			t.Errorf("%q: %d %d %v", c.in, at, slash, ok)
		}
	}
}

func TestAllocations(t *testing.T) {
	b := []byte("juliet@capulet.example/gajim.7d793f7e-2d5c-4b3a-9f7e-0c2f3c1d8a11")
	j := MustParse(string(b))
	for _, c := range []struct {
		name string
		max  float64
		f    func()
	}{
		{"Canonical", 0, func() { Canonical(b) }},
		{"ParseBytes", 1, func() { _, _ = ParseBytes(b) }},
		{"Parse", 0, func() { _, _ = Parse(j.String()) }},
		{"parts", 0, func() { _ = j.Bare().Local() + j.Bare().Domain()[:0]; _, _ = j.Local(), j.Resource() }},
	} {
		if n := testing.AllocsPerRun(100, c.f); n > c.max {
			t.Errorf("%s: %v allocations, want at most %v", c.name, n, c.max)
		}
	}
}
