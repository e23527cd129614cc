package siptest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
)

// Options say what a phone is.
type Options struct {
	User     string
	Domain   string
	Password string
	At       netip.AddrPort // its own address
	Gateway  netip.AddrPort // all that it sends goes there
	TCP      bool

	// Word stands in all that it makes unique; "" is the user. Several phones of one
	// user need one each.
	Word string

	// Manual makes it a peer that does nothing by itself: it neither answers nor
	// acknowledges nor authenticates.
	Manual bool

	// Datagram is the size of the largest message that it can take; 0 is 64 KiB. Where
	// there are thousands of phones they need not have room for more than comes.
	Datagram int

	// Heard is called with all that it sends (">") and receives ("<").
	Heard func(mark, text string)

	// Lost is called when the other end has closed its connection.
	Lost func()
}

// A Phone is a telephone, or a PBX, or whoever speaks SIP. Unless it is manual it
// answers what phones answer without asking anybody: challenges by credentials,
// final responses to its calls by ACK; and OPTIONS, NOTIFY, MESSAGE, BYE and CANCEL
// by 200.
type Phone struct {
	o     Options
	net   Wires
	run   sync.WaitGroup
	carry func(string) error
	cut   func()

	mu      sync.Mutex // guards what follows
	number  int        // of tags, branches and Call-IDs
	cseq    int
	boot    int
	count   int    // how often the nonce was used
	nonce   string // of the last challenge
	sent    map[string]*Message
	seen    map[string]bool
	replied map[string]string // what was answered last to requests, as they came
	unread  []*Message
	news    chan struct{} // holds a token if there is something unread
	dialogs []*dialog     // the one touched last stands last
	last    *Message      // the request that is answered next
	gone    bool
}

// NewPhone makes a phone and lets it listen.
func NewPhone(n Wires, o Options) (*Phone, error) {
	if o.Word == "" {
		o.Word = o.User
	}
	p := &Phone{o: o, net: n, sent: map[string]*Message{}, seen: map[string]bool{}, replied: map[string]string{}, news: make(chan struct{}, 1)}
	return p, p.plugIn()
}

// plugIn opens the socket.
func (p *Phone) plugIn() error {
	if p.o.TCP {
		nc, err := p.net.DialFrom(context.Background(), p.o.At, p.o.Gateway)
		if err != nil {
			return err
		}
		out := make(chan string, 1024)
		end := make(chan struct{})
		p.carry = func(s string) error { out <- s; return nil }
		p.cut = func() { nc.Close(); close(end) }
		p.run.Go(func() {
			p.stream(nc)
			p.mu.Lock()
			lost := !p.gone
			p.mu.Unlock()
			if lost && p.o.Lost != nil {
				p.o.Lost()
			}
		})
		p.run.Go(func() {
			for {
				select {
				case s := <-out:
					io.WriteString(nc, s)
				case <-end:
					return
				}
			}
		})
		return nil
	}
	socket, err := p.net.ListenPacket(p.o.At.String())
	if err != nil {
		return err
	}
	p.carry = func(s string) error {
		_, err := socket.WriteToUDPAddrPort([]byte(s), p.o.Gateway)
		return err
	}
	p.cut = func() { socket.Close() }
	size := p.o.Datagram
	if size == 0 {
		size = 1 << 16
	}
	p.run.Go(func() {
		buf := make([]byte, size)
		for {
			n, from, err := socket.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			p.receive(string(buf[:n]), from)
		}
	})
	return nil
}

// stream reads messages from a connection.
func (p *Phone) stream(nc net.Conn) {
	r := bufio.NewReader(nc)
	for {
		var head strings.Builder
		length := 0
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if name, value, ok := strings.Cut(line, ":"); ok && full(strings.TrimSpace(name)) == "content-length" {
				length, _ = strconv.Atoi(strings.TrimSpace(value))
			}
			if line == "\r\n" && head.Len() == 0 {
				continue // the answer to a keep-alive
			}
			if head.WriteString(line); line == "\r\n" {
				break
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		p.receive(head.String()+string(body), p.o.Gateway)
	}
}

// Close pulls the plug: nothing is said.
func (p *Phone) Close() {
	p.mu.Lock()
	gone := p.gone
	p.gone = true
	p.mu.Unlock()
	if !gone {
		p.cut()
	}
	p.run.Wait()
}

// Reboot pulls the plug and puts it in again: the phone has forgotten everything
// but who it is.
func (p *Phone) Reboot() error {
	p.Close()
	p.mu.Lock()
	p.gone, p.dialogs, p.last, p.unread = false, nil, nil, nil
	p.boot++
	p.cseq, p.nonce = 0, ""
	p.mu.Unlock()
	return p.plugIn()
}

// Reconnect opens the socket anew, after the connection has broken: the phone knows
// everything that it knew.
func (p *Phone) Reconnect() error {
	p.Close()
	p.mu.Lock()
	p.gone = false
	p.mu.Unlock()
	return p.plugIn()
}

// Name is the phone's user part.
func (p *Phone) Name() string { return p.o.User }

// Instance is what tells that it is the same phone after a reboot
// (RFC 5626 §4.1).
func (p *Phone) Instance() string {
	at := p.o.At.Addr().As16()
	return fmt.Sprintf("<urn:uuid:00000000-0000-1000-8000-%012x>", at[10:])
}

// Unread are the messages that nobody has taken.
func (p *Phone) Unread() []*Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Message(nil), p.unread...)
}

// leave has a message wait for somebody to read it; mu is held.
func (p *Phone) leave(m *Message) {
	p.unread = append(p.unread, m)
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// Take takes one of the unread messages. A request is then the one that a response
// without more answers.
func (p *Phone) Take(m *Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, u := range p.unread {
		if u == m {
			p.unread = append(p.unread[:i:i], p.unread[i+1:]...)
		}
	}
	if m.Method != "" {
		p.last = m
		p.touch(p.find(m.Header("Call-ID")))
	}
}

// Forget takes all that is unread.
func (p *Phone) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unread = nil
}

// Raw sends text as it is.
func (p *Phone) Raw(text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.say(text)
}

var errGone = errors.New("siptest: the phone's plug has been pulled")

// say sends; mu is held.
func (p *Phone) say(text string) error {
	if p.gone {
		return errGone
	}
	if p.o.Heard != nil {
		p.o.Heard(">", text)
	}
	return p.carry(text)
}

// receive takes what has come. What comes again is not looked at but answered as it
// was before (RFC 3261 §17.2): that the gateway sends again what was not answered is
// tested elsewhere.
func (p *Phone) receive(raw string, from netip.AddrPort) {
	m, err := parse(raw, from)
	if err != nil {
		m = &Message{Raw: raw, From: from}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen[raw] {
		if again := p.replied[raw]; again != "" {
			p.say(again)
		}
		return
	}
	p.seen[raw] = true
	if p.o.Heard != nil {
		p.o.Heard("<", raw)
	}
	if err != nil {
		p.leave(m)
		return
	}
	if m.Status != 0 {
		p.answered(m)
		return
	}
	p.asked(m)
}
