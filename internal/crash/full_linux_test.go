package crash

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDiskRefusesWrites has the operating system refuse to write the files of
// the database, as a full or broken disk does, and then relent.
func TestDiskRefusesWrites(t *testing.T) {
	p := newProgram(t, "", slices.Concat(senders, receivers)...)
	p.start()
	limit := func(bytes uint64) {
		t.Helper()
		var now unix.Rlimit
		pid := p.running.Process.Pid
		if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &now); err != nil {
			t.Fatal(err)
		}
		now.Cur = min(bytes, now.Max)
		if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &now, nil); err != nil {
			t.Fatal(err)
		}
	}
	outage(t, p, func() { limit(1) }, func() { limit(unix.RLIM_INFINITY) }, func() {
		// What is only read is there.
		c, err := login(p.address, "bea", "pen")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.close(func(*element) {}); err != nil {
			t.Error(err)
		}
	})
}
