package notifier

import "time"

// moment is a time by the clock that nobody sets: how long the notifier has been there.
type moment time.Duration

// moment is that of a time.
func (n *Notifier) moment(t time.Time) moment { return moment(t.Sub(n.born)) }

// time is the other way round.
func (n *Notifier) time(m moment) time.Time { return n.born.Add(time.Duration(m)) }

// An agenda has subscriptions by the time at which they are to be looked at: a heap
// that knows where each stands, so that one which ends leaves nothing behind. The
// zero value is empty.
type agenda struct{ all []*subscription }

// put has a subscription stand for a time, and says whether it is the first now.
func (a *agenda) put(s *subscription, at moment) bool {
	if s.slot > 0 {
		a.remove(s)
	}
	s.at = at
	a.all = append(a.all, s)
	s.slot = int32(len(a.all))
	a.up(len(a.all) - 1)
	return s.slot == 1
}

// next takes out the first, if it is due.
func (a *agenda) next(now moment) *subscription {
	if len(a.all) == 0 || a.all[0].at > now {
		return nil
	}
	s := a.all[0]
	a.remove(s)
	return s
}

// first is the time of the first; false if there is none.
func (a *agenda) first() (at moment, ok bool) {
	if len(a.all) == 0 {
		return 0, false
	}
	return a.all[0].at, true
}

// remove takes out a subscription, if it stands for anything.
func (a *agenda) remove(s *subscription) {
	i, last := int(s.slot)-1, len(a.all)-1
	if i < 0 {
		return
	}
	a.swap(i, last)
	a.all[last] = nil
	a.all = a.all[:last]
	s.slot = 0
	if i < last {
		a.up(i)
		a.down(i)
	}
}

func (a *agenda) up(i int) {
	for i > 0 && a.less(i, (i-1)/2) {
		a.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (a *agenda) down(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(a.all); c++ {
			if a.less(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		a.swap(i, least)
		i = least
	}
}

func (a *agenda) less(i, j int) bool { return a.all[i].at < a.all[j].at }

func (a *agenda) swap(i, j int) {
	a.all[i], a.all[j] = a.all[j], a.all[i]
	a.all[i].slot, a.all[j].slot = int32(i+1), int32(j+1)
}
