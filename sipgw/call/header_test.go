package call

import (
	"strings"
	"testing"
	"time"

	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/transport"
)

func request(t testing.TB, fields string) *transport.Request {
	t.Helper()
	text := "INVITE sip:2002@x SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\nMax-Forwards: 70\nFrom: <sip:2001@x>;tag=a\nTo: <sip:2002@x>\n" +
		"Call-ID: 1\nCSeq: 1 INVITE\n" + fields + "Content-Length: 0\n\n"
	r, err := transport.ParseRequest([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReplaces(t *testing.T) {
	for value, want := range map[string]dialoginfo.Replaces{
		"12@h;to-tag=a;from-tag=b":                 {CallID: "12@h", LocalTag: "a", RemoteTag: "b"},
		" 12@h ; From-Tag=b ;to-tag=a;early-only ": {CallID: "12@h", LocalTag: "a", RemoteTag: "b"},
		"12@h;to-tag=a":                            {},
		";to-tag=a;from-tag=b":                     {},
		"":                                         {},
	} {
		got, ok := replaced(&request(t, "Replaces: "+value+"\n").Message)
		if ok != (want != dialoginfo.Replaces{}) || ok && got != want {
			t.Errorf("%q: %+v", value, got)
		}
	}
}

func TestSession(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"Session-Expires: 1800;refresher=uas\n": 1800 * time.Second,
		"x: 1800\n":                             1800 * time.Second,
		"x: 1\n":                                90 * time.Second,
		"x: 99999999999\n":                      24 * time.Hour,
		"x: 0\n":                                0,
		"x: soon\n":                             0,
		"":                                      0,
	} {
		if got := session(&request(t, value).Message); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

func TestContactOf(t *testing.T) {
	for value, want := range map[string]string{
		`"A" <sip:a@192.0.2.7:5060;ob>;expires=3`: "sip:a@192.0.2.7:5060;ob",
		"sip:a@192.0.2.7":                         "sip:a@192.0.2.7",
		"<tel:+49>":                               "",
		"*":                                       "",
	} {
		if got := contactOf(&request(t, "Contact: "+value+"\n").Message); got != want {
			t.Errorf("%q: %q", value, got)
		}
	}
}

// What names a dialog names all of it, and is written as it was read.
func FuzzReplaces(f *testing.F) {
	f.Add("12@h;to-tag=a;from-tag=b")
	f.Add(` 1 ; to-tag = "a;b" ;from-tag=b;to-tag=c;early-only`)
	f.Fuzz(func(t *testing.T, value string) {
		r, ok := parseReplaces(value)
		if !ok {
			return
		}
		if r.CallID == "" || r.LocalTag == "" || r.RemoteTag == "" || len(r.CallID)+len(r.LocalTag)+len(r.RemoteTag) > len(value) {
			t.Fatalf("%+v", r)
		}
		again, ok := parseReplaces(r.CallID + ";to-tag=" + transport.Quote(r.LocalTag) + ";from-tag=" + transport.Quote(r.RemoteTag))
		if clean := !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }); clean && (!ok || again != r) {
			t.Errorf("%+v is read again as %+v", r, again)
		}
	})
}
