package notifier

import "time"

// An agenda has subscriptions by the time at which they are to be looked at: a heap
// that knows where each stands, so that one which ends leaves nothing behind. The
// zero value is empty.
type agenda struct{ all []*subscription }

// put has a subscription stand for a time, and says whether it is the first now.
func (a *agenda) put(s *subscription, at time.Time) bool {
	if s.slot > 0 {
		a.remove(s)
	}
	s.at = at
	a.all = append(a.all, s)
	s.slot = len(a.all)
	a.up(s.slot - 1)
	return s.slot == 1
}

// next takes out the first, if it is due.
func (a *agenda) next(now time.Time) *subscription {
	if len(a.all) == 0 || a.all[0].at.After(now) {
		return nil
	}
	s := a.all[0]
	a.remove(s)
	return s
}

// first is the time of the first; zero if there is none.
func (a *agenda) first() time.Time {
	if len(a.all) == 0 {
		return time.Time{}
	}
	return a.all[0].at
}

// remove takes out a subscription, if it stands for anything.
func (a *agenda) remove(s *subscription) {
	i, last := s.slot-1, len(a.all)-1
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

func (a *agenda) less(i, j int) bool { return a.all[i].at.Before(a.all[j].at) }

func (a *agenda) swap(i, j int) {
	a.all[i], a.all[j] = a.all[j], a.all[i]
	a.all[i].slot, a.all[j].slot = i+1, j+1
}
