package crash

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

const (
	// burst is how many messages are sent at most before an ack is asked for,
	// and window how many requests may be open.
	burst  = 8
	window = 4

	// dropEvery is after how many bursts on average a connection is dropped and
	// the session resumed.
	dropEvery = 40
)

// sender sends numbered messages with stream management, and notes what the
// server acknowledges. A message of unknown fate is not sent again.
type sender struct {
	name string
	to   []string
	l    *ledger
	rng  *rand.Rand

	steady bool // keeps its connection

	c       *client
	log     []int // messages sent on this session
	acked   int   // how many of those are acknowledged
	open    int   // requests for an ack that have no answer
	resumes int
}

// connect begins a session. If there was one, the client first tries to resume
// it: the program has forgotten it when it was killed.
func (s *sender) connect(address string) error {
	var err error
	if s.c == nil {
		if s.c, err = login(address, s.name, "pen"); err != nil {
			return err
		}
	} else if err := s.reconnect(address); err != nil {
		return err
	}
	s.log, s.acked, s.open = nil, 0, 0
	return s.c.manage()
}

func (s *sender) reconnect(address string) error {
	e, err := s.c.resume(address, s.name)
	if err != nil {
		return err
	}
	if !e.is("failed") || !strings.Contains(e.Inner, "<item-not-found ") {
		return fmt.Errorf("a session of before was answered with <%s>%s", e.XMLName.Local, e.Inner)
	}
	return s.c.bind("pen")
}

// run sends until the connection is lost.
func (s *sender) run(address string) error {
	if err := s.connect(address); err != nil {
		return err
	}
	for {
		if err := s.burst(); err != nil {
			return s.c.lastWords(err)
		}
		if !s.steady && s.rng.IntN(dropEvery) == 0 {
			if err := s.drop(address); err != nil {
				return err
			}
		}
	}
}

// burst sends some messages and asks for an ack, and reads acks once too many
// are missing.
func (s *sender) burst() error {
	var text strings.Builder
	for range 1 + s.rng.IntN(burst) {
		to := s.to[s.rng.IntN(len(s.to))]
		n := s.l.write(s.name, to)
		s.log = append(s.log, n)
		text.WriteString(message(n, to))
	}
	text.WriteString("<r xmlns='urn:xmpp:sm:3'/>")
	s.open++
	if err := s.c.say(text.String()); err != nil {
		return err
	}
	for s.open > s.rng.IntN(window) {
		if err := s.read(); err != nil {
			return err
		}
	}
	return nil
}

// read takes one element.
func (s *sender) read() error {
	e, err := s.c.next()
	if err != nil {
		return err
	}
	switch {
	case e.is("a"):
		s.open--
		return s.count(e)
	case e.is("r"):
		return s.c.acknowledge()
	case e.is("message") && e.Type == "error":
		return s.refused(e)
	case e.is("error"):
		return errors.New("stream error: " + e.Inner)
	}
	return nil
}

// refused takes an error for a message: it was not stored, and another attempt
// may succeed.
func (s *sender) refused(e *element) error {
	n, err := strconv.Atoi(strings.TrimPrefix(e.ID, "m"))
	if err != nil || e.Error.Type != "wait" {
		return fmt.Errorf("an error of type %q for %q: %s", e.Error.Type, e.ID, e.Inner)
	}
	s.l.refuse(n)
	return nil
}

// count takes the server's count of what it has taken.
func (s *sender) count(e *element) error {
	h, err := strconv.Atoi(e.H)
	if err != nil || h < s.acked || h > len(s.log) {
		return fmt.Errorf("%s was told h='%s' after %d, having sent %d", s.name, e.H, s.acked, len(s.log))
	}
	s.l.acknowledge(s.log[s.acked:h])
	s.acked = h
	return nil
}

// drop loses the connection in the middle of things, resumes the session on
// another, and sends again what the server has not taken.
func (s *sender) drop(address string) error {
	e, err := s.c.resume(address, s.name)
	if err != nil {
		return err
	}
	if !e.is("resumed") {
		return fmt.Errorf("the session was not resumed: <%s>%s", e.XMLName.Local, e.Inner)
	}
	s.resumes++
	if err := s.count(e); err != nil {
		return err
	}
	var text strings.Builder
	for _, n := range s.log[s.acked:] {
		s.l.mu.Lock()
		to := s.l.letters[n].to
		s.l.mu.Unlock()
		text.WriteString(message(n, to))
	}
	text.WriteString("<r xmlns='urn:xmpp:sm:3'/>")
	s.open = 1
	return s.c.say(text.String())
}
