package transcript

import (
	"fmt"
	"strconv"
	"time"

	"rollcall/sipgw/siptest"
)

// sdp is what a phone says of its media.
const sdp = "\nContent-Type: application/sdp\n--\nv=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\nm=audio 4000 RTP/AVP 8\n"

// dialing is a line that says in a few words what a phone does.
type dialing struct {
	who, verb, rest string
}

func (a dialing) act(st *stage) error {
	p := st.phone(a.who)
	if p == nil {
		return fmt.Errorf("no phone is called %s", a.who)
	}
	switch a.verb {
	case "registers":
		return st.register(p, a.rest)
	case "unregisters":
		return st.register(p, "for 0s")
	case "reboots":
		err := p.Reboot()
		settle()
		return err
	case "calls":
		return say(p, "INVITE sip:"+a.rest+"@"+Domain+sdp)
	case "hangs up":
		return st.hangUpPhone(p)
	}
	return st.answerCall(p, map[string]string{
		"rings": "180 Ringing", "answers": "200 OK" + sdp, "declines": "603 Decline", "is busy": "486 Busy Here",
	}[a.verb])
}

// register sends a REGISTER and wants it to succeed. Challenges are answered on
// the way.
func (st *stage) register(p *siptest.Phone, how string) error {
	expires := 3600
	if how != "" {
		d, err := time.ParseDuration(how[len("for "):])
		if err != nil {
			return err
		}
		expires = int(d / time.Second)
	}
	if err := say(p, "REGISTER sip:"+Domain+"\nExpires: "+strconv.Itoa(expires)); err != nil {
		return err
	}
	return st.want(p, "200\nCSeq: …REGISTER")
}

// want takes a message that must be the next.
func (st *stage) want(p *siptest.Phone, text string) error {
	pattern, err := readSIP(text)
	if err != nil {
		return err
	}
	return sipReceive{who: p.Name(), want: pattern}.act(st)
}

// answerCall answers the INVITE that has come, read or not.
func (st *stage) answerCall(p *siptest.Phone, text string) error {
	st.awaitPhone(p)
	for _, m := range p.Unread() {
		if m.Method == "INVITE" {
			p.Take(m)
		}
	}
	m, err := siptest.Write(text)
	if err != nil {
		return err
	}
	if err := p.Answer(m); err != nil {
		return err
	}
	settle()
	return nil
}

// hangUpPhone ends the last call: by BYE, by CANCEL while nobody has answered, or
// by declining it.
func (st *stage) hangUpPhone(p *siptest.Phone) error {
	method, err := p.HangUp()
	if err != nil {
		return err
	}
	settle()
	if method == "" {
		return nil
	}
	pattern, err := readSIP("200\nCSeq: …" + method)
	if err != nil {
		return err
	}
	return sipReceive{who: p.Name(), want: pattern, any: true}.act(st)
}

// inCall is the line by which two phones are in a call, and nothing of how it came
// about is left to read.
type inCall struct{ caller, called string }

func (a inCall) act(st *stage) error {
	mark := st.mark()
	for _, line := range []dialing{{a.caller, "calls", a.called}, {a.called, "rings", ""}, {a.called, "answers", ""}} {
		if err := line.act(st); err != nil {
			return err
		}
	}
	caller, called := st.phone(a.caller), st.phone(a.called)
	pattern, err := readSIP("200\nCSeq: …INVITE")
	if err != nil {
		return err
	}
	if err := (sipReceive{who: a.caller, want: pattern, any: true}).act(st); err != nil {
		return err
	}
	caller.Forget()
	called.Forget()
	st.brief(mark, a.caller+" and "+a.called+" are in a call")
	return nil
}
