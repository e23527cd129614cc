package mwi

import (
	"errors"
	"strconv"
	"strings"
)

// ContentType is the media type of the body.
const ContentType = "application/simple-message-summary"

// The limits of a body.
const (
	MaxBody  = 8 << 10 // bytes
	maxLines = 64
	maxCount = 1_000_000 // messages of a kind
)

// ErrSummary is for a body that says nothing of messages.
var ErrSummary = errors.New("mwi: malformed summary")

// Summary is what waits for an account.
type Summary struct {
	Waiting bool   // the lamp
	Account string // whose messages they are, a URI; "" is the address subscribed to
	Counts  [NumKinds]Count
}

// Kind is a kind of messages (RFC 3842 §5.2).
type Kind uint8

// The kinds. Voice is what phones know; Text is what waits as chat.
const (
	Voice Kind = iota
	Fax
	Pager
	Multimedia
	Text
	NumKinds
)

var kindNames = [NumKinds]string{"Voice-Message", "Fax-Message", "Pager-Message", "Multimedia-Message", "Text-Message"}

// String returns the kind as RFC 3842 writes it.
func (k Kind) String() string { return kindNames[k] }

// Count is how many messages of a kind there are.
type Count struct {
	New, Old             uint32
	UrgentNew, UrgentOld uint32 // of those
	Known                bool   // it says something of that kind
}

// Add adds what waits elsewhere.
func (s *Summary) Add(o *Summary) {
	s.Waiting = s.Waiting || o.Waiting
	for k := range NumKinds {
		a, b := &s.Counts[k], &o.Counts[k]
		a.New, a.Old = min(a.New+b.New, maxCount), min(a.Old+b.Old, maxCount)
		a.UrgentNew, a.UrgentOld = min(a.UrgentNew+b.UrgentNew, maxCount), min(a.UrgentOld+b.UrgentOld, maxCount)
		a.Known = a.Known || b.Known
	}
}

// Append appends the body. A summary that knows of no kind says that there are no
// voice messages, since many phones look at nothing else.
func (s *Summary) Append(dst []byte) []byte {
	dst = append(dst, "Messages-Waiting: "...)
	if s.Waiting {
		dst = append(dst, "yes\r\n"...)
	} else {
		dst = append(dst, "no\r\n"...)
	}
	if s.Account != "" {
		dst = append(dst, "Message-Account: "...)
		dst = append(appendLine(dst, s.Account), "\r\n"...)
	}
	any := false
	for k := range NumKinds {
		if s.Counts[k].Known {
			any = true
			dst = s.Counts[k].append(dst, k)
		}
	}
	if !any {
		dst = (&Count{}).append(dst, Voice)
	}
	return dst
}

func (c *Count) append(dst []byte, k Kind) []byte {
	dst = append(append(dst, kindNames[k]...), ": "...)
	dst = appendPair(dst, c.New, c.Old)
	dst = appendPair(append(dst, " ("...), c.UrgentNew, c.UrgentOld)
	return append(dst, ")\r\n"...)
}

func appendPair(dst []byte, a, b uint32) []byte {
	dst = strconv.AppendUint(dst, uint64(a), 10)
	return strconv.AppendUint(append(dst, '/'), uint64(b), 10)
}

// appendLine appends what must stay on its line.
func appendLine(dst []byte, s string) []byte {
	for i := range len(s) {
		if s[i] >= 0x20 && s[i] != 0x7f {
			dst = append(dst, s[i])
		}
	}
	return dst
}

// Parse reads a body. What follows behind an empty line tells of single messages and
// is passed over.
func Parse(body []byte) (*Summary, error) {
	if len(body) > MaxBody {
		return nil, ErrSummary
	}
	s := &Summary{}
	lines, status := 0, false
	for line := range strings.SplitSeq(string(body), "\n") {
		line = strings.TrimRight(line, "\r \t\x00")
		if line == "" && lines > 0 {
			break
		}
		if line == "" {
			continue
		}
		if lines++; lines > maxLines {
			return nil, ErrSummary
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, ErrSummary
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch name {
		case "messages-waiting":
			status = true
			s.Waiting = strings.EqualFold(value, "yes")
		case "message-account":
			s.Account = strings.Trim(value, "<>")
		default:
			if err := s.count(name, value); err != nil {
				return nil, err
			}
		}
	}
	if !status {
		return nil, ErrSummary
	}
	return s, nil
}

// count reads "2/8 (0/2)". Kinds that we don't know are none of ours. COMPAT(drafts
// of RFC 3842, for good): voicemail.
func (s *Summary) count(name, value string) error {
	if name == "voicemail" {
		name = "voice-message"
	}
	for k := range NumKinds {
		if !strings.EqualFold(kindNames[k], name) {
			continue
		}
		c := Count{Known: true}
		all, urgent, has := strings.Cut(value, "(")
		var ok bool
		if c.New, c.Old, ok = pair(all); !ok {
			return ErrSummary
		}
		if has {
			urgent, _, _ = strings.Cut(urgent, ")")
			if c.UrgentNew, c.UrgentOld, ok = pair(urgent); !ok {
				return ErrSummary
			}
		}
		s.Counts[k] = c
	}
	return nil
}

func pair(s string) (a, b uint32, ok bool) {
	first, second, ok := strings.Cut(s, "/")
	x, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 32)
	y, err2 := strconv.ParseUint(strings.TrimSpace(second), 10, 32)
	return uint32(min(x, maxCount)), uint32(min(y, maxCount)), ok && err1 == nil && err2 == nil
}
