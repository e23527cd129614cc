package transcript

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

const (
	nsSASL = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind = "urn:ietf:params:xml:ns:xmpp-bind"

	openingTag = "<?xml version='1.0'?><stream:stream to='" + Domain + "' version='1.0' xml:lang='en' xmlns='" +
		nsClient + "' xmlns:stream='" + nsStream + "'>"
)

func base64Plain(name, password string) string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + password))
}

// configure is a config line.
type configure struct{ key, value string }

func (a configure) act(st *stage) error {
	if st.world != nil {
		return errors.New("config comes before anything else: the server is running already")
	}
	st.options[a.key] = a.value
	return nil
}

// accounts makes accounts that nothing else mentions.
type accounts []string

func (a accounts) act(st *stage) error {
	for _, name := range a {
		if err := st.account(name); err != nil {
			return err
		}
	}
	return nil
}

// contacts puts each into everybody else's roster.
type contacts []string

func (a contacts) act(st *stage) error {
	for i, one := range a {
		for _, other := range a[i+1:] {
			if err := st.acquaint(one, other, "both", "both"); err != nil {
				return err
			}
		}
	}
	return nil
}

// follows has one see the presence of others.
type follows struct {
	who  string
	whom []string
}

func (a follows) act(st *stage) error {
	for _, whom := range a.whom {
		if err := st.acquaint(a.who, whom, "to", "from"); err != nil {
			return err
		}
	}
	return nil
}

// acquaint fills the rosters of those of the two who have an account here.
func (st *stage) acquaint(one, other, ones, others string) error {
	for _, side := range []struct{ owner, contact, subscription string }{{one, other, ones}, {other, one, others}} {
		if strings.Contains(side.owner, "@") {
			continue // an address elsewhere
		}
		if err := st.account(side.owner); err != nil {
			return err
		}
	}
	for _, side := range []struct{ owner, contact, subscription string }{{one, other, ones}, {other, one, others}} {
		if strings.Contains(side.owner, "@") {
			continue
		}
		if err := st.open().AddContact(side.owner, side.contact, side.subscription); err != nil {
			return fmt.Errorf("put %s into the roster of %s: %w", side.contact, side.owner, err)
		}
	}
	return nil
}

// A state is how far a client has come.
type state int

const (
	authenticated state = iota
	connected
	online
)

func (s state) String() string {
	return [...]string{authenticated: "authenticated", connected: "connected", online: "online"}[s]
}

// arrive brings clients onto the stage.
type arrive struct {
	who   []string // "ada/desk"
	state state
}

func (a arrive) act(st *stage) error {
	for _, name := range a.who {
		if st.isComponent(name) {
			continue
		}
		account, _, _ := strings.Cut(name, "/")
		if err := st.account(account); err != nil {
			return err
		}
	}
	mark := st.mark()
	if err := a.enter(st); err != nil {
		return err
	}
	st.brief(mark, strings.Join(a.who, ", ")+" "+a.state.String())
	return nil
}

func (a arrive) enter(st *stage) error {
	for _, name := range a.who {
		if old, err := st.client(name); err == nil && old.name == name && !old.gone() {
			return fmt.Errorf("%s is here already", name)
		}
		if st.isComponent(name) {
			if err := st.introduce(name); err != nil {
				return err
			}
			continue
		}
		if a.state != authenticated && !strings.Contains(name, "/") {
			return fmt.Errorf("%s is no component: write `component %s` before anything else", name, name)
		}
		account, _, _ := strings.Cut(name, "/")
		c := st.connect(account, name)
		if err := st.login(c); err != nil {
			return err
		}
		if a.state == authenticated {
			continue
		}
		if err := st.bind(c); err != nil {
			return err
		}
		if a.state == online {
			// RFC 6121 §2.2: the roster is asked for before presence is sent.
			st.say(c, "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
			st.say(c, "<presence/>")
		}
	}
	if a.state == online {
		return st.hush(a.who)
	}
	return nil
}

// hush waits until all is quiet and throws away what nobody has read. Those who
// just came must still be there.
func (st *stage) hush(came []string) error {
	settle()
	for _, c := range st.clients {
		c.forget()
	}
	for _, name := range came {
		c, err := st.client(name)
		if err != nil {
			return err
		}
		if left := c.unread(); len(left) > 0 {
			return fmt.Errorf("%s did not stay online: %s", name, left[0].describe())
		}
	}
	return nil
}

// tap opens raw connections.
type tap []string

func (a tap) act(st *stage) error {
	for _, name := range a {
		if name, ok := strings.CutSuffix(name, " for components"); ok {
			if _, err := st.dialComponent(name); err != nil {
				return err
			}
			continue
		}
		st.connect("", name)
	}
	return nil
}

// resume gives a client a new connection, logged in.
type resume string

func (a resume) act(st *stage) error {
	c, err := st.client(string(a))
	if err != nil {
		return err
	}
	if c.account == "" {
		return fmt.Errorf("%s is a raw connection and has no account to log in with", c.name)
	}
	mark := st.mark()
	if err := st.login(st.connect(c.account, c.name)); err != nil {
		return err
	}
	st.brief(mark, c.name+" is back, authenticated")
	return nil
}
