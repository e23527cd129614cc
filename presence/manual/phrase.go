package manual

import (
	"strings"
	"time"

	"rollcall/presence"
)

// Phrase reads an order as people write it: "break", "break 20m", "do not disturb
// until 15:00 writing". First comes the state, as many words as there are in its
// name; then for how long or until when, if that is said; then the person's own words.
// If it names no state that may be set, the first word is taken for one, so that Set
// can say what there is.
func (s *Service) Phrase(kind presence.Kind, by presence.Setter, phrase string, now time.Time) Order {
	cat := s.engine.Catalogue()
	o := Order{Kind: kind, By: by}
	all := strings.Fields(phrase)
	n := min(len(all), mostNameWords)
	for ; n > 1; n-- {
		if state, _ := find(cat, kind, by, strings.Join(all[:n], " ")); state != nil {
			break
		}
	}
	o.State = strings.Join(all[:n], " ")
	o.Text = strings.Join(o.lasting(all[n:], now, cat.Zone()), " ")
	return o
}

// mostNameWords is how many words the name of a state has at most.
const mostNameWords = 8

// Known reports whether a phrase begins with the name of a state that may be set.
func (s *Service) Known(kind presence.Kind, by presence.Setter, phrase string) bool {
	o := s.Phrase(kind, by, phrase, time.Time{})
	state, _ := find(s.engine.Catalogue(), kind, by, o.State)
	return state != nil
}

// lasting takes in how long it is to last, and returns the words that are left.
func (o *Order) lasting(all []string, now time.Time, zone *time.Location) []string {
	if len(all) == 0 {
		return nil
	}
	switch strings.ToLower(all[0]) {
	case "for":
		if len(all) > 1 {
			if d, ok := Span(all[1]); ok {
				o.For = d
				return all[2:]
			}
		}
	case "until", "till", "bis":
		if len(all) > 1 {
			if t, ok := Clock(all[1], now, zone); ok {
				o.Until = t
				return all[2:]
			}
		}
	default:
		if d, ok := Span(all[0]); ok {
			o.For = d
			return all[1:]
		}
		if t, ok := Clock(all[0], now, zone); ok {
			o.Until = t
			return all[1:]
		}
	}
	return all
}
