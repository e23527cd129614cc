// Package presence knows who is reachable, and why.
//
// A subject is whoever has presence: a person, a device, a team, a role. Sources
// say what they know of a subject in contributions, each on one axis and each with
// an end: a registrar that a phone is registered, a phone that it is off the hook, a
// chat client that somebody is away, an operator that a door is being repaired.
// What a source says replaces all that it said before, so what is not said any more
// is gone.
//
// The effective state of a subject is a pure function of its contributions, the
// catalogue of states and the clock ([Merge]). It is never toggled and nothing is
// ever put back, because nothing was overwritten. It carries its reason.
//
// Who may see how much of it is a level ([Level]), which [Rules] give to watchers.
// What a level shows of a state is a pure function too.
//
// An [Engine] owns the contributions of all subjects, each in one shard, and tells
// those who watch which subjects have changed.
package presence
