package transport

import "sync"

// A Call is a request that left here and waits for its answer.
type Call struct {
	mu        sync.Mutex // guards what follows
	tx        *clientTx
	cancelled bool
}

// start puts the request on its way.
func (c *Call) start(tx *clientTx) {
	c.mu.Lock()
	c.tx = tx
	cancelled := c.cancelled
	c.mu.Unlock()
	if cancelled {
		tx.got(nil, ErrStopped)
		return
	}
	if err := tx.launch(); err != nil {
		tx.got(nil, err)
	}
}

// Cancel gives up an INVITE that has not been answered finally. Its answer, 487 if
// all goes well, is still told. It does nothing to other requests
// (RFC 3261 §9.1).
func (c *Call) Cancel() {
	c.mu.Lock()
	tx := c.tx
	if tx == nil {
		c.cancelled = true
	}
	c.mu.Unlock()
	if tx != nil {
		tx.cancel()
	}
}
