package transport

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Send sends a request of our own and waits for its final answer. When ctx ends
// an INVITE is cancelled and everything else left to itself. See [Status] for
// errors.
func (t *Transport) Send(ctx context.Context, o Outgoing) (*Response, error) {
	type result struct {
		res *Response
		err error
	}
	got := make(chan result, 1)
	call := t.Start(o, func(res *Response, err error) {
		if err != nil || !res.Provisional() {
			select {
			case got <- result{res, err}:
			default: // another 2xx
			}
		}
	})
	select {
	case r := <-got:
		return r.res, r.err
	case <-ctx.Done():
		call.Cancel()
		return nil, ctx.Err()
	}
}

// Start sends a request of our own and has got called with the answer: once,
// with the final one or an error; for an INVITE also with each provisional one
// above 100 and each 2xx. It is called on the goroutine that read the answer, or
// on one of a timer, and must not wait for anything slow; if the request cannot
// leave at all, before Start returns.
func (t *Transport) Start(o Outgoing, got func(*Response, error)) *Call {
	call := &Call{}
	if err := o.valid(); err != nil {
		got(nil, err)
		return call
	}
	next := o.URI
	if len(o.Routes) > 0 {
		next = o.Routes[0]
	}
	t.towards(o.Flow, next, func(f Flow, err error) {
		if err != nil {
			got(nil, err)
			return
		}
		branch := newBranch()
		tx := &clientTx{
			t: t, key: clientKey{branch, o.Method}, flow: f, got: got, all: o.Method == "INVITE",
			wire: o.append(make([]byte, 0, 512+len(o.Body)), f.link.about(), branch, t.software),
		}
		call.start(tx)
	})
	return call
}

// Write sends a request that nobody answers: the ACK of a 2xx.
func (t *Transport) Write(o Outgoing) error {
	if err := o.valid(); err != nil {
		return err
	}
	next := o.URI
	if len(o.Routes) > 0 {
		next = o.Routes[0]
	}
	var failed error
	t.towards(o.Flow, next, func(f Flow, err error) {
		if failed = err; err == nil {
			failed = f.link.send(o.append(nil, f.link.about(), newBranch(), t.software), f.remote)
		}
	})
	return failed
}

// towards has f called with the flow to go by: the one that is given, or the one
// that an address leads to. That is at once, unless a name has to be looked up.
func (t *Transport) towards(given Flow, next string, f func(Flow, error)) {
	if !given.IsZero() {
		if !given.Open() {
			f(Flow{}, ErrUnreachable)
			return
		}
		f(given, nil)
		return
	}
	u, err := addressed(next)
	if err != nil {
		f(Flow{}, errors.Join(errOutgoing, err))
		return
	}
	h, err := hopOf(u)
	if err != nil {
		f(Flow{}, err)
		return
	}
	if h.addr.IsValid() {
		f(t.flowTo(h))
		return
	}
	begun := t.spawn(func() {
		ctx, cancel := t.untilStop(lookUpFor)
		defer cancel()
		h, err := t.lookUp(ctx, h)
		if err != nil {
			f(Flow{}, err)
			return
		}
		f(t.flowTo(h))
	})
	if !begun {
		f(Flow{}, ErrStopped)
	}
}

// addressed is the URI of a Request-URI or of a Route, which has brackets.
func addressed(s string) (URI, error) {
	if !strings.Contains(s, "<") {
		return ParseURI(s)
	}
	a, err := ParseAddress(s)
	return a.URI, err
}

const lookUpFor = 10 * time.Second
