package transport_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rollcall/sipgw/transport"
)

// A torment is one message of the corpus.
type torment struct {
	section, want, what, text string
}

var repeats = regexp.MustCompile(`\{([^{}*]+)\*(\d+)\}`)

// torments reads the corpus.
func torments(t testing.TB) (all []torment) {
	t.Helper()
	raw, err := os.ReadFile("testdata/torture.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(raw), "\n=== ")[1:] {
		head, text, _ := strings.Cut(part, "\n")
		words := strings.SplitN(head, " ", 3)
		text = repeats.ReplaceAllStringFunc(text, func(s string) string {
			m := repeats.FindStringSubmatch(s)
			n, _ := strconv.Atoi(m[2])
			return strings.Repeat(m[1], n)
		})
		text = strings.ReplaceAll(text, "\n", "\r\n")
		text = strings.NewReplacer("{sp}", " ", "{nul}", "\x00", "{cr}", "\r", "{lf}", "\n", "{bel}", "\a", "{del}", "\x7f").Replace(text)
		if strings.HasSuffix(text, ":0\r\n") || strings.HasSuffix(text, ": 0\r\n") || !strings.Contains(text, "\r\n\r\n") {
			text += "\r\n"
		}
		all = append(all, torment{words[0], words[1], words[2], text})
	}
	return all
}

// ordinary is a server that looks at what requests want.
func ordinary(tr *transport.Transport) {
	ok := func(r *transport.Request) { r.Respond(200, "") }
	tr.Handle("MESSAGE", transport.Endpoint(ok))
	tr.Handle("REGISTER", transport.Endpoint(func(r *transport.Request) {
		if _, _, err := r.Contacts(); err != nil {
			r.Respond(400, err.Error())
			return
		}
		r.Respond(200, "")
	}))
	tr.Handle("INVITE", transport.Endpoint(func(r *transport.Request) {
		switch r.ContentType() {
		case "application/sdp", "multipart/mixed", "":
		default:
			r.Respond(415, "")
			return
		}
		if r.Has("Accept") && !r.Names("Accept", "application/sdp") {
			r.Respond(406, "")
			return
		}
		r.Respond(200, "")
	}))
}

func TestTorture(t *testing.T) {
	all := torments(t)
	sections := map[string]bool{}
	for i, m := range all {
		sections[m.section] = true
		t.Run(fmt.Sprintf("%s %s", m.section, m.what), func(t *testing.T) {
			switch m.want {
			case "ok", "bad":
				if _, err := transport.ParseResponse([]byte(m.text)); (err == nil) != (m.want == "ok") {
					t.Errorf("%v", err)
				}
			}
			play(t, transport.Options{}, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
				u := b.peer(fmt.Sprintf("203.0.113.%d:5060", i+1))
				defer u.close()
				u.sendRaw(m.text)
				got := u.take()
				if n, err := strconv.Atoi(m.want); err == nil {
					if len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprintf("SIP/2.0 %d ", n)) {
						t.Fatalf("%q", got)
					}
					if _, err := transport.ParseResponse([]byte(got[0])); err != nil && n != 400 {
						t.Errorf("%v: %q", err, got[0])
					}
				} else if len(got) != 0 {
					t.Fatalf("%q", got)
				}
			})
		})
	}
	if n := len(sections) - 1; n != 49 {
		t.Errorf("%d cases of RFC 4475, and there are 49", n)
	}
}
