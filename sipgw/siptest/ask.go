package siptest

import (
	"context"
	"time"
)

// A question is a request that somebody waits for the answer to, through challenges.
type question struct {
	text   string        // as it was sent last; the phone's mu guards it
	answer chan *Message // has room for one
}

func (q *question) settle(m *Message) {
	select {
	case q.answer <- m:
	default: // another one has come
	}
}

// asked is the text of a request that is about to be sent; mu is held.
func (m *Message) asked() string {
	text := m.String()
	if m.question != nil {
		m.question.text = text
	}
	return text
}

// How often a request is sent again, at first and later (RFC 3261 §17.1.2.1).
const (
	firstRepeat = 500 * time.Millisecond
	lastRepeat  = 4 * time.Second
)

// Ask sends a message as [Phone.Say] does and returns the final answer, which nobody
// else reads then. Over UDP it sends again what gets none, until the context ends.
func (p *Phone) Ask(ctx context.Context, m *Message) (*Message, error) {
	q := &question{answer: make(chan *Message, 1)}
	m.question = q
	if err := p.Say(m); err != nil {
		return nil, err
	}
	wait := firstRepeat
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case res := <-q.answer:
			return res, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
		}
		if p.o.TCP {
			continue
		}
		p.mu.Lock()
		err := p.say(q.text)
		p.mu.Unlock()
		if err != nil {
			return nil, err
		}
		wait = min(2*wait, lastRepeat)
		timer.Reset(wait)
	}
}

// Await takes the first unread message that is the one which is meant, and waits for
// it. Only one may wait.
func (p *Phone) Await(ctx context.Context, is func(*Message) bool) (*Message, error) {
	for {
		for _, m := range p.Unread() {
			if is(m) {
				p.Take(m)
				return m, nil
			}
		}
		select {
		case <-p.news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
