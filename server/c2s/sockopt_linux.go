package c2s

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// setTimeouts lets the kernel give up on a peer that acknowledges nothing.
func setTimeouts(t *net.TCPConn, user time.Duration) {
	if user <= 0 {
		return
	}
	rc, err := t.SyscallConn()
	if err != nil {
		return
	}
	rc.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(user.Milliseconds()))
	})
}

// readable reports whether a read would not block.
func readable(fd int) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(p, 0)
	return n != 0 || err != nil
}
