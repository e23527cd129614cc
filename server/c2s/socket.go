package c2s

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// socket is a TCP connection that can be waited for without a buffer: it parks
// in the poller, on a small stack, and takes a scanner when there are bytes.
type socket struct {
	*net.TCPConn
	c  *conn
	rc syscall.RawConn

	// Guarded by mu: the descriptor is not used once it may be another's.
	mu     sync.Mutex
	fd     int
	closed bool

	// Owned by the goroutine that reads.
	polled   bool // Read does not block: it is called from within the poller
	empty    bool // TLS has nothing left that it could hand out
	polledFD int
	n        int
	err      error
	try      func(fd uintptr) bool
}

func newSocket(c *conn, t *net.TCPConn) *socket {
	w := &socket{TCPConn: t, c: c}
	w.rc, w.err = t.SyscallConn()
	if w.err == nil {
		w.rc.Control(func(fd uintptr) { w.fd = int(fd) })
	}
	w.try = w.poll
	return w
}

// Close implements net.Conn.
func (w *socket) Close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	return w.TCPConn.Close()
}

// tryWrite writes what the kernel takes at once.
func (w *socket) tryWrite(p []byte) (n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, net.ErrClosed
	}
	return sendNow(w.fd, p)
}

func (w *socket) owner() *conn { return w.c }

// begin makes reads go by fill from now on.
func (w *socket) begin() { w.polled = w.rc != nil }

// errBlocked is what TLS gets when there is nothing to read; it can go on after
// a time-out.
type errBlocked struct{}

func (errBlocked) Error() string   { return "c2s: nothing to read" }
func (errBlocked) Timeout() bool   { return true }
func (errBlocked) Temporary() bool { return true }

// Read implements net.Conn. TLS reads by it.
func (w *socket) Read(p []byte) (int, error) {
	if !w.polled {
		return w.TCPConn.Read(p)
	}
	n, err := rawRead(w.polledFD, p)
	switch {
	case err == syscall.EAGAIN:
		return 0, errBlocked{}
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

func rawRead(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// fill reads once into the connection's scanner.
func (w *socket) fill() error {
	w.n, w.err = 0, nil
	if err := w.rc.Read(w.try); err != nil {
		return err
	}
	if w.n > 0 {
		w.c.sc.Filled(w.n)
		w.c.took(w.n)
		return nil
	}
	return errUnless(0, w.err)
}

// poll reads what there is; false: wait until there is something.
func (w *socket) poll(fd uintptr) bool {
	w.polledFD = int(fd)
	c := w.c
	if c.tls == nil {
		w.n, w.err = rawRead(w.polledFD, c.take().Space())
		if w.err == syscall.EAGAIN {
			c.rest()
			return false
		}
		if w.n == 0 && w.err == nil {
			w.err = io.EOF
		}
		return true
	}
	if w.empty && c.resting.Load() && !readable(w.polledFD) {
		return false // TLS would need a large stack to say so
	}
	w.n, w.err = c.tls.Read(c.take().Space())
	_, blocked := w.err.(errBlocked)
	if w.empty = blocked && w.n == 0; w.empty {
		c.rest()
		return false
	}
	return true
}

// linger discards what the client still sends after our last words. Being woken
// does not shorten it.
func (c *conn) linger(most time.Duration) {
	if w, ok := c.raw.(*socket); ok {
		w.polled = false
	}
	for end := time.Now().Add(most); ; {
		c.raw.SetReadDeadline(end)
		_, err := io.CopyN(io.Discard, c.raw, 1<<20)
		if !errors.Is(err, os.ErrDeadlineExceeded) || !time.Now().Before(end) {
			break
		}
	}
	c.raw.Close()
}
