package transcript

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing/synctest"

	"rollcall/sipgw/siptest"
)

// A Switchboard is a World whose server speaks SIP, at the domain [Domain].
type Switchboard interface {
	// SIP returns the network that phones are in, and where the server listens.
	SIP() (*siptest.Network, netip.AddrPort)
	// AddDevice makes a device that registers as a user with a password.
	AddDevice(user, password string) error
}

var errNoSIP = errors.New("this server does not speak SIP")

// plug is the line that brings phones onto the stage, or peers, which do nothing
// by themselves and are no devices.
type plug struct {
	who  []string
	peer bool
	at   string // "" gives each an address
	tcp  bool
	nat  bool
}

func (a plug) act(st *stage) error {
	board, ok := st.open().(Switchboard)
	if !ok {
		return errNoSIP
	}
	network, gateway := board.SIP()
	for _, name := range a.who {
		if st.phone(name) != nil {
			return fmt.Errorf("%s is here already", name)
		}
		o := siptest.Options{
			User: name, Domain: Domain, Gateway: gateway, TCP: a.tcp, Manual: a.peer,
			Heard: func(mark, text string) { st.note(name, mark, readable(text)) },
		}
		var err error
		if o.At, err = a.address(len(st.phones)); err != nil {
			return err
		}
		if a.nat {
			network.Hide(o.At, netip.AddrPortFrom(netip.MustParseAddr("203.0.113.1"), uint16(30_000+len(st.phones))))
		}
		if !a.peer {
			o.Password = Password
			if err := board.AddDevice(name, Password); err != nil {
				return fmt.Errorf("make the device %s: %w", name, err)
			}
		}
		p, err := siptest.NewPhone(network, o)
		if err != nil {
			return err
		}
		st.phones = append(st.phones, p)
	}
	return nil
}

// address is where the n-th phone is.
func (a plug) address(n int) (netip.AddrPort, error) {
	if a.at == "" {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n + 1)}), 5060), nil
	}
	if ip, err := netip.ParseAddr(a.at); err == nil {
		return netip.AddrPortFrom(ip, 5060), nil
	}
	return netip.ParseAddrPort(a.at)
}

// readable is a SIP message as the log shows it.
func readable(text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\r\n"), "\r\n", "\n\t")
}

// phone finds a phone by its name, nil if there is none.
func (st *stage) phone(name string) *siptest.Phone {
	for _, p := range st.phones {
		if p.Name() == name {
			return p
		}
	}
	return nil
}

// awaitPhone returns what a phone has not read, and waits for the grace when there
// is nothing.
func (st *stage) awaitPhone(p *siptest.Phone) []*siptest.Message {
	synctest.Wait()
	if got := p.Unread(); len(got) > 0 {
		return got
	}
	pass(Grace)
	return p.Unread()
}

// say has a phone send a message, and lets all that comes of it happen.
func say(p *siptest.Phone, text string) error {
	m, err := siptest.Write(text)
	if err != nil {
		return err
	}
	if err := p.Say(m); err != nil {
		return err
	}
	synctest.Wait()
	return nil
}

// sipSend has a phone say something.
type sipSend struct{ who, text string }

func (a sipSend) act(st *stage) error {
	p := st.phone(a.who)
	if p == nil {
		return fmt.Errorf("no phone is called %s", a.who)
	}
	return say(p, st.known.fill(a.text))
}

// sipReceive expects the next message, or one among those that are unread.
type sipReceive struct {
	who  string
	want *sipPattern
	any  bool
}

func (a sipReceive) act(st *stage) error {
	p := st.phone(a.who)
	if p == nil {
		return fmt.Errorf("no phone is called %s", a.who)
	}
	if st.taken(p, a.want, a.any) {
		return nil
	}
	if a.any {
		settle()
		if st.taken(p, a.want, true) {
			return nil
		}
	}
	got := st.awaitPhone(p)
	if len(got) == 0 {
		return fmt.Errorf("nothing came, expected\n\t%s", indent(a.want.source))
	}
	known, err := a.want.match(got[0], st.known)
	if err != nil {
		return fmt.Errorf("expected\n\t%s\nand there came\n\t%s\n%w", indent(a.want.source), indent(readable(got[0].Raw)), err)
	}
	st.known = known
	p.Take(got[0])
	return nil
}

// taken takes the first unread message if it matches, or the first that does.
func (st *stage) taken(p *siptest.Phone, want *sipPattern, any bool) bool {
	synctest.Wait()
	for _, m := range p.Unread() {
		if known, err := want.match(m, st.known); err == nil {
			st.known = known
			p.Take(m)
			return true
		}
		if !any {
			return false
		}
	}
	return false
}

// hushed wants a phone to have nothing to read.
func (st *stage) hushed(p *siptest.Phone) error {
	settle()
	if got := p.Unread(); len(got) > 0 {
		var all strings.Builder
		for _, m := range got {
			all.WriteString("\n\t" + indent(readable(m.Raw)))
		}
		return errors.New("expected nothing, and there came" + all.String())
	}
	return nil
}

// unplug pulls a phone's plug: it is gone without a word, and off the stage.
func (st *stage) unplug(p *siptest.Phone) {
	st.note(p.Name(), ">", "(the plug is pulled)")
	p.Close()
	st.phones = slices.DeleteFunc(st.phones, func(o *siptest.Phone) bool { return o == p })
	settle()
}
