package c2s

import (
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"

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

const canTry = true

// sendNow sends what the kernel takes without waiting. It does not tell the
// scheduler, which is for calls that may take long.
func sendNow(fd int, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	r, _, e := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	switch e {
	case 0:
		return int(r), nil
	case syscall.EAGAIN, syscall.EINTR, syscall.ENOBUFS:
		return 0, nil
	}
	return 0, os.NewSyscallError("sendto", e)
}
