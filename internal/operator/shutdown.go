package operator

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// maxDelay is how far ahead a stop can be ordered.
const maxDelay = 7 * 24 * time.Hour

// shutdownOperations stop the server (XEP-0133 §4.31).
var shutdownOperations = []Operation{
	{
		Name: "shutdown", Title: "Shut down the server", Node: adminNode + "shutdown", Live: true,
		Fields: []Field{
			{Name: "delay", Label: "After how many seconds", Kind: Number, Preset: "60", Options: []Option{
				{"30", "30 seconds"}, {"60", "60 seconds"}, {"90", "90 seconds"}, {"120", "2 minutes"},
				{"180", "3 minutes"}, {"240", "4 minutes"}, {"300", "5 minutes"},
			}},
			{Name: "announcement", Label: "What to say to everybody who is online", Kind: Lines},
		},
		run: shutDown,
	},
	{Name: "shutdown.cancel", Title: "Take back a shutdown", Live: true, run: cancelShutdown},
}

// end is when the server is to stop.
type end struct {
	come chan struct{} // closed when it is time

	mu    sync.Mutex  // guards what follows
	timer *time.Timer // nil: nobody has ordered a stop
	over  bool
}

func (e *end) init() { e.come = make(chan struct{}) }

// Stopping returns a channel that is closed when the server is to stop.
func (d *Desk) Stopping() <-chan struct{} { return d.end.come }

// in orders the stop for later, in place of what was ordered before.
func (e *end) in(delay time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.timer != nil {
		e.timer.Stop()
	}
	e.timer = time.AfterFunc(delay, e.now)
}

func (e *end) now() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		e.over = true
		close(e.come)
	}
}

// cancel takes the order back; false if there is none, or if it is too late.
func (e *end) cancel() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.timer == nil || !e.timer.Stop() {
		return false
	}
	e.timer = nil
	return true
}

func shutDown(_ context.Context, d *Desk, v values) (Answer, error) {
	seconds, _ := strconv.Atoi(v.one("delay")) // "" is at once
	delay := time.Duration(seconds) * time.Second
	if seconds > int(maxDelay/time.Second) {
		return Answer{}, wrong("the server can be stopped within %d days at most", maxDelay/(24*time.Hour))
	}
	text := v.text("announcement")
	if text == "" && delay > 0 {
		text = fmt.Sprintf("This server stops in %s.", spell(delay))
	}
	if text != "" && d.serving() {
		d.live.Announcements.Announce(text)
	}
	d.end.in(delay)
	if delay == 0 {
		return Answer{Note: "the server stops"}, nil
	}
	return Answer{Note: fmt.Sprintf("the server stops in %s", spell(delay))}, nil
}

func cancelShutdown(_ context.Context, d *Desk, _ values) (Answer, error) {
	if !d.end.cancel() {
		return Answer{}, wrong("no shutdown was ordered")
	}
	if d.serving() {
		d.live.Announcements.Announce("This server does not stop after all.")
	}
	return Answer{Note: "the server goes on"}, nil
}

// spell writes a duration in words.
func spell(d time.Duration) string {
	say := func(n time.Duration, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch {
	case d%time.Hour == 0:
		return say(d/time.Hour, "hour")
	case d%time.Minute == 0:
		return say(d/time.Minute, "minute")
	}
	return say(d/time.Second, "second")
}
