package presence

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// ErrClosed says that a watch was closed.
var ErrClosed = errors.New("presence: the watch is closed")

// Watch tells which subjects have changed. It holds a set of them, so who is slow
// to ask misses states in between and never the last. One goroutine at a time may
// call Next; the other methods are safe for use by many.
type Watch struct {
	// Fixed.
	e    *Engine
	wake chan struct{} // holds a token if there is something

	mu      sync.Mutex           // guards the fields below
	only    map[Subject]struct{} // nil: all subjects
	changed []Subject
	marked  map[Subject]struct{} // the same
	spare   []Subject            // was handed out, and is filled next
	closed  bool
}

// audience is who watches a shard's subjects singly.
type audience struct {
	mu sync.Mutex // guards the field below; taken before the locks of watches
	of map[Subject][]*Watch
}

// Watch watches all subjects. It begins with none that have changed: what is so
// already, State and All tell afterwards. What Load reads later has changed.
func (e *Engine) Watch() *Watch {
	w := e.newWatch()
	e.watches.Lock()
	defer e.watches.Unlock()
	all := append(slices.Clone(*e.all.Load()), w)
	e.all.Store(&all)
	return w
}

// WatchOnly watches some subjects, which need not be known yet.
func (e *Engine) WatchOnly(subjects ...Subject) *Watch {
	w := e.newWatch()
	w.only = make(map[Subject]struct{})
	w.Add(subjects...)
	return w
}

func (e *Engine) newWatch() *Watch {
	return &Watch{e: e, wake: make(chan struct{}, 1), marked: make(map[Subject]struct{})}
}

// Add has a watch of some subjects watch more. For one of all subjects it does
// nothing.
func (w *Watch) Add(subjects ...Subject) {
	for _, subject := range subjects {
		a := &w.e.shardOf(subject).audience
		a.mu.Lock()
		w.mu.Lock()
		_, has := w.only[subject]
		if add := w.only != nil && !has && !w.closed; add {
			w.only[subject] = struct{}{}
			a.of[subject] = append(a.of[subject], w)
		}
		w.mu.Unlock()
		a.mu.Unlock()
	}
}

// Remove has a watch of some subjects watch fewer. A change that has been marked
// is still told.
func (w *Watch) Remove(subjects ...Subject) {
	for _, subject := range subjects {
		a := &w.e.shardOf(subject).audience
		a.mu.Lock()
		w.mu.Lock()
		delete(w.only, subject)
		w.mu.Unlock()
		if i := slices.Index(a.of[subject], w); i >= 0 {
			if a.of[subject] = slices.Delete(a.of[subject], i, i+1); len(a.of[subject]) == 0 {
				delete(a.of, subject)
			}
		}
		a.mu.Unlock()
	}
}

// Next waits until subjects have changed and returns them, each once, in the order
// in which they changed first. The slice is valid until the next call. It fails
// when ctx is done or the watch is closed.
func (w *Watch) Next(ctx context.Context) ([]Subject, error) {
	for {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			return nil, ErrClosed
		}
		if out := w.changed; len(out) > 0 {
			w.changed, w.spare = w.spare[:0], out
			if len(out) > keepMarked {
				w.marked = make(map[Subject]struct{}) // clearing a large one takes its time
			} else {
				clear(w.marked)
			}
			w.mu.Unlock()
			return out, nil
		}
		w.mu.Unlock()
		select {
		case <-w.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// keepMarked is what an idle watch holds on to.
const keepMarked = 1024

// Close ends the watch.
func (w *Watch) Close() {
	w.mu.Lock()
	w.closed = true
	var only []Subject
	for subject := range w.only {
		only = append(only, subject)
	}
	all := w.only == nil
	w.mu.Unlock()
	token(w.wake)
	w.Remove(only...)
	if all {
		w.e.watches.Lock()
		defer w.e.watches.Unlock()
		rest := slices.DeleteFunc(slices.Clone(*w.e.all.Load()), func(o *Watch) bool { return o == w })
		w.e.all.Store(&rest)
	}
}

// mark notes that subjects have changed.
func (w *Watch) mark(subjects ...Subject) {
	w.mu.Lock()
	for _, subject := range subjects {
		if _, marked := w.marked[subject]; !marked {
			w.marked[subject] = struct{}{}
			w.changed = append(w.changed, subject)
		}
	}
	w.mu.Unlock()
	token(w.wake)
}

// mark tells all who watch that subjects of a shard have changed.
func (e *Engine) mark(s *shard, subjects []Subject) {
	for _, w := range *e.all.Load() {
		w.mark(subjects...)
	}
	s.audience.mu.Lock()
	defer s.audience.mu.Unlock()
	if len(s.audience.of) == 0 {
		return
	}
	for i, subject := range subjects {
		for _, w := range s.audience.of[subject] {
			w.mark(subjects[i : i+1]...)
		}
	}
}
