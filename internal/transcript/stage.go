package transcript

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"rollcall/sipgw/siptest"
)

// A script is a conversation that has been read.
type script struct {
	file  string
	steps []step
}

// A step is one line of a conversation, with those that go on with it.
type step struct {
	line   int
	source string
	do     action
}

// An action is what a step does.
type action interface {
	act(*stage) error
}

// A stage is a conversation while it is played.
type stage struct {
	build      func(options map[string]string) World
	options    map[string]string
	components []string // domains that components serve
	world      World    // nil until something needs it
	accounts   map[string]bool
	clients    []*client
	past       []*client // dropped or replaced, and still to be waited for
	phones     []*siptest.Phone
	known      vars
	start      time.Time

	mu  sync.Mutex
	log []string // what was said, in its order
}

// play performs the script; it must be called inside of a bubble. All that it
// starts has ended when it returns.
func (s *script) play(build func(options map[string]string) World) error {
	st := &stage{
		build:    build,
		options:  map[string]string{},
		accounts: map[string]bool{},
		known:    vars{},
		start:    time.Now(),
	}
	defer st.end()
	for _, step := range s.steps {
		if err := step.do.act(st); err != nil {
			return fmt.Errorf("%s:%d: %s\n%w\n%s", s.file, step.line, indent(step.source), err, st.soFar())
		}
	}
	return nil
}

func (st *stage) end() {
	for _, c := range append(st.past, st.clients...) {
		c.hangUp()
	}
	for _, p := range st.phones {
		p.Close()
	}
	if st.world != nil {
		st.world.Close()
	}
}

// open makes the world when it is first needed.
func (st *stage) open() World {
	if st.world == nil {
		st.world = st.build(st.options)
	}
	return st.world
}

// restart is the line by which the server is stopped and started.
type restart struct{}

func (restart) act(st *stage) error {
	w, ok := st.open().(Restarter)
	if !ok {
		return errors.New("this server cannot be started again")
	}
	w.Restart()
	synctest.Wait()
	return nil
}

// beyond has something happen to the gateway or the link to it.
type beyond func(Beyond)

func (do beyond) act(st *stage) error {
	w, ok := st.open().(Beyond)
	if !ok {
		return errors.New("the gateway of this server is a part of it")
	}
	do(w)
	synctest.Wait()
	return nil
}

// account makes an account unless there is one.
func (st *stage) account(name string) error {
	if st.accounts[name] {
		return nil
	}
	st.accounts[name] = true
	if err := st.open().AddAccount(name, Password); err != nil {
		return fmt.Errorf("make the account %s: %w", name, err)
	}
	return nil
}

// connect opens a connection under a client's name.
func (st *stage) connect(account, name string) *client {
	return st.enter(account, name, st.open().Dial(), false)
}

// enter brings a connection onto the stage, which may be a component's.
func (st *stage) enter(account, name string, conn net.Conn, component bool) *client {
	c := newClient(account, name, conn, component, func(c *client, raw string) {
		st.note(c.name, "<", raw)
	})
	st.leave(name)
	st.clients = append(st.clients, c)
	return c
}

// leave takes a client off the stage without ending its connection.
func (st *stage) leave(name string) {
	for i, c := range st.clients {
		if c.name == name {
			st.past = append(st.past, c)
			st.clients = append(st.clients[:i:i], st.clients[i+1:]...)
			return
		}
	}
}

// client finds who is meant by a full or a short name.
func (st *stage) client(name string) (*client, error) {
	var found []*client
	for _, c := range st.clients {
		if c.name == name {
			return c, nil
		}
		account, resource, _ := strings.Cut(c.name, "/")
		if name == account || name == resource {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		if st.phone(name) != nil {
			return nil, fmt.Errorf("%s is a phone, and speaks SIP", name)
		}
		return nil, fmt.Errorf("nobody is called %s", name)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%s is %s or %s: say which", name, found[0].name, found[1].name)
}

// await returns what c has not read, and waits for the grace when there is less
// of it than n.
func (st *stage) await(c *client, n int) []item {
	synctest.Wait()
	if got := c.unread(); len(got) >= n {
		return got
	}
	pass(Grace)
	return c.unread()
}

// settle waits until nothing more happens by itself, the grace included.
func settle() {
	synctest.Wait()
	pass(Grace)
}

// pass lets time pass, and lets all that comes of it happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// say sends text for a client and lets all that comes of it happen.
func (st *stage) say(c *client, text string) {
	st.note(c.name, ">", text)
	c.send(text)
	synctest.Wait()
}

// note writes the log. Clients call it from their own goroutines.
func (st *stage) note(who, mark, text string) {
	const most = 2000
	if len(text) > most {
		text = fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], "?"), len(text))
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.log = append(st.log, fmt.Sprintf("%8s %s %s %s", time.Since(st.start).Round(time.Millisecond), who, mark, text))
}

// brief replaces what was said since the mark, which went as it should, by one
// line.
func (st *stage) brief(mark int, text string) {
	st.mu.Lock()
	st.log = st.log[:mark]
	st.mu.Unlock()
	st.note("", "--", text)
}

// mark is a place in the log.
func (st *stage) mark() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	return len(st.log)
}

// soFar is the last part of the log.
func (st *stage) soFar() string {
	const most = 80
	st.mu.Lock()
	defer st.mu.Unlock()
	lines := st.log
	head := "so far:"
	if len(lines) > most {
		head = fmt.Sprintf("so far (the last %d of %d):", most, len(lines))
		lines = lines[len(lines)-most:]
	}
	return head + "\n\t" + indent(strings.Join(lines, "\n"))
}

func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n\t") }

// login authenticates on a connection of which nothing has been said, and
// leaves the second stream open with its features read.
func (st *stage) login(c *client) error {
	// RFC 4616 §2: authzid NUL authcid NUL password
	plain := base64Plain(c.account, Password)
	for _, turn := range []struct {
		send string
		want []xml.Name
	}{
		{openingTag, []xml.Name{streamName, {Space: nsStream, Local: "features"}}},
		{"<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>" + plain + "</auth>", []xml.Name{{Space: nsSASL, Local: "success"}}},
		{openingTag, []xml.Name{streamName, {Space: nsStream, Local: "features"}}},
	} {
		if err := st.exchange(c, turn.send, turn.want...); err != nil {
			return fmt.Errorf("%s cannot log in: %w", c.name, err)
		}
	}
	return nil
}

// bind asks for the client's resource.
func (st *stage) bind(c *client) error {
	_, resource, _ := strings.Cut(c.name, "/")
	err := st.exchange(c, "<iq type='set' id='bind'><bind xmlns='"+nsBind+"'><resource>"+resource+
		"</resource></bind></iq>", xml.Name{Space: nsClient, Local: "iq"})
	if err != nil {
		return fmt.Errorf("%s cannot bind: %w", c.name, err)
	}
	return nil
}

// exchange sends text and reads what must come back, by the elements' names.
func (st *stage) exchange(c *client, text string, want ...xml.Name) error {
	st.say(c, text)
	for _, name := range want {
		got := st.await(c, 1)
		if len(got) == 0 {
			return fmt.Errorf("nothing came, expected <%s>", name.Local)
		}
		c.take(0)
		if got[0].node == nil || got[0].node.name != name {
			return fmt.Errorf("expected <%s>, and there came\n\t%s", name.Local, got[0].describe())
		}
		if kind, _ := got[0].node.attr(xml.Name{Local: "type"}); kind == "error" {
			return errors.New("there came\n\t" + got[0].raw)
		}
	}
	return nil
}
