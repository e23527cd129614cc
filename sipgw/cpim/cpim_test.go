package cpim

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// After RFC 3862 §5 and what linphone writes.
func TestParse(t *testing.T) {
	tests := []struct {
		body string
		want Message
	}{
		{crlf("From: MR SANDERS <im:piglet@100akerwood.com>\nTo: Depressed Donkey <im:eeyore@100akerwood.com>\nDateTime: 2000-12-13T13:40:00-08:00\nSubject: the weather will be fine today\nSubject:;lang=fr beau temps prevu pour aujourd'hui\nNS: MyFeatures <mid:MessageFeatures@id.foo.com>\n\nContent-type: text/xml; charset=utf-8\nContent-ID: <1234567890@foo.com>\n\n<body>\nHere is the text\n</body>"),
			Message{Subject: "the weather will be fine today", ContentType: "text/xml; charset=utf-8", Body: []byte(crlf("<body>\nHere is the text\n</body>"))}},
		{crlf("\nContent-Type: text/plain\n\ntea?\n\nor coffee?"), Message{ContentType: "text/plain", Body: []byte(crlf("tea?\n\nor coffee?"))}},
		{"From: <sip:2001@x>\n\nContent-Type: text/plain\n\ntea?", Message{ContentType: "text/plain", Body: []byte("tea?")}},
		{crlf("Subject:;lang=fr Objet\n\ncontent-TYPE:text/plain\nContent-Transfer-Encoding: Base64\n\ndGVh"), Message{Subject: "Objet", ContentType: "text/plain", Encoding: "base64", Body: []byte("dGVh")}},
		{crlf("Subject: a\\\\b\\\"c\\u00fc\\n\\u0007\\ud800\\u12\\x\\\n\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n"),
			Message{Subject: "a\\b\"cü  \uFFFDu12x", ContentType: "text/plain"}},
	}
	for _, tt := range tests {
		m, err := Parse([]byte(tt.body))
		if err != nil || m.Subject != tt.want.Subject || m.ContentType != tt.want.ContentType || m.Encoding != tt.want.Encoding || string(m.Body) != string(tt.want.Body) {
			t.Errorf("%q: %+v %v, want %+v", tt.body, m, err, tt.want)
		}
	}
	for _, bad := range []string{
		"", "tea?", "\n", "From: <sip:2001@x>\n\n", "From: <sip:2001@x>\n\nContent-ID: 1\n\ntea?", "no colon\n\nContent-Type: text/plain\n\ntea?",
		"two words: x\n\nContent-Type: text/plain\n\n", "\nContent-Type: text/plain\nContent-Type: text/html\n\n", "A: \xff\n\nContent-Type: text/plain\n\n",
		strings.Repeat("A: b\n", maxLines) + "\nContent-Type: text/plain\n\n", "A: " + strings.Repeat("b", maxLine) + "\n\nContent-Type: text/plain\n\n",
		"\nContent-Type: text/plain\n\n" + strings.Repeat("x", MaxBody),
	} {
		if m, err := Parse([]byte(bad)); !errors.Is(err, ErrMessage) {
			t.Errorf("%.60q: %+v %v", bad, m, err)
		}
	}
	if _, err := Parse([]byte("Require: MyFeatures.VitalMessageOption\n\nContent-Type: text/plain\n\n")); !errors.Is(err, ErrRequired) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("From: <sip:2001@x>\r\nSubject:;lang=fr Ob\\u00e9jet\r\n\r\nContent-Type: text/plain\r\n\r\ntea?"))
	f.Add([]byte("\nContent-Type: text/plain\n\ntea?"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Parse(body)
		if err != nil {
			return
		}
		if !utf8.ValidString(m.Subject) || m.ContentType == "" || len(m.Body) > len(body) {
			t.Errorf("%q: %+v", body, m)
		}
	})
}
