package transcript

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestConversations(t *testing.T) {
	Run(t, "testdata/*.txt", func(t *testing.T, options map[string]string) World {
		if len(options) != 1 || options["greeting"] != "good morning" {
			t.Errorf("the world was given the options %v", options)
		}
		return newFake()
	})
}

// perform plays a text against a fake in a bubble.
func perform(t *testing.T, text string) (err error) {
	t.Helper()
	s, err := parse("talk.txt", text)
	if err != nil {
		return err
	}
	synctest.Test(t, func(t *testing.T) {
		err = s.play(func(map[string]string) World { return newFake() })
	})
	return err
}

// TestFailures plays conversations that are not true, and wants them to fail at
// the right line and to say why.
func TestFailures(t *testing.T) {
	const two = "ada/desk, bob/home are online\n"
	tests := []struct {
		name, text string
		line       int
		want       []string
	}{
		{"text differs", two + "desk > <message to='bob@x'><body>tea?</body></message>\nhome < <message><body>coffee?</body></message>", 3,
			[]string{`the text of <message><body> is "tea?", expected "coffee?"`, "so far:", "ada/desk > <message to='bob@x'>"}},
		{"attribute differs", two + "desk > <message to='bob@x'/>\n# why\nhome < <message from='ada@x/phone'/>", 4, []string{"<message> has from='ada@x/desk', expected 'ada@x/phone'"}},
		{"attribute missing", two + "desk > <message to='bob@x'/>\nhome < <message type='chat'/>", 3, []string{"<message> has no attribute type"}},
		{"attribute not wanted", two + "desk > <message to='bob@x'/>\nhome < <message from='(none)'/>", 3, []string{"has from='ada@x/desk', expected none"}},
		{"child too many", two + "desk > <message to='bob@x'><a/><b/></message>\nhome < <message><a/></message>", 3, []string{"<message> has <b xmlns='jabber:client'> too"}},
		{"child missing", two + "desk > <message to='bob@x'><a/></message>\nhome < <message><a/><b/></message>", 3, []string{"<message> has no <b>"}},
		{"children out of order", two + "desk > <message to='bob@x'><a/><b/></message>\nhome < <message><b/><a/></message>", 3, []string{"<a xmlns='jabber:client'>, expected"}},
		{"children out of order among others", two + "desk > <message to='bob@x'><a/><b/></message>\nhome < <message>…<b/><a/></message>", 3, []string{"<message> has no <a>"}},
		{"namespace differs", two + "desk > <message to='bob@x'><a xmlns='urn:one'/></message>\nhome < <message><a xmlns='urn:two'/></message>", 3, []string{"<a xmlns='urn:one'>, expected xmlns='urn:two'"}},
		{"text not wanted", two + "desk > <message to='bob@x'><body>hi</body></message>\nhome < <message><body/></message>", 3, []string{`is "hi", expected ""`}},
		{"cannot start again", two + "the server restarts", 2, []string{"this server cannot be started again"}},
		{"nothing comes", two + "home < <message/>", 2, []string{"nothing came, expected\n\t<message/>"}},
		{"not silent", two + "desk > <message to='bob@x'/>\nhome < nothing", 3, []string{"expected nothing, and there came\n\t<message"}},
		{"not silent for long", two + "desk > <message to='lag@x'/>\ndesk < nothing", 3, []string{"in a moment"}},
		{"too late", two + "desk > <message to='later@x'/>\nafter 58s\ndesk < <message/>", 4, []string{"nothing came", "after 58s"}},
		{"not closed", two + "desk > <message to='ada@x'/>\ndesk < closed", 3, []string{"expected the end of the stream, and there came\n\t<message"}},
		{"not overlooked", two + "home overlooks <message id='1'/>\ndesk > <message to='bob@x' id='2'/>\nhome < nothing", 4, []string{"expected nothing, and there came\n\t<message"}},
		{"still open", two + "desk < closed", 2, []string{"nothing came, expected the end of the stream"}},
		{"closed unasked", two + "desk > <message to='cut@x'/>\ndesk < nothing", 3, []string{"(the connection has ended)"}},
		{"closed instead of a stanza", two + "close desk\ndesk < <message/>", 3, []string{"that is the end of the stream"}},
		{"cut in a stanza", two + "desk > <message to='half@x'/>\ndesk < closed", 3, []string{"<message><body>do (broken: "}},
		{"a comment", two + "desk > <message to='comment@x'/>\ndesk < <message/>", 3, []string{"broken: XMPP forbids comments"}},
		{"another error", two + "desk > <message to='quit@x'/>\ndesk < error not-well-formed", 3, []string{"expected", "not-well-formed", "conflict"}},
		{"capture differs", two + "desk > <message to='number@x'/><message to='number@x'/>\ndesk < <message id='$n'>…</message>\ndesk < <message id='$n'>…</message>", 4, []string{"has id='n2', expected 'n1'"}},
		{"capture in itself", two + "desk > <message to='bob@x' id='1'><body>2</body></message>\nhome < <message id='$n'><body>$n</body></message>", 3, []string{`is "2", expected "$n"`}},
		{"not among them", two + "desk > <message to='bob@x'/>\nhome ~ <presence/>", 3, []string{"not among what came:\n\t<presence/>"}},
		{"too few in any order", two + "desk > <message to='bob@x'/>\nhome < any order\n  <message/>\n  <message/>", 3, []string{"2 expected in any order, and there came 1"}},
		{"others in any order", two + "desk > <message to='bob@x' id='1'/><message to='bob@x' id='2'/>\nhome < any order\n  <message id='1'/>\n  <message id='3'/>", 3, []string{"none is\n\t<message id='3'/>"}},
		{"one thing cannot be two", two + "desk > <message to='bob@x' id='1'/><message to='bob@x' id='2'/>\nhome < any order\n  <message id='1'/>\n  <message id='1'/>", 3, []string{"not the ones expected"}},
		{"nobody", two + "carol < nothing", 2, []string{"nobody is called carol"}},
		{"ambiguous", "ada/desk, ada/phone are online\nada < nothing", 2, []string{"ada is ada/desk or ada/phone: say which"}},
		{"late config", two + "config archive off", 2, []string{"config comes before anything else"}},
		{"twice", two + "ada/desk is connected", 2, []string{"ada/desk is here already"}},
		{"gone", two + "drop desk\ndesk > <presence/>", 3, []string{"its connection has ended"}},
		{"no account", "nobody/desk is online", 1, []string{"make the account nobody: there is no such person"}},
		{"raw resumes", "raw tap\ntap resumes", 2, []string{"has no account to log in with"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := perform(t, tt.text)
			if err == nil {
				t.Fatal("it passed")
			}
			want := append(tt.want, fmt.Sprintf("talk.txt:%d: ", tt.line))
			for _, part := range want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("not said: %q\nbut:\n%v", part, err)
				}
			}
		})
	}
}

// TestMistakes wants every mistake in writing to be found before anything is
// played.
func TestMistakes(t *testing.T) {
	tests := []struct {
		name, text string
		line       int
		want       string
	}{
		{"unknown line", "\n# a\nada goes home", 3, "none of the lines"},
		{"indented first", "  <message/>", 1, "goes on with the one above"},
		{"goes on", "raw tap\n  tup", 1, "only what is sent or expected"},
		{"open pattern", "raw tap\ntap < <message>", 2, "syntax error"},
		{"closed too often", "tap < <message/></message>", 1, "syntax error"},
		{"out of the stream", "tap < <a/></stream:stream><b/>", 1, "an end tag too many"},
		{"bare text", "tap < hello", 1, "stands outside of any element"},
		{"nothing at all", "tap < any order:", 1, "nothing is expected"},
		{"comment in a pattern", "tap < <a><!-- b --></a>", 1, "XMPP forbids"},
		{"header with more", "tap < <stream:stream><a>", 1, "syntax error"},
		{"no resource", "ada is online", 1, "ada has no resource"},
		{"not a time", "after tea", 1, "invalid duration"},
		{"open quote", `tap > "abc`, 1, "not a quoted string"},
		{"not a number", `tap > "abc" * many`, 1, `"many" is not how often`},
		{"too much", `tap > "abc" * 99999999`, 1, "more than 64 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse("talk.txt", tt.text)
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, part := range []string{tt.want, fmt.Sprintf("talk.txt:%d: ", tt.line)} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("not said: %q\nbut:\n%v", part, err)
				}
			}
		})
	}
}

func TestQuoted(t *testing.T) {
	for text, want := range map[string]string{
		`<a b="c"/>`:           `<a b="c"/>`,
		`"\x00\"" "b" * 3 "c"`: "\x00\"bbbc",
		"\"a\" *2":             "aa",
		`"a" * 0`:              "",
	} {
		if got, err := quoted(text); err != nil || got != want {
			t.Errorf("quoted(%s) = %q, %v; want %q", text, got, err, want)
		}
	}
}

// TestLog keeps the log short, whatever is sent.
func TestLog(t *testing.T) {
	text := "raw tap\n" + strings.Repeat("tap stops reading\ntap > \"\\xff\" * 100000\n", 100) + "tap < closed"
	err := perform(t, strings.ReplaceAll(text, "stops reading", "reads again"))
	if err == nil {
		t.Fatal("it passed")
	}
	if !strings.Contains(err.Error(), "the last 80 of 1") || !strings.Contains(err.Error(), "(100000 bytes)") || len(err.Error()) > 500_000 {
		t.Errorf("the log has %d bytes", len(err.Error()))
	}
}

// TestEnds wants nothing to be left running, and no real time to have passed.
func TestEnds(t *testing.T) {
	begun := time.Now()
	err := perform(t, "raw tap\nada/desk, bob/home are online\ndesk > <message to='later@x'/>\ndesk stops reading\nafter 24h\ndesk reads again\nhome < <presence/>")
	if err == nil || !strings.Contains(err.Error(), "at last") {
		t.Errorf("a failing conversation gave %v", err)
	}
	if spent := time.Since(begun); spent > time.Minute {
		t.Errorf("it took %s of real time", spent)
	}
	if errors.Unwrap(err) == nil {
		t.Error("the reason is not wrapped")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("ada/desk is online\ndesk > \"a\" * 3\ndesk < any order\n <a>…</a>\n <b/>")
	f.Add("config a b\nafter 5m\nraw x\nx < <stream:stream from='…'>\nx < error a\nada follows bob")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse("talk.txt", text)
		if err != nil {
			return
		}
		for _, step := range s.steps {
			if step.do == nil {
				t.Errorf("line %d does nothing", step.line)
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add("<a b='$c'>…</a>", "<a b='d'>e</a>")
	f.Add("<a>$c…$c</a>", "<a>11</a>")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		want, err := readPatterns(pattern)
		if err != nil || want[0].kind != element {
			return
		}
		got, err := readFragment(text)
		if err != nil || len(got) == 0 {
			return
		}
		known, err := want[0].match(item{kind: element, node: got[0]}, vars{})
		if err != nil {
			return
		}
		// What has matched matches again, now that all names are known.
		if _, err := want[0].match(item{kind: element, node: got[0]}, known); err != nil {
			t.Errorf("%s matched %s, but with %v it does not: %v", pattern, text, known, err)
		}
	})
}
