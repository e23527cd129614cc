// Package wire is a client that says exactly what it is told to, over a real
// socket, and the whole server to say it to. It is for tests of what a bubble
// cannot show: TLS, the poller, full socket buffers, memory.
//
// Nothing here waits without a deadline, and nothing sleeps.
package wire
