package presence

import "time"

// Effective is what all contributions to a subject come to at a moment. It is
// never changed once it is made.
type Effective struct {
	Subject Subject
	Kind    Kind

	// Critical says that it is a device that stays in sight when it cannot be
	// reached.
	Critical bool

	// Engaged says that the state outranks what chat clients say, so that it is to
	// be written over what they show.
	Engaged bool

	Channels Channel // all that anybody vouches for
	Stale    bool    // it rests on what was known before a restart

	// Version rises with each change of the subject's effective state, over
	// restarts too.
	Version uint64

	// State is the id of the state that has won, and Winner the contribution that
	// it comes from; for a state that follows from there being none, such as
	// "offline", Winner has no Source.
	State  string
	Winner Contribution

	// Secondary are the ids of states that are true beside the winner and that the
	// text mentions: " · on the phone".
	Secondary []string

	Since time.Time
	Until time.Time // zero is unknown

	// Reason says in words why this has won, for explain.
	Reason string

	// All are the contributions that counted, in order of rank; those that were
	// masked or had expired are not among them.
	All []Contribution
}
