package message

import (
	"strings"
	"testing"
	"unicode/utf8"

	"rollcall/sipgw/iscomposing"
)

func TestReadBody(t *testing.T) {
	for _, tt := range []struct {
		kind, body string
		want       content
		status     int
	}{
		{"text/plain", "tea?\r\nor coffee?", content{text: "tea?\nor coffee?"}, 0},
		{"TEXT/Plain; Charset=\"UTF-8\"", "thé", content{text: "thé"}, 0},
		{"text/plain;charset=ISO-8859-1", "th\xe9", content{text: "thé"}, 0},
		{"text/plain", "th\xe9 \x80", content{text: "thé €"}, 0}, // nothing else can be meant
		{"", "tea?", content{text: "tea?"}, 0},
		{"text/plain;charset=utf-16", "tea?", content{}, 415},
		{"text/plain;;;", "tea?", content{text: "tea?"}, 0},
		{"text", "tea?", content{}, 415},
		{"/", "tea?", content{}, 415},
		{"text/html", "<p>tea?</p>", content{text: "tea?"}, 0},
		{"multipart/mixed;boundary=x", "--x--", content{}, 415},
		{"message/imdn+xml", "<imdn/>", content{}, 415},
		{"application/im-iscomposing+xml", "<isComposing><state>active</state></isComposing>", content{isStatus: true, status: iscomposing.Status{Active: true}}, 0},
		{"application/im-iscomposing+xml", "active", content{isStatus: true}, 400},
		{"message/cpim", "Subject: Tea\r\n\r\nContent-Type: text/html\r\n\r\n<b>now</b>", content{text: "now", subject: "Tea"}, 0},
		{"message/cpim", "\r\nContent-Type: application/im-iscomposing+xml\r\n\r\n<isComposing><state>idle</state></isComposing>", content{isStatus: true}, 0},
		{"message/cpim", "\r\nContent-Type: message/cpim\r\n\r\n\r\nContent-Type: text/plain\r\n\r\ntea?", content{}, 415},
		{"message/cpim", "\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\ndGVh", content{}, 415},
		{"message/cpim", "Require: Tea\r\n\r\nContent-Type: text/plain\r\n\r\ntea?", content{}, 415},
		{"message/cpim", "tea?", content{}, 400},
		{"text/plain", strings.Repeat("x", MaxText+1), content{}, 413},
	} {
		c, status := readBody(tt.kind, []byte(tt.body))
		if status != tt.status || status == 0 && c != tt.want {
			t.Errorf("%s %.40q: %+v %d, want %+v %d", tt.kind, tt.body, c, status, tt.want, tt.status)
		}
	}
}

func TestPlain(t *testing.T) {
	for doc, want := range map[string]string{
		"tea?": "tea?",
		"<html><head><title>No</title><style>p{}</style></head><body><p>one</p>\n<p>two  \n three</p></body></html>": "one\ntwo three",
		"a<br>b<br/><br/>c":                                "a\nb\n\nc",
		"1 &lt; 2 &amp;&amp; <i>3</i>&nbsp;&gt; 2":         "1 < 2 && 3\u00a0> 2",
		"<ul><li>a</li><li>b</li></ul><script>no</script>": "a\nb",
		"<b>bo</b>ld <b> x </b>":                           "bold x",
		"<p":                                               "",
		"</style>still here":                               "still here",
	} {
		if got := plain(doc); got != want {
			t.Errorf("%s: %q, want %q", doc, got, want)
		}
	}
}

func FuzzReadBody(f *testing.F) {
	f.Add("text/html; charset=utf-8", []byte("<p>tea<br>&amp;</p><script>"))
	f.Add("message/cpim", []byte("\r\nContent-Type: text/plain\r\n\r\ntea?"))
	f.Add("text/plain", []byte("th\xe9"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		c, status := readBody(kind, body)
		switch status {
		case 0, 400, 413, 415:
		default:
			t.Errorf("%q: %d", kind, status)
		}
		if !utf8.ValidString(c.text) || !utf8.ValidString(c.subject) || len(c.text) > 4*MaxText {
			t.Errorf("%q %q: %d bytes of %q", kind, body, len(c.text), c.text)
		}
	})
}

func TestLanguage(t *testing.T) {
	for tag, want := range map[string]string{"de": "de", "en-GB": "en-GB", "": "", "a b": "", "de\r\n": "", strings.Repeat("a", 36): "", "é": ""} {
		if got := language(tag); got != want {
			t.Errorf("%q: %q", tag, got)
		}
	}
}
