package call

import (
	"rollcall/sipgw/transport"
)

// A fanout weighs what comes back of a request that was sent to several places (RFC
// 3261 §16.7). It does nothing: what is to be done is what its methods return.
type fanout struct {
	invite bool
	groups []int // how many branches each group has that has not been begun

	open   map[int]bool // branches without a final answer
	next   int          // the number of the next branch
	best   answer
	asks   []transport.Field // challenges of all branches
	barren bool              // nothing more is begun

	cancelled bool // by the caller
	over      bool // the caller has got a final answer
}

// An answer is a final response of one branch, or what stands for one.
type answer struct {
	status int
	res    *transport.Response // nil if nobody sent it
}

// A step is what to do next.
type step struct {
	relay  bool   // what has just come goes to the caller
	cancel []int  // these branches are given up
	begin  int    // so many branches of the next group are begun
	first  int    // the first of them has this number
	final  answer // goes to the caller, if it has a status
	silent bool   // nothing goes to the caller, and nothing more is done
}

func newFanout(invite bool, groups []int) *fanout {
	return &fanout{invite: invite, groups: groups, open: map[int]bool{}}
}

// start begins the first group.
func (f *fanout) start() step { return f.onward(step{}) }

// provisional is a 1xx. It goes to the caller as long as they wait for one.
func (f *fanout) provisional(branch int) step {
	return step{relay: f.open[branch] && !f.over && !f.cancelled}
}

// success is a 2xx, which goes to the caller whatever went before (§16.7 step 5, RFC
// 6026 §8.5); all other branches are given up (step 10).
func (f *fanout) success(branch int) step {
	delete(f.open, branch)
	s := step{relay: f.invite || !f.over}
	f.over = true
	return f.giveUp(s)
}

// failure is any other final answer.
func (f *fanout) failure(branch int, a answer) step {
	if !f.open[branch] {
		return step{}
	}
	delete(f.open, branch)
	if f.over {
		return step{}
	}
	f.weigh(a)
	var s step
	if a.status >= 600 { // nobody else is to be asked (§16.7 step 5)
		s = f.giveUp(s)
	}
	return f.onward(s)
}

// cancel is that the caller gives up (§16.10).
func (f *fanout) cancel() step {
	if f.over || f.cancelled {
		return step{}
	}
	f.cancelled = true
	return f.onward(f.giveUp(step{}))
}

// overdue is that a group has been tried for long enough. Others are tried now, if
// there are any.
func (f *fanout) overdue() step {
	if f.over || f.barren || len(f.groups) == 0 {
		return step{}
	}
	return f.advance(step{cancel: f.openBranches()})
}

// expire is that the call has been tried for long enough altogether.
func (f *fanout) expire() step {
	if f.over || f.cancelled {
		return step{}
	}
	f.weigh(answer{status: 408})
	return f.onward(f.giveUp(step{}))
}

// more reports whether there are groups that have not been begun.
func (f *fanout) more() bool { return len(f.groups) > 0 }

// giveUp cancels what is open and begins nothing more.
func (f *fanout) giveUp(s step) step {
	f.barren, f.groups = true, nil
	s.cancel = f.openBranches()
	return s
}

func (f *fanout) openBranches() (all []int) {
	if !f.invite {
		return nil // only an INVITE can be cancelled
	}
	for b := range f.next {
		if f.open[b] {
			all = append(all, b)
		}
	}
	return all
}

// onward begins the next group when all of this one have answered, or tells the
// caller what came of it all.
func (f *fanout) onward(s step) step {
	switch {
	case len(f.open) > 0:
		return s
	case len(f.groups) > 0:
		return f.advance(s)
	case f.over:
		return s
	}
	f.over = true
	if s.final = f.result(); s.final.status == 0 {
		s.silent = true
	}
	return s
}

func (f *fanout) advance(s step) step {
	s.begin, s.first = f.groups[0], f.next
	f.groups = f.groups[1:]
	for range s.begin {
		f.open[f.next] = true
		f.next++
	}
	return s
}

// weigh keeps an answer if it is better than what there was, and all challenges
// (§16.7 steps 3, 6 and 7).
func (f *fanout) weigh(a answer) {
	if a.res != nil && (a.status == 401 || a.status == 407) {
		for _, name := range [...]string{"WWW-Authenticate", "Proxy-Authenticate"} {
			for _, value := range a.res.Lines(name) {
				f.asks = append(f.asks, transport.Field{Name: name, Value: value})
			}
		}
	}
	if f.best.status == 0 || rank(a.status) < rank(f.best.status) {
		f.best = a
	}
}

// rank orders final answers: the lowest is what the caller should know. A 6xx speaks
// for all; else the lowest class is taken, and in it first what the caller can do
// something about (§16.7 step 6), then what a person said, and last what says no more
// than that nobody did.
func rank(status int) int {
	switch {
	case status >= 600:
		return status - 600
	case status == 401, status == 407:
		return 4000
	case status == 415, status == 420, status == 484:
		return 4100
	case status == 486:
		return 4200
	case status == 480:
		return 4300
	case status == 404, status == 410:
		return 4500
	case status == 408:
		return 4600
	case status == 487:
		return 4700
	case status/100 == 4:
		return 4400
	}
	return status * 10 // 3xx before, 5xx after all 4xx
}

// result is what the caller hears when nobody has answered with success; no status
// if that is nothing.
func (f *fanout) result() answer {
	switch best := f.best; {
	case f.cancelled:
		if best.status == 487 {
			return best
		}
		return answer{status: 487}
	case best.status == 0:
		return answer{status: 480}
	case best.status == 408 && !f.invite:
		return answer{} // RFC 4320 §4.1: the caller has given up by now
	case best.status == 503:
		// §16.7 step 6: that one of those who were called cannot answer says nothing
		// about us.
		return answer{status: 500}
	default:
		return best
	}
}
