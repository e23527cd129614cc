package crash

import (
	"fmt"
	"strconv"
	"sync"
	"time"
)

// ledger is what the clients of a test know of messages, by their numbers.
type ledger struct {
	mu      sync.Mutex
	life    int // how often the program was started
	letters []letter
	gotten  int // how many were received
	acked   int
	goal    func() bool
	reached chan struct{}
	wrong   []string
}

// letter is a message; its number is its place in the ledger.
type letter struct {
	from, to string
	acked    bool
	refused  bool // an error came back
	got      []receipt
}

// receipt is one delivery of a message.
type receipt struct {
	life int
	id   string // in the archive
}

// write notes a message that is about to be sent, and returns its number.
func (l *ledger) write(from, to string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.letters = append(l.letters, letter{from: from, to: to})
	l.check()
	return len(l.letters) - 1
}

// acknowledge notes messages that the server has acknowledged.
func (l *ledger) acknowledge(numbers []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range numbers {
		if l.letters[n].acked {
			l.complain("message %d was acknowledged twice", n)
		}
		l.letters[n].acked = true
		l.acked++
	}
	l.check()
}

// refuse notes that an error came back for a message.
func (l *ledger) refuse(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.letters[n].refused = true
	l.check()
}

// receive notes a message that has come. Within one life of the program each
// comes once, but for those of which the program cannot know that they came.
func (l *ledger) receive(who string, e *element, again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := strconv.Atoi(e.Body)
	if err != nil || n >= len(l.letters) || l.letters[n].to != who || local(e.From) != l.letters[n].from {
		l.complain("%s got the message %q from %s, who sent no such thing", who, e.Body, e.From)
		return
	}
	letter := &l.letters[n]
	for _, r := range letter.got {
		if r.life == l.life && !again {
			l.complain("%s got message %d twice", who, n)
		}
	}
	letter.got = append(letter.got, receipt{l.life, e.StanzaID.ID})
	l.gotten++
	l.check()
}

// begin begins another life of the program.
func (l *ledger) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.life++
}

// await waits until so many more messages are written, acknowledged and
// received.
func (l *ledger) await(written, acked, gotten int) error {
	l.mu.Lock()
	written, acked, gotten = written+len(l.letters), acked+l.acked, gotten+l.gotten
	l.mu.Unlock()
	return l.until(func() bool { return len(l.letters) >= written && l.acked >= acked && l.gotten >= gotten })
}

// until waits for a goal, which is looked at under the lock.
func (l *ledger) until(goal func() bool) error {
	l.mu.Lock()
	reached := make(chan struct{})
	l.goal, l.reached = goal, reached
	l.check()
	l.mu.Unlock()
	select {
	case <-reached:
		return nil
	case <-time.After(patience):
		l.mu.Lock()
		defer l.mu.Unlock()
		return fmt.Errorf("in vain: %d written, %d acknowledged, %d received", len(l.letters), l.acked, l.gotten)
	}
}

// check tells who waits. The caller holds the lock.
func (l *ledger) check() {
	if l.goal != nil && l.goal() {
		close(l.reached)
		l.goal = nil
	}
}

// fault notes that something is wrong.
func (l *ledger) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.complain(format, args...)
}

// complain is fault for those who hold the lock.
func (l *ledger) complain(format string, args ...any) {
	if len(l.wrong) < 50 {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

// number is the number of a message that was received.
func number(e *element) int {
	n, err := strconv.Atoi(e.Body)
	if err != nil {
		return -1
	}
	return n
}
