package transport

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// What is taken apart here and what the library takes apart are the same.
func TestPieces(t *testing.T) {
	head := "OPTIONS sip:x SIP/2.0\r\n"
	for _, tt := range []struct {
		name, text string
		fields     []Field
		body       string
		ok         bool
	}{
		{"plain", "To: <sip:x>\r\nl: 2\r\n\r\nhi", []Field{{"To", "<sip:x>"}, {"Content-Length", "2"}}, "hi", true},
		{"no length", "Via:x \t\r\n\r\nhi", []Field{{"Via", "x"}}, "hi", true},
		{"more than the length", "l: 1\r\n\r\nhi", []Field{{"Content-Length", "1"}}, "h", true},
		{"empty value", "Subject:\r\n\r\n", []Field{{"Subject", ""}}, "", true},
		{"less than the length", "l: 3\r\n\r\nhi", nil, "", false},
		{"two lengths", "l: 2\r\nl: 2\r\n\r\nhi", nil, "", false},
		{"no number", "l: +2\r\n\r\nhi", nil, "", false},
		{"too many digits", "l: 0000000002\r\n\r\nhi", nil, "", false},
		{"folded", "Subject: a\r\n b\r\n\r\n", nil, "", false},
		{"blank before the colon", "Subject : a\r\n\r\n", nil, "", false},
		{"no colon", "Subject\r\n\r\n", nil, "", false},
		{"no name", ": a\r\n\r\n", nil, "", false},
		{"LF in a line", "Subject: a\nb\r\n\r\n", nil, "", false},
		{"CR in a line", "Subject: a\rb\r\n\r\n", nil, "", false},
		{"NUL", "Subject: a\x00b\r\n\r\n", nil, "", false},
		{"a blank of Unicode", "Subject: a\u00a0\r\n\r\n", nil, "", false},
		{"no end", "Subject: a\r\n", nil, "", false},
	} {
		var p pieces
		ok := p.take([]byte(head + tt.text))
		if ok != tt.ok || ok && (!reflect.DeepEqual(p.fields, tt.fields) || string(p.body) != tt.body || p.line+"\r\n" != head) {
			t.Errorf("%s: %v, %q, %q", tt.name, ok, p.fields, p.body)
		}
	}
}

func TestPlainStatus(t *testing.T) {
	for line, want := range map[string]int{
		"SIP/2.0 200 OK": 200, "SIP/2.0 183 ": 183, "SIP/2.0 999 Odd": 999,
		"sip/2.0 200 OK": 0, "SIP/2.0 200": 0, "SIP/2.0 0200 OK": 0, "SIP/2.0  200 OK": 0, "SIP/2.0 2x0 OK": 0, "SIP/3.0 200 OK": 0,
	} {
		if got, _, ok := plainStatus(line); got != want || ok != (want > 0) {
			t.Errorf("%q: %d, %v", line, got, ok)
		}
	}
}

// FuzzPieces compares the two ways to take a message apart wherever there are both.
func FuzzPieces(f *testing.F) {
	raw, err := os.ReadFile("testdata/torture.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, part := range strings.Split(string(raw), "\n=== ")[1:] {
		_, text, _ := strings.Cut(part, "\n")
		f.Add([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	}
	f.Add([]byte("SIP/2.0 200 OK\r\nv: SIP/2.0/UDP x;branch=z9hG4bK1\r\nf:x\r\nl:3\r\n\r\nabcd"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p pieces
		if !p.take(data) {
			return
		}
		msg, err := parser.ParseSIP(data)
		if err != nil {
			if req := (&Request{}); req.start(p.line) == nil && strings.HasPrefix(p.line, "OPTIONS sip:x ") {
				t.Fatalf("the library says %v: %q", err, data)
			}
			return // it may be the first line, which is read here
		}
		whole := msg.(interface {
			Headers() []sip.Header
			Body() []byte
		})
		fields, err := fieldsOf(whole.Headers())
		if req := (Message{fields: p.fields}); len(p.body) > 0 && !req.Has("Content-Length") {
			fields = fields[:max(len(fields)-1, 0)] // the library adds one
		}
		if err != nil || !slices.Equal(fields, p.fields) || string(whole.Body()) != string(p.body) {
			t.Fatalf("the library has %q, %q, %v, and here are %q, %q: %q", fields, whole.Body(), err, p.fields, p.body, data)
		}
		if _, res, err := parse(data); err == nil && res != nil {
			if _, other, err := parseOdd(data, p.line, true); err != nil || other.status != res.status || other.reason != res.reason {
				t.Fatalf("%+v is not %+v, %v", res, other, err)
			}
		}
	})
}
