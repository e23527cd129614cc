package profile

import (
	"strings"
	"testing"

	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/rich"
)

func TestDefault(t *testing.T) {
	s := Default()
	for agent, want := range map[string]string{
		"Linksys/SPA962-6.1.5(a)":                 "linksys",
		"Yealink SIP-T46S 66.86.0.15":             "yealink",
		"yealink W60B":                            "yealink",
		"Bria 5 release 5.8.3 stamp 97000":        "counterpath",
		"eyeBeam release 1102q":                   "counterpath",
		"PolycomSoundPointIP-SPIP_330-UA/3.3.5":   "polycom-soundpoint",
		"PolycomVVX-VVX_411-UA/5.9.5":             "generic",
		"SAMSUNG-SIP-Phone":                       "samsung",
		"snom370/8.7.3.25.5":                      "snom",
		"baresip v1.0.0 (x86_64/linux)":           "baresip",
		"Linphone-Desktop/5.1.2 (host) Debian":    "generic",
		"Asterisk PBX 18.10.0":                    "generic",
		"":                                        "generic",
		"A phone that says that it is no Yealink": "generic",
		strings.Repeat("x", 10000) + "Yealink":    "generic",
	} {
		if got := s.For(agent).Name; got != want {
			t.Errorf("%.40s: %s, want %s", agent, got, want)
		}
	}
}

func TestOptions(t *testing.T) {
	s := Default()
	if got := s.Named("linksys").Dialogs(); got != (dialoginfo.Options{Single: true, CallerAnswered: true}) {
		t.Errorf("%+v", got)
	}
	if got := s.Named("yealink").Dialogs(); got != (dialoginfo.Options{Dummy: true}) {
		t.Errorf("%+v", got)
	}
	if got := s.Named("baresip").Presence(); got != (rich.Options{NoAway: true, Busy: true}) {
		t.Errorf("%+v", got)
	}
	p := s.Named("polycom-soundpoint")
	if !p.XPIDF || p.Presence() != (rich.Options{Single: true}) {
		t.Errorf("%+v", p)
	}
	if !s.Named("samsung").NoEmptyMWI || s.Named("nobody") != nil {
		t.Error("samsung")
	}
	g := s.For("nobody knows")
	if g.Dialogs() != (dialoginfo.Options{}) || g.Presence() != (rich.Options{}) || g.Offline != NoDialog {
		t.Errorf("%+v", g)
	}
}

func TestOwn(t *testing.T) {
	own, err := Parse([]byte(`
		[[profile]]
		name = "reception"
		match = ["Yealink SIP-T58*Reception"]
		call_first = true
		offline = "busy"
		[[profile]]
		name = "yealink"
		match = ["Yealink"]
		offline = "terminate"
	`))
	if err != nil {
		t.Fatal(err)
	}
	s := Default().With(own)
	p := s.For("Yealink SIP-T58W 1.2 (Reception)")
	if p.Name != "reception" || p.Offline != Busy || p.Dialogs() != (dialoginfo.Options{ConfirmedFirst: true}) {
		t.Errorf("%+v", p)
	}
	p = s.For("Yealink SIP-T46S")
	if p.Name != "yealink" || p.DummyDialog || p.Offline != Terminate {
		t.Errorf("the built-in one is not replaced: %+v", p)
	}
	if s.For("baresip v1").Name != "baresip" {
		t.Error("others are lost")
	}
	if Default().For("Yealink").Offline != NoDialog {
		t.Error("the default has changed")
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ in, want string }{
		{"[[profile]]\nname='a'\nmatch=['b']\nsingel=true", "line 4: no such key: profile.singel"},
		{"[[profile]]\nname='a'\nmatch=['b']\noffline='off'", `"off" is none of no-dialog, busy, terminate`},
		{"[[profile]]\nname=3", "line 2"},
		{"[[profile", "line 1"},
		{"[[profile]]\nmatch=['a']", "number 1 has no name"},
		{"[[profile]]\nname='a'\nmatch=['*']", `the pattern "*" is every phone's`},
		{"[[profile]]\nname='a'\nmatch=['']", "is every phone's"},
		{"[[profile]]\nname='a'\n[[profile]]\nname='a'", `two profiles "a"`},
		{"[[profile]]\nname='a'\nmatch=[" + strings.Repeat("'x',", maxPatterns+1) + "]", "33 patterns, at most 32"},
		{strings.Repeat("[[profile]]\n", maxProfiles+1), "257 profiles, at most 256"},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.in))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q: %v, want %s", tt.in, err, tt.want)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"abc", "abcdef", true},
		{"abc", "ab", false},
		{"ABC", "abc", true},
		{"*b", "aab", true},
		{"a*c*e", "abcde", true},
		{"a*e*c", "abcde", false},
		{"a*", "a", true},
		{"a*b", "ab", true},
		{"a**b", "axb", true},
		{"*x", "abc", false},
	} {
		if got := matches(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%s %s: %v", tt.pattern, tt.s, got)
		}
	}
}

func FuzzMatches(f *testing.F) {
	f.Add("a*c", "abc")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 64 {
			return
		}
		got := matches(pattern, s)
		if !strings.Contains(pattern, "*") && len(s) <= maxAgent && got != (len(s) >= len(pattern) && strings.EqualFold(s[:len(pattern)], pattern)) {
			t.Errorf("%q %q: %v", pattern, s, got)
		}
	})
}
