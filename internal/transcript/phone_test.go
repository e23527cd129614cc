package transcript

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

func TestPhones(t *testing.T) {
	Run(t, "testdata/sip/*.txt", func(*testing.T, map[string]string) World { return newFakeSIP() })
}

// performSIP plays a text against a server that speaks SIP.
func performSIP(t *testing.T, text string) (err error) {
	t.Helper()
	s, err := parse("talk.txt", text)
	if err != nil {
		return err
	}
	synctest.Test(t, func(*testing.T) {
		err = s.play(func(map[string]string) World { return newFakeSIP() })
	})
	return err
}

// TestPhoneFailures plays conversations that are not true, and wants them to fail
// at the right line and to say why.
func TestPhoneFailures(t *testing.T) {
	const two = "phones 2001, 2002\n2001 registers\n2002 registers\n"
	const text = two + "2001 > MESSAGE sip:2002@x\n  Content-Type: text/plain\n  --\n  tea?\n2002 < MESSAGE"
	const body = two + "2001 > MESSAGE sip:2002@x\n  Content-Type: application/xml\n  --\n  <a xmlns='urn:one'><b/></a>\n2002 < MESSAGE"
	for _, tt := range []struct {
		name, text string
		line       int
		want       []string
	}{
		{"another status", two + "2001 > MESSAGE sip:2009@x\n2001 < 200", 5, []string{"the status is 404", "expected\n\t200", "so far:", "2001 > MESSAGE sip:2009@x SIP/2.0\n"}},
		{"another reason", two + "2001 > MESSAGE sip:2009@x\n2001 < 404 Gone", 5, []string{`the reason is "Not Found", expected "Gone"`}},
		{"a response and no request", two + "2001 > MESSAGE sip:2009@x\n2001 < NOTIFY", 5, []string{"that is a response, 404"}},
		{"a request and no response", strings.Replace(text, "2002 < MESSAGE", "2002 < 200", 1), 8, []string{"that is a MESSAGE"}},
		{"another method", strings.Replace(text, "2002 < MESSAGE", "2002 < NOTIFY", 1), 8, []string{"that is a MESSAGE"}},
		{"another Request-URI", text + " sip:2003@…", 8, []string{`the Request-URI is "sip:2002@10.0.0.2:5060", expected "sip:2003@…"`}},
		{"another header", text + "\n  CSeq: 7 MESSAGE", 8, []string{`CSeq is "`, `expected "7 MESSAGE"`}},
		{"a header that is missing", text + "\n  Event: presence", 8, []string{"there is no Event"}},
		{"a header that is not wanted", text + "\n  CSeq: (none)", 8, []string{"CSeq is", "expected none"}},
		{"another text", text + "\n  --\n  coffee?", 8, []string{`the body is "tea?", expected "coffee?"`}},
		{"no XML", text + "\n  --\n  <a/>", 8, []string{"the body is not XML"}},
		{"another element", body + "\n  --\n  <a xmlns='urn:two'/>", 8, []string{"xmlns='urn:one'>, expected xmlns='urn:two'"}},
		{"another child", body + "\n  --\n  <a xmlns='urn:one'/>", 8, []string{"<a> has <b xmlns='urn:one'> too"}},
		{"two elements", body + "\n  --\n  <a xmlns='urn:one'><b/></a><c/>", 8, []string{"another number of elements"}},
		{"nothing comes", two + "2001 < NOTIFY\n  Event: x", 4, []string{"nothing came, expected\n\tNOTIFY\n\tEvent: x"}},
		{"not among them", text + "\n2002 ~ NOTIFY", 9, []string{"nothing came, expected"}},
		{"not silent", strings.Replace(text, "2002 < MESSAGE", "2002 < nothing", 1), 8, []string{"expected nothing, and there came\n\tMESSAGE sip:2002@"}},
		{"no such phone", two + "2003 < NOTIFY", 4, []string{"no phone is called 2003"}},
		{"no such phone speaks", two + "2003 > NOTIFY sip:x", 4, []string{"no phone is called 2003"}},
		{"no such phone registers", "2003 registers", 1, []string{"no phone is called 2003"}},
		{"a phone speaks no XMPP", two + "2001 > <presence/>\n2001 < <presence/>", 5, []string{"2001 is a phone, and speaks SIP"}},
		{"twice", two + "phones 2001", 4, []string{"2001 is here already"}},
		{"no device", "phones nobody", 1, []string{"make the device nobody: there is no such device"}},
		{"not registered", "peers stranger\nstranger registers", 2, []string{"the status is 401"}},
		{"a bad secret", "phones 2001\n2001 > REGISTER sip:x\n  From: <sip:2002@x>;tag=1\n2001 < 200", 4, []string{"the status is 401"}},
		{"unplugged", two + "drop 2001\n2001 registers", 5, []string{"no phone is called 2001"}},
		{"nobody called", two + "2001 answers", 4, []string{"nobody calls"}},
		{"no call", two + "2001 hangs up", 4, []string{"there is no call"}},
		{"no dialog", two + "2001 > BYE", 4, []string{"there is no dialog"}},
		{"nothing to answer", two + "2001 > 200", 4, []string{"there is nothing to answer"}},
		{"not in a call", two + "drop 2002\n2001 and 2002 are in a call", 5, []string{"no phone is called 2002"}},
		{"capture differs", text + "\n  CSeq: $n MESSAGE\n  Call-ID: $n", 8, []string{"Call-ID is"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := performSIP(t, tt.text)
			if err == nil {
				t.Fatal("it passed")
			}
			for _, part := range append(tt.want, fmt.Sprintf("talk.txt:%d: ", tt.line)) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("not said: %q\nbut:\n%v", part, err)
				}
			}
		})
	}
	if err := perform(t, "phones 2001"); err == nil || !strings.Contains(err.Error(), "this server does not speak SIP") {
		t.Error(err)
	}
}

func TestPhoneMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"2001 registers soon":           "registers for how long",
		"2001 calls":                    "whom does it call?",
		"2001 rings twice":              "rings stands alone",
		"2001 > NOTIFY sip:x\n  tea":    "no header, and no -- before a body",
		"2001 < NOTIFY\n  --\n  <a><b>": "syntax error",
	} {
		if _, err := parse("talk.txt", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
