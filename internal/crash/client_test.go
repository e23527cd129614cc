package crash

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// element is what a server says at once, as far as these tests look at it.
type element struct {
	XMLName xml.Name
	From    string `xml:"from,attr"`
	Type    string `xml:"type,attr"`
	ID      string `xml:"id,attr"`
	H       string `xml:"h,attr"`
	Body    string `xml:"body"`
	Show    string `xml:"show"`
	Status  string `xml:"status"`
	Error   struct {
		Type string `xml:"type,attr"`
	} `xml:"jabber:client error"`
	StanzaID struct {
		ID string `xml:"id,attr"`
	} `xml:"urn:xmpp:sid:0 stanza-id"`
	Result *struct {
		ID      string `xml:"id,attr"`
		Message struct {
			From string `xml:"from,attr"`
			To   string `xml:"to,attr"`
			Body string `xml:"body"`
		} `xml:"forwarded>message"`
	} `xml:"urn:xmpp:mam:2 result"`
	Fin *struct {
		Complete string `xml:"complete,attr"`
		Last     string `xml:"http://jabber.org/protocol/rsm set>last"`
	} `xml:"urn:xmpp:mam:2 fin"`
	Inner string `xml:",innerxml"`
}

func (e *element) is(local string) bool { return e.XMLName.Local == local }

func (e *element) stanza() bool { return e.XMLName.Space == "jabber:client" }

// client is a connection to the program. It belongs to one goroutine.
type client struct {
	conn net.Conn
	dec  *xml.Decoder

	managed bool   // XEP-0198 is on
	handled uint32 // stanzas taken, since then
	previd  string // what to resume with
	ping    int
}

// dial connects and logs in, but for the resource.
func dial(address, name string) (*client, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn}
	if err := c.authenticate(name); err != nil {
		conn.Close()
		return nil, fmt.Errorf("log %s in: %w", name, err)
	}
	return c, nil
}

func (c *client) authenticate(name string) error {
	auth := base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + password))
	if err := c.open(); err != nil {
		return err
	}
	if err := c.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + auth + "</auth>"); err != nil {
		return err
	}
	if _, err := c.want("success"); err != nil {
		return err
	}
	return c.open()
}

func (c *client) open() error {
	c.dec = xml.NewDecoder(c.conn)
	err := c.say("<?xml version='1.0'?><stream:stream to='" + domain +
		"' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
	if err != nil {
		return err
	}
	_, err = c.want("features")
	return err
}

// bind binds a resource.
func (c *client) bind(resource string) error {
	err := c.say("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + resource + "</resource></bind></iq>")
	if err != nil {
		return err
	}
	_, err = c.want("iq")
	return err
}

// manage turns on XEP-0198 with resumption.
func (c *client) manage() error {
	if err := c.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>"); err != nil {
		return err
	}
	e, err := c.want("enabled")
	if err == nil {
		c.managed, c.handled, c.previd = true, 0, e.ID
	}
	return err
}

// login connects and binds a resource.
func login(address, name, resource string) (*client, error) {
	c, err := dial(address, name)
	if err != nil {
		return nil, err
	}
	if err := c.bind(resource); err != nil {
		c.conn.Close()
		return nil, err
	}
	return c, nil
}

// resume gives up the connection for another and resumes the session there. The
// answer is <resumed/> or <failed/>, and until a resource is bound after the
// latter nothing else goes.
func (c *client) resume(address, name string) (*element, error) {
	c.conn.Close()
	n, err := dial(address, name)
	if err != nil {
		return nil, err
	}
	c.conn, c.dec = n.conn, n.dec
	err = c.say("<resume xmlns='urn:xmpp:sm:3' previd='" + c.previd + "' h='" + strconv.FormatUint(uint64(c.handled), 10) + "'/>")
	if err != nil {
		return nil, err
	}
	e, err := c.next()
	if err == nil && !e.is("resumed") && !e.is("failed") {
		err = fmt.Errorf("<resume/> was answered with <%s>%s", e.XMLName.Local, e.Inner)
	}
	c.managed = err == nil && e.is("resumed")
	return e, err
}

// acknowledge says what was taken.
func (c *client) acknowledge() error {
	return c.say("<a xmlns='urn:xmpp:sm:3' h='" + strconv.FormatUint(uint64(c.handled), 10) + "'/>")
}

func (c *client) say(text string) error {
	c.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := io.WriteString(c.conn, text)
	return err
}

// next returns what comes next. At the end of the stream that is io.EOF.
func (c *client) next() (*element, error) {
	c.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		token, err := c.dec.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return nil, io.EOF
		case xml.StartElement:
			if token.Name.Local == "stream" {
				continue // the header
			}
			e := new(element)
			if err := c.dec.DecodeElement(e, &token); err != nil {
				return nil, err
			}
			if c.managed && e.stanza() {
				c.handled++
			}
			return e, nil
		}
	}
}

// lastWords returns the stream error that came before the connection was lost,
// or else what was noticed first.
func (c *client) lastWords(first error) error {
	for {
		e, err := c.next()
		if err != nil {
			return first
		}
		if e.is("error") {
			return errors.New("stream error: " + e.Inner)
		}
	}
}

// want is next where only one thing will do.
func (c *client) want(local string) (*element, error) {
	e, err := c.next()
	if err == nil && (!e.is(local) || e.Type == "error") {
		err = fmt.Errorf("got <%s>%s, not <%s/>", e.XMLName.Local, e.Inner, local)
	}
	return e, err
}

// ask sends a request to one's own account and hands all that comes before the
// result to others.
func (c *client) ask(typ, to, payload string, others func(*element)) (*element, error) {
	c.ping++
	id := fmt.Sprintf("ask%d", c.ping)
	if err := c.say("<iq type='" + typ + "' id='" + id + "'" + to + ">" + payload + "</iq>"); err != nil {
		return nil, err
	}
	for {
		e, err := c.next()
		switch {
		case err != nil:
			return nil, err
		case e.is("iq") && e.ID == id && e.Type == "result":
			return e, nil
		case e.is("iq") && e.ID == id:
			return nil, fmt.Errorf("refused: %s", e.Inner)
		}
		others(e)
	}
}

// sync returns when all that was sent before has been handled.
func (c *client) sync(others func(*element)) error {
	_, err := c.ask("get", " to='"+domain+"'", "<ping xmlns='urn:xmpp:ping'/>", others)
	return err
}

// close ends the stream in good order, and hands what still comes to others.
func (c *client) close(others func(*element)) error {
	defer c.conn.Close()
	if err := c.say("</stream:stream>"); err != nil {
		return err
	}
	for {
		e, err := c.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		others(e)
	}
}

// message is a numbered message.
func message(n int, to string) string {
	number := strconv.Itoa(n)
	return "<message type='chat' id='m" + number + "' to='" + to + "@" + domain + "'><body>" + number + "</body></message>"
}

// late reports whether an error says that something did not come in time;
// others say that the connection is gone.
func late(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// local is the name before the @.
func local(address string) string {
	name, _, _ := strings.Cut(address, "@")
	return name
}
