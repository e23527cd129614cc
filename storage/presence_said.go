package storage

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"rollcall/presence"
)

// said is a contribution as it is stored. Times are in microseconds since 1970, and
// 0 is the zero time.
type said struct {
	Source   string `json:"source"`
	Axis     int    `json:"axis"`
	State    string `json:"state"`
	Channels int    `json:"channels"`
	Since    int64  `json:"since"`
	Expires  int64  `json:"expires"`
	Lapse    string `json:"lapse"`

	Text        string `json:"text"`
	Device      string `json:"device"`
	Counterpart string `json:"counterpart"`
	Inbound     bool   `json:"inbound"`
	Ref         string `json:"ref"`
	Until       int64  `json:"until"`
	Cause       string `json:"cause"`
	Priority    int8   `json:"priority"`
	Idle        int64  `json:"idle"`
	Messages    uint16 `json:"messages"`
}

// appendSaid appends contributions as JSON of [said]. It is written out because it is
// done for every change. Stale is not kept: it is found out anew.
func appendSaid(b []byte, cs []presence.Contribution) []byte {
	b = append(b, '[')
	for i := range cs {
		c := &cs[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"source":`...)
		b = appendText(b, c.Source)
		b = number(b, `,"axis":`, int64(c.Axis))
		b = word(b, `,"state":`, c.State)
		b = number(b, `,"channels":`, int64(c.Channels))
		b = number(b, `,"since":`, ever(c.Since))
		b = number(b, `,"expires":`, ever(c.Expires))
		b = word(b, `,"lapse":`, c.Lapse)
		b = appendFacets(b, &c.Facets)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendFacets(b []byte, f *presence.Facets) []byte {
	b = word(b, `,"text":`, f.Text)
	b = word(b, `,"device":`, f.Device)
	b = word(b, `,"counterpart":`, f.Counterpart)
	if f.Inbound {
		b = append(b, `,"inbound":true`...)
	}
	b = word(b, `,"ref":`, f.Ref)
	b = number(b, `,"until":`, ever(f.Until))
	b = word(b, `,"cause":`, f.Cause)
	b = number(b, `,"priority":`, int64(f.Priority))
	b = number(b, `,"idle":`, ever(f.Idle))
	return number(b, `,"messages":`, int64(f.Messages))
}

// number appends a member unless it is 0, word one unless it is empty.
func number(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, name...), n, 10)
}

func word(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	return appendText(append(b, name...), s)
}

func appendText(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			text, err := json.Marshal(s)
			if err != nil {
				panic("storage: a string as JSON: " + err.Error()) // every string has its JSON
			}
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// parseSaid reads contributions.
func parseSaid(text []byte) ([]presence.Contribution, error) {
	var all []said
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("storage: contributions: %w", err)
	}
	out := make([]presence.Contribution, len(all))
	for i := range all {
		s := &all[i]
		out[i] = presence.Contribution{
			Source: s.Source, Axis: presence.Axis(s.Axis), State: s.State, Channels: presence.Channel(s.Channels),
			Since: atMicro(s.Since), Expires: atMicro(s.Expires), Lapse: s.Lapse,
			Facets: presence.Facets{
				Text: s.Text, Device: s.Device, Counterpart: s.Counterpart, Inbound: s.Inbound, Ref: s.Ref,
				Until: atMicro(s.Until), Cause: s.Cause, Priority: s.Priority, Idle: atMicro(s.Idle), Messages: s.Messages,
			},
		}
	}
	return out, nil
}

func atMicro(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
