package iscomposing

import (
	"errors"
	"strconv"
	"time"

	"rollcall/sipgw/markup"
)

// ContentType is the media type of the body.
const ContentType = "application/im-iscomposing+xml"

const namespace = "urn:ietf:params:xml:ns:im-iscomposing"

// Limits.
const (
	MaxBody = 8 << 10 // bytes of a body

	// MaxRefresh is the longest that somebody is taken to be writing without saying so
	// again. RFC 3994 has no bound; but whoever has gone away does not write.
	MaxRefresh = 10 * time.Minute
)

// ErrStatus is for a body that says nothing of the kind. It never holds what the peer
// sent.
var ErrStatus = errors.New("iscomposing: malformed status")

// Status is what a body says.
type Status struct {
	Active  bool          // somebody is writing
	Refresh time.Duration // within which it is said again; 0 is not said
}

// Parse reads a body. States other than active are idle (RFC 3994 §3.5).
//
// COMPAT(phones, for good): the namespace is not looked at; drafts had others.
func Parse(body []byte) (Status, error) {
	var s Status
	if len(body) > MaxBody {
		return s, ErrStatus
	}
	var r markup.Reader
	r.Reset(body)
	if r.Open() != nil || r.Local() != "isComposing" {
		return s, ErrStatus
	}
	said := false
	for depth := r.Depth(); r.Child(depth); {
		switch r.Local() {
		case "state":
			s.Active, said = r.Text() == "active", true
		case "refresh":
			s.Refresh = seconds(r.Text())
		}
	}
	if r.Finish() != nil || !said {
		return Status{}, ErrStatus
	}
	return s, nil
}

// seconds reads a positive number; 0 if it is none.
func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return time.Duration(min(n, uint64(MaxRefresh/time.Second))) * time.Second
}

// Append appends the body, its elements in the order of the schema (RFC 3994 §6.1).
func (s Status) Append(dst []byte) []byte {
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<isComposing xmlns="`+namespace+`"><state>`...)
	if s.Active {
		dst = append(dst, "active"...)
	} else {
		dst = append(dst, "idle"...)
	}
	dst = append(dst, "</state><contenttype>text/plain</contenttype>"...)
	if n := int64(s.Refresh / time.Second); n > 0 {
		dst = strconv.AppendInt(append(dst, "<refresh>"...), n, 10)
		dst = append(dst, "</refresh>"...)
	}
	return append(dst, "</isComposing>\n"...)
}
