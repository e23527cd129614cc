//go:build !linux

package server

import (
	"net"
	"time"
)

// UserTimeout does nothing where TCP_USER_TIMEOUT is not known; keepalives and
// pings remain.
func UserTimeout(*net.TCPConn, time.Duration) {}
