package event

import (
	"strconv"
	"strings"
	"time"
)

// Phase is where a subscription stands, as Subscription-State says it.
type Phase uint8

// The phases of RFC 6665 §4.1.3. Other is one that we do not know, which is treated
// as active.
const (
	Other Phase = iota
	Pending
	Active
	Terminated
)

var phaseNames = [...]string{"", "pending", "active", "terminated"}

// String returns the state as Subscription-State has it.
func (p Phase) String() string { return phaseNames[p] }

// Reason is why a subscription has ended.
type Reason uint8

// The reasons of RFC 6665 §4.1.3. NoReason is none, or one that we do not know.
const (
	NoReason Reason = iota
	Deactivated
	Probation
	Rejected
	Timeout
	GiveUp
	NoResource
	Invariant
)

var reasonNames = [...]string{"", "deactivated", "probation", "rejected", "timeout", "giveup", "noresource", "invariant"}

// String returns the reason as Subscription-State has it.
func (r Reason) String() string { return reasonNames[r] }

// State is what a Subscription-State header says.
type State struct {
	Phase  Phase
	Reason Reason

	Expires    time.Duration // negative is not said
	RetryAfter time.Duration // negative is not said
}

// longest is the most that a number of seconds is taken for: a year and a bit.
const longest = 400 * 24 * time.Hour

// ParseState reads a Subscription-State header.
func ParseState(s string) (State, error) {
	st := State{Expires: -1, RetryAfter: -1}
	name, params, err := split(s)
	if err != nil || !token(name) {
		return st, ErrHeader
	}
	for i, n := range phaseNames {
		if strings.EqualFold(name, n) {
			st.Phase = Phase(i)
		}
	}
	for _, p := range params {
		switch p.Name {
		case "expires":
			st.Expires = Seconds(p.Value)
		case "retry-after":
			st.RetryAfter = Seconds(p.Value)
		case "reason":
			for i, n := range reasonNames {
				if strings.EqualFold(p.Value, n) {
					st.Reason = Reason(i)
				}
			}
		}
	}
	return st, nil
}

// Append appends the header's value. An active or pending subscription must say
// when it ends (RFC 6665 §4.2.2), one that has ended why.
func (s State) Append(dst []byte) []byte {
	dst = append(dst, s.Phase.String()...)
	if s.Phase != Terminated {
		if s.Expires >= 0 {
			dst = strconv.AppendInt(append(dst, ";expires="...), int64(s.Expires/time.Second), 10)
		}
		return dst
	}
	if s.Reason != NoReason {
		dst = append(append(dst, ";reason="...), s.Reason.String()...)
	}
	if s.RetryAfter >= 0 {
		dst = strconv.AppendInt(append(dst, ";retry-after="...), int64(s.RetryAfter/time.Second), 10)
	}
	return dst
}

// Seconds reads the delta-seconds of Expires and its like; negative if it is none.
// Parameters and comments behind the number, as Retry-After has them, are left
// aside. What is too large to be meant is cut (RFC 3261 §20.19).
func Seconds(s string) time.Duration {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if rest := strings.TrimSpace(s[end:]); end == 0 || rest != "" && rest[0] != ';' && rest[0] != '(' {
		return -1
	}
	n, err := strconv.ParseUint(s[:end], 10, 32)
	if err != nil {
		return longest
	}
	return min(time.Duration(n)*time.Second, longest)
}
