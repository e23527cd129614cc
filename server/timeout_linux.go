package server

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// UserTimeout lets the kernel give up on a peer that acknowledges nothing for so
// long, where it can; 0 leaves it to the kernel.
func UserTimeout(t *net.TCPConn, user time.Duration) {
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
