package transport

import (
	"errors"
	"sync"
	"time"
)

// Errors of requests that left here. [Status] says what response they amount to.
var (
	ErrTimeout     = errors.New("nobody answered in time")
	ErrUnreachable = errors.New("the other side cannot be reached")
	ErrBusy        = errors.New("too many requests are waiting for an answer")
	ErrStopped     = errors.New("the gateway has stopped")
)

// Status is the response that an error amounts to (RFC 3261 §8.1.3.1, §16.9).
func Status(err error) int {
	switch {
	case err == nil:
		return 200
	case errors.Is(err, ErrTimeout):
		return 408
	case errors.Is(err, errOutgoing):
		return 400
	case errors.Is(err, ErrTooManyHops):
		return 483
	}
	return 503
}

// client holds the transactions of requests that left here.
type client struct {
	most int

	mu     sync.Mutex // guards what follows
	txs    map[clientKey]*clientTx
	closed bool
}

// A clientKey finds the transaction that a response belongs to (RFC 3261 §17.1.3).
type clientKey struct{ branch, method string }

func newClient(most int) *client { return &client{most: most, txs: map[clientKey]*clientTx{}} }

func (c *client) add(tx *clientTx) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrStopped
	}
	if len(c.txs) >= c.most {
		return ErrBusy
	}
	c.txs[tx.key] = tx
	return nil
}

func (c *client) find(k clientKey) *clientTx {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.txs[k]
}

// awaits reports whether anybody waits for a response to a branch that has not
// been parsed yet. method can be any.
func (c *client) awaits(branch, method []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.txs[clientKey{string(branch), string(method)}]
	return ok
}

func (c *client) remove(tx *clientTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.txs[tx.key] == tx {
		delete(c.txs, tx.key)
	}
}

// broken fails what waits for an answer on a connection that has ended.
func (c *client) broken(l link) {
	c.mu.Lock()
	var lost []*clientTx
	for _, tx := range c.txs {
		if tx.flow.link == l {
			lost = append(lost, tx)
		}
	}
	c.mu.Unlock()
	for _, tx := range lost {
		tx.fail(ErrUnreachable)
	}
}

// close fails everything, and everything from now on.
func (c *client) close() {
	c.mu.Lock()
	c.closed = true
	all := make([]*clientTx, 0, len(c.txs))
	for _, tx := range c.txs {
		all = append(all, tx)
	}
	c.mu.Unlock()
	for _, tx := range all {
		tx.fail(ErrStopped)
	}
}

// A clientTx is the transaction of a request that left here (RFC 3261 §17.1).
// What was sent is kept until it is answered.
type clientTx struct {
	// Fixed.
	t    *Transport
	key  clientKey
	flow Flow
	got  func(*Response, error)
	all  bool // provisional responses are told too

	mu       sync.Mutex // guards what follows
	state    clientState
	wire     []byte
	ack      []byte // of a refused INVITE
	timer    *time.Timer
	interval time.Duration
	deadline time.Time
	cancels  bool // a CANCEL is due, or has been sent
}

type clientState uint8

const (
	calling   clientState = iota
	heard                 // a provisional response has come
	answered              // a 2xx to an INVITE has come; more may (RFC 6026 §7.2)
	refused               // another final response to an INVITE has come
	forgotten             // it is over
)

// launch sends the request for the first time.
func (tx *clientTx) launch() error {
	if err := tx.t.client.add(tx); err != nil {
		return err
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.state == forgotten { // it was failed meanwhile, and that has been told
		return nil
	}
	tx.deadline = time.Now().Add(sixtyT1)
	tx.interval = timerT1
	first := timerT1
	if tx.flow.Kind().Reliable() {
		first = sixtyT1
	}
	if err := tx.flow.link.send(tx.wire, tx.flow.remote); err != nil {
		tx.state = forgotten
		tx.t.client.remove(tx)
		return errors.Join(ErrUnreachable, err)
	}
	tx.timer = time.AfterFunc(first, tx.fire)
	return nil
}

func (tx *clientTx) isInvite() bool { return tx.key.method == "INVITE" }

// fire is called by the timer: it is time to send again, or to give up.
func (tx *clientTx) fire() {
	tx.mu.Lock()
	left := time.Until(tx.deadline)
	switch {
	case tx.state == forgotten:
	case tx.state == answered, tx.state == refused:
		tx.state = forgotten
		tx.t.client.remove(tx)
	case left <= 0 && tx.state == heard && tx.isInvite() && !tx.cancels:
		tx.cancelLocked() // timer C
	case left <= 0:
		tx.mu.Unlock()
		tx.fail(ErrTimeout)
		return
	case tx.isInvite() && tx.state == heard:
		tx.timer.Reset(left)
	default:
		tx.flow.link.send(tx.wire, tx.flow.remote)
		tx.interval *= 2
		if !tx.isInvite() {
			tx.interval = min(tx.interval, timerT2)
		}
		tx.timer.Reset(min(tx.interval, left))
	}
	tx.mu.Unlock()
}

// fail ends the transaction without an answer.
func (tx *clientTx) fail(err error) {
	tx.mu.Lock()
	old := tx.state
	tx.state = forgotten
	tx.wire, tx.ack = nil, nil
	if tx.timer != nil {
		tx.timer.Stop()
	}
	tx.mu.Unlock()
	tx.t.client.remove(tx)
	if old == calling || old == heard {
		tx.got(nil, err)
	}
}

// receive takes a response.
func (tx *clientTx) receive(res *Response) {
	if tx.isInvite() {
		tx.receiveInvite(res)
		return
	}
	tx.mu.Lock()
	if tx.state == forgotten {
		tx.mu.Unlock()
		return
	}
	if res.Provisional() {
		tx.state, tx.interval = heard, timerT2
		tx.mu.Unlock()
		if tx.all && res.status != 100 {
			tx.got(res, nil)
		}
		return
	}
	tx.state, tx.wire = forgotten, nil
	if tx.timer != nil {
		tx.timer.Stop()
	}
	tx.mu.Unlock()
	tx.t.client.remove(tx)
	tx.got(res, nil)
}
