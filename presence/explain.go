package presence

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Explanation says why a subject is in its state.
type Explanation struct {
	Subject  Subject    `json:"subject"`
	Kind     string     `json:"kind"`
	At       time.Time  `json:"at"`
	State    string     `json:"state"`
	Why      string     `json:"why"`
	Beside   []string   `json:"beside,omitempty"`
	Engaged  bool       `json:"engaged"`
	Stale    bool       `json:"stale,omitempty"`
	Critical bool       `json:"critical,omitempty"`
	Channels string     `json:"channels"`
	Sharing  string     `json:"phone_state_sharing,omitempty"`
	Next     *time.Time `json:"next_change,omitempty"` // when time alone may change it
	Says     []Said     `json:"contributions"`
	Levels   []Seen     `json:"levels"`
}

// Said is one contribution, and what became of it.
type Said struct {
	Source   string     `json:"source"`
	Axis     string     `json:"axis"`
	State    string     `json:"state,omitempty"`
	Rank     int        `json:"rank"`
	Channels string     `json:"channels"`
	Text     string     `json:"text,omitempty"`
	Cause    string     `json:"cause,omitempty"`
	Messages int        `json:"messages,omitempty"` // that are new
	Since    *time.Time `json:"since,omitempty"`
	Age      string     `json:"age,omitempty"`
	Expires  time.Time  `json:"expires"`
	Left     string     `json:"left"`
	Stale    bool       `json:"stale,omitempty"`
	Wins     bool       `json:"wins"`
	Verdict  string     `json:"verdict"`
}

// Seen is what a level sees.
type Seen struct {
	Level string `json:"level"`
	Show  string `json:"show"`
	Text  string `json:"text,omitempty"`
	State string `json:"state,omitempty"`
}

var verdicts = [...]string{
	counts:   "counts",
	lapsed:   "has not been said again, so it counts as %s",
	bare:     "names no state that there is",
	masked:   "masked by a manual Available",
	unshared: "not shared by the person",
	expired:  "expired",
}

// Explain says why contributions come to what [Merge] makes of them, and what each
// level sees of that. Everything is in it: it is for the subject and for operators.
func Explain(subject Subject, kind Kind, cs []Contribution, cat *Catalogue, terms Terms, lang string, now time.Time) Explanation {
	e := Merge(subject, kind, cs, cat, terms, now)
	x := Explanation{
		Subject: subject, Kind: kind.String(), At: now, State: e.State, Why: e.Reason, Beside: e.Secondary,
		Engaged: e.Engaged, Stale: e.Stale, Critical: e.Critical, Channels: e.Channels.String(), Next: timeOf(NextChange(cs, now)),
	}
	if kindOf(kind) == Person {
		x.Sharing = terms.Sharing.String()
	}
	x.Says = cat.says(e, cs, terms, now)
	for l := Hidden; l < NumLevels; l++ {
		shown := cat.Show(e, l, lang, now)
		seen := Seen{Level: l.String(), Show: shown.Show, Text: shown.Text, State: shown.State}
		switch {
		case shown.Unavailable:
			seen.Show = ShowUnavailable.String()
		case shown.Show == "":
			seen.Show = ShowNone.String()
		}
		x.Levels = append(x.Levels, seen)
	}
	return x
}

// says describes the contributions, in order of rank.
func (c *Catalogue) says(e *Effective, cs []Contribution, terms Terms, now time.Time) (out []Said) {
	list := c.weighAll(nil, e.Kind, cs, terms, now)
	slices.SortFunc(list, byRank)
	won := false
	for i := range list {
		w := &list[i]
		s := w.said(now)
		s.Wins = !won && w.verdict <= bare && w.contribution() == e.Winner
		won = won || s.Wins
		switch {
		case SourceKind(w.c.Source) == FromMailbox && w.verdict == bare:
			s.Verdict = "tells of messages"
		case s.Wins:
			s.Verdict += ", and wins"
		case w.verdict == expired:
		case w.verdict > lapsed:
			s.Verdict += "; only how to reach the subject counts"
		case e.Channels == 0 && !w.state.Has(TraitUnreachable):
			s.Verdict += ", but not while nothing can be reached"
		default:
			s.Verdict += ", and is outranked"
		}
		out = append(out, s)
	}
	return out
}

// said describes one contribution.
func (w *weighed) said(now time.Time) Said {
	s := Said{
		Source: w.c.Source, Axis: w.c.Axis.String(), State: w.c.State, Rank: int(w.rank()), Channels: w.open.String(),
		Text: w.c.Facets.Text, Cause: w.c.Facets.Cause, Since: timeOf(w.c.Since), Expires: w.c.Expires, Stale: w.c.Stale,
		Left: rough(w.c.Expires.Sub(now)), Verdict: verdicts[w.verdict], Messages: int(w.c.Facets.Messages),
	}
	if s.Since != nil {
		s.Age = rough(now.Sub(w.c.Since))
	}
	switch {
	case w.verdict == lapsed:
		s.Verdict = fmt.Sprintf(s.Verdict, w.c.Lapse)
	case w.busy && w.verdict == counts:
		s.Verdict = "counts, without saying that it is a telephone"
	}
	return s
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// rough writes a duration in at most two units: "3m20s", "2h5m". What is past is "0s".
func rough(d time.Duration) string {
	switch {
	case d <= 0:
		return "0s"
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours())/24)
	case d >= time.Hour:
		return short(d.Truncate(time.Minute))
	}
	return short(d.Truncate(time.Second))
}

// Lines writes the explanation for people, a line each. Times are in the time zone of
// the catalogue.
func (x *Explanation) Lines(cat *Catalogue) []string {
	tell := func(t time.Time) string { return cat.Tell(t, x.At) }
	lines := []string{fmt.Sprintf("%s (%s) is %s: %s", x.Subject, x.Kind, x.State, x.Why)}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if len(x.Beside) > 0 {
		add("beside that: %s", strings.Join(x.Beside, ", "))
	}
	add("to be reached by: %s", x.Channels)
	if x.Engaged {
		add("to be written over what chat clients show")
	}
	if x.Stale {
		add("it rests on what was known before a restart")
	}
	if x.Sharing != "" && x.Sharing != SharePhone.String() {
		add("phone_state_sharing is %s", x.Sharing)
	}
	if x.Next != nil {
		add("by time alone it may change at %s", tell(*x.Next))
	}
	add("contributions:")
	if len(x.Says) == 0 {
		add("  none")
	}
	for _, s := range x.Says {
		lines = append(lines, s.line(tell))
	}
	add("seen by:")
	for _, l := range x.Levels {
		add("  %-6s  %s", l.Level, joined(l.Show, "  ", l.Text))
	}
	return lines
}

// line writes a contribution in one line.
func (s *Said) line(tell func(time.Time) string) string {
	mark := " "
	if s.Wins {
		mark = "*"
	}
	what := s.State
	if what == "" {
		what = "-"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s  %s (%s", mark, s.Source, what, s.Axis)
	if s.Rank >= 0 {
		fmt.Fprintf(&b, ", rank %d", s.Rank)
	}
	b.WriteString(")")
	if s.Channels != "none" {
		b.WriteString(" by " + s.Channels)
	}
	if s.Since != nil {
		fmt.Fprintf(&b, ", since %s (%s)", tell(*s.Since), s.Age)
	}
	if s.Left == "0s" {
		fmt.Fprintf(&b, ", until %s", tell(s.Expires))
	} else {
		fmt.Fprintf(&b, ", until %s (%s left)", tell(s.Expires), s.Left)
	}
	if s.Text != "" {
		fmt.Fprintf(&b, ", %q", s.Text)
	}
	if s.Cause != "" {
		b.WriteString(", " + s.Cause)
	}
	if s.Messages > 0 {
		fmt.Fprintf(&b, ", new messages: %d", s.Messages)
	}
	if s.Stale {
		b.WriteString(", from before a restart")
	}
	return b.String() + ": " + s.Verdict
}
