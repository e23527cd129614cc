package main

import (
	"net"
	"syscall"
)

// uidOf returns whose program is at the other end of a local socket; -1 if that
// is not known.
func uidOf(c net.Conn) int {
	local, ok := c.(*net.UnixConn)
	if !ok {
		return -1
	}
	raw, err := local.SyscallConn()
	if err != nil {
		return -1
	}
	uid := -1
	err = raw.Control(func(fd uintptr) {
		if who, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED); err == nil {
			uid = int(who.Uid)
		}
	})
	if err != nil {
		return -1
	}
	return uid
}
