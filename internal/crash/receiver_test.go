package crash

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

// receiver is online and notes the messages that it gets.
type receiver struct {
	name string
	l    *ledger
	rng  *rand.Rand

	managed bool // with stream management: acks, drops connections and resumes
	lazy    bool // with stream management, but never acks
	restive bool // without: leaves and comes back all the time
	forgets bool // with: loses its connection all the time, and logs in anew
	steady  bool // keeps its connection

	c      *client
	unsure map[int]bool // what a forgetful one got and may get again: no ack for it went through
	taken  []int        // what it got since its last ack
}

// run receives until the connection is lost.
func (r *receiver) run(address string) error {
	for {
		if err := r.connect(address); err != nil {
			return err
		}
		if err := r.receive(address); err != nil {
			return err
		}
		if err := r.leave(); err != nil {
			return err
		}
	}
}

// leave ends the stream in good order, or the forgetful way: what was got until
// now is acknowledged, and what comes then is not.
func (r *receiver) leave() error {
	if !r.forgets {
		return r.c.close(r.take)
	}
	if err := r.c.acknowledge(); err != nil {
		return err
	}
	sure := r.taken
	r.taken = nil
	err := r.c.sync(r.take)
	for _, n := range sure {
		delete(r.unsure, n)
	}
	r.c.conn.Close()
	return err
}

func (r *receiver) connect(address string) (err error) {
	if r.c, err = login(address, r.name, "eye"); err != nil {
		return err
	}
	if r.taken = nil; r.unsure == nil {
		r.unsure = map[int]bool{}
	}
	if r.managed || r.lazy || r.forgets {
		if err := r.c.manage(); err != nil {
			return err
		}
	}
	return r.c.say("<presence/>")
}

// receive takes what comes. The restive and the forgetful have enough after a
// while.
func (r *receiver) receive(address string) error {
	enough := 0
	if r.restive || r.forgets {
		enough = 1 + r.rng.IntN(50)
	}
	for n := 1; n != enough; n++ {
		e, err := r.c.next()
		if err != nil {
			return err
		}
		if e.is("error") {
			return errors.New("stream error: " + e.Inner)
		}
		r.take(e)
		if r.managed {
			if err := r.care(e, address); err != nil {
				return err
			}
		}
	}
	return nil
}

// take notes a message.
func (r *receiver) take(e *element) {
	if e.is("message") && e.Type == "chat" {
		n := number(e)
		r.l.receive(r.name, e, r.unsure[n])
		if r.forgets {
			r.taken = append(r.taken, n)
			r.unsure[n] = true
		}
	}
}

// care acknowledges when asked, or just so, and now and then resumes the session
// on another connection.
func (r *receiver) care(e *element, address string) error {
	if e.is("r") || r.rng.IntN(20) == 0 {
		if err := r.c.acknowledge(); err != nil {
			return err
		}
	}
	if r.steady || r.rng.IntN(200) > 0 {
		return nil
	}
	e, err := r.c.resume(address, r.name)
	if err == nil && !e.is("resumed") {
		err = fmt.Errorf("the session was not resumed: <%s>%s", e.XMLName.Local, e.Inner)
	}
	return err
}
