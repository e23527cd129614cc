package c2s

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

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
