package transport

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"time"
)

// The kinds of WebSocket frames (RFC 6455 §5.2).
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xa
)

var (
	errUpgrade = errors.New("no WebSocket for SIP was asked for")
	errFrame   = errors.New("a bad WebSocket frame")
)

// upgrade makes a WebSocket of a connection (RFC 6455 §4.2, RFC 7118 §4).
func upgrade(nc net.Conn, within time.Duration) (*bufio.Reader, error) {
	nc.SetDeadline(time.Now().Add(within))
	defer nc.SetDeadline(time.Time{})
	bounded := &io.LimitedReader{R: nc, N: 8 << 10}
	br := bufio.NewReaderSize(bounded, 2048)
	req, err := http.ReadRequest(br)
	if err != nil {
		return nil, err
	}
	bounded.N = math.MaxInt64 // what is behind it may be read already
	key := req.Header.Get("Sec-WebSocket-Key")
	good := req.Method == http.MethodGet && strings.EqualFold(req.Header.Get("Upgrade"), "websocket") &&
		hasToken(req.Header["Connection"], "upgrade") && req.Header.Get("Sec-WebSocket-Version") == "13" &&
		hasToken(req.Header["Sec-Websocket-Protocol"], "sip") && isClean(key) && key != ""
	if !good {
		io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return nil, errUpgrade
	}
	// RFC 6455 §1.3
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
	return br, err
}

func hasToken(values []string, token string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// A frame is one frame, unmasked.
type frame struct {
	op   byte
	last bool
	data []byte
}

// readFrame reads a frame of a client, which masks its frames (RFC 6455 §5.1), of
// so many bytes at most.
func readFrame(r io.Reader, most int) (f frame, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return f, err
	}
	f.op, f.last = head[0]&0xf, head[0]&0x80 != 0
	if head[0]&0x70 != 0 || head[1]&0x80 == 0 {
		return f, errFrame
	}
	n := uint64(head[1] & 0x7f)
	switch n {
	case 126:
		_, err = io.ReadFull(r, head[:2])
		n = uint64(binary.BigEndian.Uint16(head[:]))
	case 127:
		_, err = io.ReadFull(r, head[:8])
		n = binary.BigEndian.Uint64(head[:])
	}
	if err != nil {
		return f, err
	}
	if n > uint64(most) || f.op >= opClose && (n > 125 || !f.last) {
		return f, errTooLarge
	}
	var mask [4]byte
	if _, err := io.ReadFull(r, mask[:]); err != nil {
		return f, err
	}
	f.data = make([]byte, n)
	if _, err := io.ReadFull(r, f.data); err != nil {
		return f, err
	}
	for i := range f.data {
		f.data[i] ^= mask[i&3]
	}
	return f, nil
}

// appendFrame writes a frame of a server, which is not masked.
func appendFrame(b []byte, op byte, data []byte) []byte {
	b = append(b, 0x80|op)
	switch n := len(data); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, data...)
}

// readWebSocket takes messages, of which each is one WebSocket message
// (RFC 7118 §5), until the connection ends.
func (c *conn) readWebSocket(r io.Reader) {
	var msg []byte
	most := c.t.limits.Load().Message
	for {
		f, err := readFrame(r, most-len(msg))
		if err != nil {
			return
		}
		c.touch()
		switch f.op {
		case opPing:
			c.control(appendFrame(nil, opPong, f.data))
		case opPong:
		case opClose:
			c.control(appendFrame(nil, opClose, f.data))
			c.drain()
			return
		case opText, opBinary, opContinue:
			if (f.op == opContinue) != (msg != nil) {
				return
			}
			if msg = append(msg, f.data...); msg == nil {
				msg = []byte{}
			}
			if f.last {
				c.message(msg)
				msg = nil
			}
		default:
			return
		}
		c.inside.Store(msg != nil)
	}
}

// message takes what came as one WebSocket message.
func (c *conn) message(data []byte) {
	switch {
	case string(data) == "\r\n\r\n": // RFC 5626 §4.4.1
		c.control(appendFrame(nil, opText, crlf))
	case isKeepAlive(data):
	default:
		c.t.receive(data, Flow{c, c.remote})
	}
}
