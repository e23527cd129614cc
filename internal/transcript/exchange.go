package transcript

import (
	"errors"
	"fmt"
	"strings"
	"testing/synctest"
	"time"
)

// send has a client say something.
type send struct{ who, text string }

func (a send) act(st *stage) error {
	if p := st.phone(a.who); p != nil {
		err := p.Raw(st.known.fill(a.text))
		synctest.Wait()
		return err
	}
	c, err := st.client(a.who)
	if err != nil {
		return err
	}
	if c.gone() {
		return fmt.Errorf("%s cannot send: its connection has ended", c.name)
	}
	st.say(c, st.known.fill(a.text))
	return nil
}

// receive expects the next things in their order.
type receive struct {
	who  string
	want []pattern
}

func (a receive) act(st *stage) error {
	c, err := st.client(a.who)
	if err != nil {
		return err
	}
	for _, want := range a.want {
		got := st.await(c, 1)
		if len(got) == 0 {
			return fmt.Errorf("nothing came, expected\n\t%s", indent(want.source))
		}
		known, err := want.match(got[0], st.known)
		if err != nil {
			return fmt.Errorf("expected\n\t%s\nand there came\n\t%s\n%w", indent(want.source), got[0].describe(), err)
		}
		st.known = known
		c.take(0)
	}
	return nil
}

// anyOrder expects the next things, in whatever order they come.
type anyOrder struct {
	who  string
	want []pattern
}

func (a anyOrder) act(st *stage) error {
	c, err := st.client(a.who)
	if err != nil {
		return err
	}
	got := st.await(c, len(a.want))
	if len(got) < len(a.want) {
		return fmt.Errorf("%d expected in any order, and there came %d%s", len(a.want), len(got), list(got))
	}
	got = got[:len(a.want)]
	known, ok := pair(a.want, got, st.known)
	if !ok {
		return fmt.Errorf("these are not the ones expected:%s%s", list(got), misfits(a.want, got, st.known))
	}
	st.known = known
	for range a.want {
		c.take(0)
	}
	return nil
}

// pair finds for every pattern a thing of its own.
func pair(want []pattern, got []item, known vars) (vars, bool) {
	if len(want) == 0 {
		return known, true
	}
	for i, it := range got {
		after, err := want[0].match(it, known)
		if err != nil {
			continue
		}
		others := append(append([]item(nil), got[:i]...), got[i+1:]...)
		if after, ok := pair(want[1:], others, after); ok {
			return after, true
		}
	}
	return known, false
}

// misfits names the patterns that nothing matches.
func misfits(want []pattern, got []item, known vars) string {
	var out strings.Builder
	for _, w := range want {
		if _, ok := pair([]pattern{w}, got, known); !ok {
			fmt.Fprintf(&out, "\nnone is\n\t%s", indent(w.source))
		}
	}
	return out.String()
}

// somewhere expects a thing among those unread, and leaves the others.
type somewhere struct {
	who  string
	want []pattern
}

func (a somewhere) act(st *stage) error {
	c, err := st.client(a.who)
	if err != nil {
		return err
	}
	for _, want := range a.want {
		if st.pick(c, want) {
			continue
		}
		settle()
		if !st.pick(c, want) {
			return fmt.Errorf("not among what came:\n\t%s\nthere came%s", indent(want.source), list(c.unread()))
		}
	}
	return nil
}

// pick takes the first unread thing that matches.
func (st *stage) pick(c *client, want pattern) bool {
	for i, it := range c.unread() {
		if known, err := want.match(it, st.known); err == nil {
			st.known = known
			c.take(i)
			return true
		}
	}
	return false
}

// silence expects nothing.
type silence string

func (a silence) act(st *stage) error {
	if p := st.phone(string(a)); p != nil {
		return st.hushed(p)
	}
	c, err := st.client(string(a))
	if err != nil {
		return err
	}
	settle()
	if got := c.unread(); len(got) > 0 {
		return fmt.Errorf("expected nothing, and there came%s", list(got))
	}
	return nil
}

// closed expects the end of the stream, of the connection, or of both.
type closed string

func (a closed) act(st *stage) error {
	c, err := st.client(string(a))
	if err != nil {
		return err
	}
	got := st.await(c, 1)
	if len(got) == 0 {
		return errors.New("nothing came, expected the end of the stream")
	}
	if got[0].kind != closing && got[0].kind != cut {
		return fmt.Errorf("expected the end of the stream, and there came%s", list(got))
	}
	c.take(0)
	if len(got) > 1 && got[1].kind == cut {
		c.take(0)
	}
	return nil
}

func list(items []item) string {
	if len(items) == 0 {
		return "\n\tnothing"
	}
	var out strings.Builder
	for _, it := range items {
		out.WriteString("\n\t" + it.describe())
	}
	return out.String()
}

// after lets time pass.
type after time.Duration

func (a after) act(st *stage) error {
	st.note("", "after", time.Duration(a).String())
	pass(time.Duration(a))
	return nil
}

// drop cuts a connection.
type drop string

func (a drop) act(st *stage) error {
	if p := st.phone(string(a)); p != nil {
		st.unplug(p)
		return nil
	}
	c, err := st.client(string(a))
	if err != nil {
		return err
	}
	st.note(c.name, ">", "(cuts the connection)")
	c.hangUp()
	settle()
	return nil
}

// deaf has a client stop reading, or read again.
type deaf struct {
	who string
	yes bool
}

func (a deaf) act(st *stage) error {
	c, err := st.client(a.who)
	if err != nil {
		return err
	}
	c.stopReading(a.yes)
	settle()
	return nil
}

// overlook has a client take no notice of some things, for what may come any
// number of times.
type overlook struct {
	who  string
	what []pattern
}

func (a overlook) act(st *stage) error {
	c, err := st.client(a.who)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ignored = append(c.ignored, a.what...)
	return nil
}
