package server

import "sync"

// blockSize is the size of the pieces that an outbox is made of. An outbox with
// nothing in it has none.
const blockSize = 4 << 10

type block struct {
	next *block
	b    []byte // len grows to blockSize; bytes once written stay as they are
}

var blocks = sync.Pool{New: func() any { return &block{b: make([]byte, 0, blockSize)} }}

// byteLog is a queue of bytes that is read from a cursor and freed from its
// front. Positions count from the beginning of time.
type byteLog struct {
	head, tail *block
	start      uint64 // position of the first byte of head
	end        uint64
}

// appendTo adds bytes at the end.
func appendTo[T string | []byte](l *byteLog, p T) {
	for len(p) > 0 {
		if l.tail == nil || len(l.tail.b) == blockSize {
			n := blocks.Get().(*block)
			n.b, n.next = n.b[:0], nil
			if l.tail == nil {
				l.head, l.start = n, l.end
			} else {
				l.tail.next = n
			}
			l.tail = n
		}
		n := min(blockSize-len(l.tail.b), len(p))
		l.tail.b = append(l.tail.b, p[:n]...)
		l.end += uint64(n)
		p = p[n:]
	}
}

// free lets go of everything before pos.
func (l *byteLog) free(pos uint64) {
	for l.head != nil {
		n := uint64(len(l.head.b))
		if l.start+n > pos {
			return
		}
		b := l.head
		l.head, l.start = b.next, l.start+n
		if l.head == nil {
			l.tail = nil
		}
		b.next = nil
		blocks.Put(b)
	}
}

// view returns the bytes from pos up to the end: in place if they lie in one
// block, else gathered in buf as far as it has room.
func (l *byteLog) view(pos uint64, buf []byte) []byte {
	b, at := l.head, l.start
	for b != nil && at+uint64(len(b.b)) <= pos {
		at += uint64(len(b.b))
		b = b.next
	}
	if b == nil {
		return nil
	}
	first := b.b[pos-at:]
	if b.next == nil || buf == nil {
		return first
	}
	buf = buf[:0]
	for ; b != nil && len(buf) < cap(buf); b = b.next {
		p := b.b
		if len(buf) == 0 {
			p = first
		}
		buf = append(buf, p[:min(len(p), cap(buf)-len(buf))]...)
	}
	return buf
}

// copyRange appends the bytes in [lo, hi) to dst.
func (l *byteLog) copyRange(dst []byte, lo, hi uint64) []byte {
	b, at := l.head, l.start
	for ; b != nil && at < hi; b = b.next {
		n := uint64(len(b.b))
		if at+n > lo {
			from := max(lo, at) - at
			dst = append(dst, b.b[from:min(n, hi-at)]...)
		}
		at += n
	}
	return dst
}
