package mwi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func counts(k Kind, c Count) (all [NumKinds]Count) {
	c.Known = true
	all[k] = c
	return all
}

func TestParse(t *testing.T) {
	both := counts(Voice, Count{New: 4, Old: 8, UrgentNew: 1, UrgentOld: 2})
	both[Text] = Count{New: 3, Known: true}
	tests := []struct {
		name, in string
		want     Summary
	}{
		{"RFC 3842 §4.1, A3", "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\n",
			Summary{true, "sip:alice@vmail.example.com", counts(Voice, Count{2, 8, 0, 2, true})}},
		{"no", "Messages-Waiting: no\r\n", Summary{}},
		{"Asterisk", "Messages-Waiting: no\r\nMessage-Account: sip:asterisk@10.0.0.1\r\nVoice-Message: 0/0 (0/0)\r\n\r\n",
			Summary{false, "sip:asterisk@10.0.0.1", counts(Voice, Count{})}},
		{"no urgent ones", "messages-waiting : YES\nvoice-message: 1/0\n", Summary{true, "", counts(Voice, Count{New: 1})}},
		{"a draft", "Messages-Waiting: yes\r\nVoicemail: 5/1\r\n", Summary{true, "", counts(Voice, Count{New: 5, Old: 1})}},
		{"brackets", "Messages-Waiting: yes\r\nMessage-Account: <sip:a@x>\r\n", Summary{Waiting: true, Account: "sip:a@x"}},
		{"several kinds, and one of the future", "\r\nMessages-Waiting: yes\r\nVoice-Message: 4/8 (1/2)\r\nSmell-Message: lots\r\nText-Message: 3/0\r\n", Summary{true, "", both}},
		{"messages one by one", "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n\r\nTo: <alice@x>\r\nFrom: nobody\r\nVoice-Message: 9/9\r\nnonsense\r\n",
			Summary{true, "", counts(Voice, Count{New: 1})}},
		{"more than there can be", "Messages-Waiting: yes\r\nVoice-Message: 4294967295/0\r\n", Summary{true, "", counts(Voice, Count{New: maxCount})}},
	}
	for _, tt := range tests {
		got, err := Parse([]byte(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if diff := cmp.Diff(&tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	for _, bad := range []string{
		"", "\r\n", "Voice-Message: 1/0\r\n", "Messages-Waiting\r\n", "Messages-Waiting: yes\r\nVoice-Message: many\r\n",
		"Messages-Waiting: yes\r\nVoice-Message: 1\r\n", "Messages-Waiting: yes\r\nVoice-Message: 1/0 (x)\r\n",
		"Messages-Waiting: yes\r\nVoice-Message: -1/0\r\n", "Messages-Waiting: yes\r\n" + strings.Repeat("a: b\r\n", maxLines),
		"Messages-Waiting: yes\r\n" + strings.Repeat(" ", MaxBody),
	} {
		if s, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%.50q: %+v", bad, s)
		}
	}
}

func TestAppend(t *testing.T) {
	both := counts(Voice, Count{New: 4, Old: 8, UrgentNew: 1, UrgentOld: 2})
	both[Text] = Count{New: 3, Known: true}
	for _, tt := range []struct {
		in   Summary
		want string
	}{
		{Summary{}, "Messages-Waiting: no\r\nVoice-Message: 0/0 (0/0)\r\n"},
		{Summary{true, "sip:alice@x", counts(Voice, Count{New: 2, Old: 8, UrgentOld: 2})}, "Messages-Waiting: yes\r\nMessage-Account: sip:alice@x\r\nVoice-Message: 2/8 (0/2)\r\n"},
		{Summary{true, "", both}, "Messages-Waiting: yes\r\nVoice-Message: 4/8 (1/2)\r\nText-Message: 3/0 (0/0)\r\n"},
		{Summary{Account: "sip:a@x\r\nEvil: 1"}, "Messages-Waiting: no\r\nMessage-Account: sip:a@xEvil: 1\r\nVoice-Message: 0/0 (0/0)\r\n"},
	} {
		if diff := cmp.Diff(tt.want, string(tt.in.Append(nil))); diff != "" {
			t.Error(diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(s.Append(nil))
		if err != nil || again.Waiting != s.Waiting {
			t.Fatalf("%v\n%q", err, s.Append(nil))
		}
		for k := range NumKinds {
			if s.Counts[k].Known && s.Counts[k] != again.Counts[k] {
				t.Errorf("%v: %+v, want %+v", k, again.Counts[k], s.Counts[k])
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	s, buf := Summary{Waiting: true, Account: "sip:alice@x", Counts: counts(Voice, Count{New: 2})}, make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = s.Append(buf[:0])
	}
}

func BenchmarkParse(b *testing.B) {
	body := []byte("Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\n")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAdd(t *testing.T) {
	a := Summary{Account: "sip:a@x", Counts: counts(Voice, Count{New: 1, Old: 2, UrgentNew: 1})}
	b := Summary{Waiting: true, Account: "sip:b@x", Counts: counts(Voice, Count{New: maxCount, Old: 3, UrgentOld: 4})}
	c := Summary{Counts: counts(Fax, Count{Old: 1})}
	a.Add(&b)
	a.Add(&c)
	want := Summary{Waiting: true, Account: "sip:a@x", Counts: counts(Voice, Count{New: maxCount, Old: 5, UrgentNew: 1, UrgentOld: 4})}
	want.Counts[Fax] = Count{Old: 1, Known: true}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Error(diff)
	}
}
