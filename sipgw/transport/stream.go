package transport

import (
	"bytes"
	"errors"
	"net"
	"strconv"
)

// A framer finds the ends of messages in a stream (RFC 3261 §7.5, §18.3).
type framer struct {
	buf  []byte
	most int
}

var (
	errTooLarge = errors.New("a message over the limit")
	errNoLength = errors.New("a message without a good Content-Length")
)

// next returns the next whole message, or nil when there is none yet. ping says
// that a keep-alive stands there instead (RFC 5626 §3.5.1). What is returned is
// good until the next call of fill.
func (f *framer) next() (msg []byte, ping bool, err error) {
	if bytes.HasPrefix(f.buf, emptyLine) {
		f.buf = f.buf[len(emptyLine):]
		return nil, true, nil
	}
	if bytes.HasPrefix(f.buf, crlf) && len(f.buf) > 2 && f.buf[2] != '\r' {
		f.buf = f.buf[2:] // RFC 3261 §7.5: line ends before a message count for nothing
		return f.next()
	}
	end := bytes.Index(f.buf, emptyLine)
	if end < 0 {
		if len(f.buf) > f.most {
			return nil, false, errTooLarge
		}
		return nil, false, nil
	}
	end += len(emptyLine)
	n, err := lengthOf(f.buf[:end])
	if err != nil {
		return f.buf[:end], false, err
	}
	if uint64(end)+n > uint64(f.most) {
		return f.buf[:end], false, errTooLarge
	}
	if end += int(n); len(f.buf) < end {
		return nil, false, nil
	}
	msg, f.buf = f.buf[:end:end], f.buf[end:]
	return msg, false, nil
}

// lengthOf is the length of the body that headers tell. Two that differ are
// none: the next message would begin where somebody else chose.
func lengthOf(head []byte) (n uint64, err error) {
	found := false
	for rest := head; len(rest) > 0; {
		value, after := header(rest, "Content-Length", "l")
		if value == nil {
			break
		}
		m, err := strconv.ParseUint(string(value), 10, 31)
		if err != nil || found && m != n {
			return 0, errNoLength
		}
		n, found, rest = m, true, after
	}
	if !found {
		return 0, errNoLength
	}
	return n, nil
}

// fill reads more. What has been taken is gone.
func (f *framer) fill(nc net.Conn) error {
	const least = 1024
	if len(f.buf) == 0 && cap(f.buf) > 4*least {
		f.buf = nil
	}
	if cap(f.buf)-len(f.buf) < least/2 {
		f.buf = append(make([]byte, 0, max(least, 2*len(f.buf))), f.buf...)
	}
	n, err := nc.Read(f.buf[len(f.buf):cap(f.buf)])
	f.buf = f.buf[:len(f.buf)+n]
	return err
}

// readStream takes messages from TCP or TLS until the connection ends.
func (c *conn) readStream(nc net.Conn) {
	f := framer{most: c.t.limits.Load().Message}
	for {
		if err := f.fill(nc); err != nil {
			return
		}
		c.touch()
		for {
			msg, ping, err := f.next()
			if err != nil {
				c.misframed(msg, err)
				return
			}
			if ping {
				c.control(crlf)
				continue
			}
			if msg == nil {
				break
			}
			c.t.receive(msg, Flow{c, c.remote})
		}
		c.inside.Store(len(f.buf) > 2)
	}
}

// misframed answers what has no end that could be found. The connection is then
// closed, since nobody knows where the next message begins.
func (c *conn) misframed(head []byte, err error) {
	c.t.nobody.note(c.remote, err.Error())
	from := Flow{c, c.remote}
	if g, ok := look(head); !ok || g.response {
		return
	}
	if errors.Is(err, errTooLarge) {
		c.t.reject(head, from, 513, "")
	} else {
		c.t.reject(head, from, 400, "Bad Content-Length")
	}
	c.drain()
}
