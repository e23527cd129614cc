//go:build !linux

package c2s

import (
	"net"
	"time"
)

// setTimeouts does nothing where TCP_USER_TIMEOUT is not known; keepalives and
// pings remain.
func setTimeouts(*net.TCPConn, time.Duration) {}

// readable cannot tell, and lets the read find out.
func readable(int) bool { return true }

const canTry = false

// sendNow is not called where canTry is false.
func sendNow(int, []byte) (n int, err error) { return 0, nil }
