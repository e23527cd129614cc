package transcript

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// fake is a small server to converse with: it routes messages, broadcasts
// presence to everybody, and some addresses make it do what tests want to see.
//
//	later@x   answers after a minute
//	number@x  answers with an id of the server's making
//	lag@x     answers within the grace
//	quit@x    ends the stream with an error; cut@x and half@x end it badly
type fake struct {
	rosters map[string]string
	runs    sync.WaitGroup
	done    chan struct{}

	mu     sync.Mutex
	lines  []*line
	number int
}

// line is one client's connection at the server.
type line struct {
	conn net.Conn
	user string
	full string // empty until bound
}

func newFake() *fake { return &fake{rosters: map[string]string{}, done: make(chan struct{})} }

func (f *fake) AddAccount(name, password string) error {
	if name == "nobody" {
		return errors.New("there is no such person")
	}
	f.rosters[name] += ""
	return nil
}

func (f *fake) AddContact(owner, contact, subscription string) error {
	f.rosters[owner] += fmt.Sprintf("<item jid='%s' subscription='%s'/>", contact, subscription)
	return nil
}

func (f *fake) Dial() net.Conn {
	ours, theirs := net.Pipe()
	l := &line{conn: ours}
	f.mu.Lock()
	f.lines = append(f.lines, l)
	f.mu.Unlock()
	f.runs.Go(func() { f.serve(l) })
	return theirs
}

func (f *fake) Close() {
	close(f.done)
	f.mu.Lock()
	for _, l := range f.lines {
		l.conn.Close()
	}
	f.mu.Unlock()
	f.runs.Wait()
}

func (f *fake) serve(l *line) {
	dec := xml.NewDecoder(l.conn)
	headers := 0
	for {
		it, err := next(dec, &headers)
		switch {
		case err != nil:
			f.write(l, "<stream:error><not-well-formed xmlns='"+nsErrors+"'/></stream:error></stream:stream>")
			l.conn.Close()
			return
		case it.kind == header:
			f.write(l, "<?xml version='1.0'?><stream:stream from='x' id='s"+l.user+
				"' version='1.0' xmlns='"+nsClient+"' xmlns:stream='"+nsStream+"'><stream:features/>")
		case it.kind == closing:
			f.write(l, "</stream:stream>")
			l.conn.Close()
			return
		default:
			f.answer(l, it.node)
		}
	}
}

func (f *fake) answer(l *line, n *node) {
	id, _ := n.attr(xml.Name{Local: "id"})
	to, _ := n.attr(xml.Name{Local: "to"})
	switch {
	case n.name.Local == "auth":
		f.authenticate(l, n.text)
	case n.name.Local == "iq" && len(n.kids) == 1 && n.kids[0].name.Local == "bind":
		l.full = l.user + "@x/" + n.kids[0].kids[0].text
		f.write(l, "<iq type='result' id='"+id+"'><bind xmlns='"+nsBind+"'><jid>"+l.full+"</jid></bind></iq>")
	case n.name.Local == "iq":
		f.write(l, "<iq type='result' id='"+id+"'><query xmlns='jabber:iq:roster'>"+f.rosters[l.user]+"</query></iq>")
	case n.name.Local == "presence":
		f.forward(l, "", n)
	case strings.HasSuffix(to, "@x") && f.trick(l, strings.TrimSuffix(to, "@x")):
	default:
		f.forward(l, to, n)
	}
}

func (f *fake) authenticate(l *line, text string) {
	for name := range f.rosters {
		if base64Plain(name, Password) == text {
			l.user = name
			f.write(l, "<success xmlns='"+nsSASL+"'/>")
			return
		}
	}
	f.write(l, "<failure xmlns='"+nsSASL+"'><not-authorized/></failure>")
}

// trick does what the test wants to see of a server.
func (f *fake) trick(l *line, name string) bool {
	switch name {
	case "later":
		f.reply(l, time.Minute, "<message from='later@x'><body>at last</body></message>")
	case "lag":
		f.reply(l, Grace/2, "<message from='lag@x'><body>in a moment</body></message>")
	case "number":
		f.mu.Lock()
		f.number++
		text := fmt.Sprintf("<message from='number@x' id='n%d'><body>number n%d, really</body></message>", f.number, f.number)
		f.mu.Unlock()
		f.write(l, text)
	case "quit":
		f.write(l, "<stream:error><conflict xmlns='"+nsErrors+"'/><text xmlns='"+nsErrors+"'>why</text></stream:error></stream:stream>")
		l.conn.Close()
	case "cut":
		l.conn.Close()
	case "half":
		f.write(l, "<message><body>do")
		l.conn.Close()
	case "comment":
		f.write(l, "<!-- hello -->")
	default:
		return false
	}
	return true
}

func (f *fake) reply(l *line, d time.Duration, text string) {
	f.runs.Go(func() {
		select {
		case <-time.After(d):
			f.write(l, text)
		case <-f.done:
		}
	})
}

// forward sends a stanza to everybody whom the address names, or to all others.
func (f *fake) forward(l *line, to string, n *node) {
	stamped := *n
	stamped.attrs = append(stamped.attrs, xml.Attr{Name: xml.Name{Local: "from"}, Value: l.full})
	f.mu.Lock()
	others := append([]*line(nil), f.lines...)
	f.mu.Unlock()
	for _, o := range others {
		if o.full == "" || (to == "" && o == l) || (to != "" && o.full != to && !strings.HasPrefix(o.full, to+"/")) {
			continue
		}
		f.write(o, stamped.show())
	}
}

func (f *fake) write(l *line, text string) { fmt.Fprint(l.conn, text) }
