package transcript

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

const nsAccept = "jabber:component:accept"

// ComponentSecret is the secret of every component.
const ComponentSecret = "a secret of components"

// Components is a world that components can connect to (XEP-0114). Its option
// components.domains, a list of tables with a name and a secret, says which.
type Components interface {
	// DialComponent returns a component's end of a new connection.
	DialComponent() net.Conn
}

// declare says that components serve domains.
type declare []string

func (a declare) act(st *stage) error {
	if st.world != nil {
		return errors.New("a component is named before anything else: the server is running already")
	}
	st.components = append(st.components, a...)
	var list []string
	for _, name := range st.components {
		list = append(list, fmt.Sprintf("{ name = %q, secret = %q }", name, ComponentSecret))
	}
	st.options["components.domains"] = "[" + strings.Join(list, ", ") + "]"
	return nil
}

// dialComponent opens a connection to where components connect.
func (st *stage) dialComponent(name string) (*client, error) {
	w, ok := st.open().(Components)
	if !ok {
		return nil, errors.New("there are no components in this world")
	}
	return st.enter("", name, w.DialComponent(), true), nil
}

// isComponent reports whether a domain was said to be a component's.
func (st *stage) isComponent(name string) bool { return slices.Contains(st.components, name) }

// introduce connects a component and has it prove its secret.
func (st *stage) introduce(name string) error {
	c, err := st.dialComponent(name)
	if err != nil {
		return err
	}
	st.say(c, "<stream:stream xmlns='"+nsAccept+"' xmlns:stream='"+nsStream+"' to='"+name+"'>")
	got := st.await(c, 1)
	if len(got) == 0 || got[0].kind != header {
		return fmt.Errorf("%s got no stream header, but%s", name, list(got))
	}
	id, _ := got[0].node.attr(xml.Name{Local: "id"})
	c.take(0)
	sum := sha1.Sum([]byte(id + ComponentSecret))
	handshake := "<handshake>" + hex.EncodeToString(sum[:]) + "</handshake>"
	if err := st.exchange(c, handshake, xml.Name{Space: nsClient, Local: "handshake"}); err != nil {
		return fmt.Errorf("%s is not let in: %w", name, err)
	}
	return nil
}

// swap exchanges the namespace of components' streams and that of clients in an
// element, so that patterns for both read the same, and each in the wrong place is
// found.
func swap(n *node) {
	switch n.name.Space {
	case nsAccept:
		n.name.Space = nsClient
	case nsClient:
		n.name.Space = nsAccept
	}
	for _, kid := range n.kids {
		swap(kid)
	}
}
