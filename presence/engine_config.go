package presence

import "time"

// EngineConfig says how patient the engine is. With the zero value it tells
// everything at once and keeps nothing stale.
type EngineConfig struct {
	Settle Settle
	Flaps  FlapLimit

	// Barrier is how long after a restart the word of sources counts that have not
	// been heard again.
	Barrier time.Duration

	// Journal is how long it is kept who was in which state; 0 is forever.
	Journal time.Duration
}

// Settle is how long a state must last before watchers hear of it. What begins to
// engage a subject is told at once.
type Settle struct {
	Usual    time.Duration // what comes together is told together
	Released time.Duration // the end of a call: another leg of it may follow
	Idle     time.Duration // nobody touches the client, or only one that is carried
}

// FlapLimit is how often a device may come and go.
type FlapLimit struct {
	Changes int           // so often are well; 0 is no limit
	Within  time.Duration // counted over this
	Hold    time.Duration // so long it is taken for lost when it was more often
}
