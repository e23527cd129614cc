package reginfo

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/sipgw/markup"
)

// The limits of a document.
const (
	MaxRegistrations = 256
	MaxContacts      = 64 // of one registration
)

// ErrTooMany is for a document with more than that.
var ErrTooMany = errors.New("reginfo: too many registrations or contacts")

// ErrNoState is for a document that is neither full nor partial.
var ErrNoState = errors.New("reginfo: neither full nor partial")

// Parse reads a document. Its strings are parts of one copy of body.
func Parse(body []byte) (*Document, error) {
	var r markup.Reader
	r.Reset(body)
	if err := r.Root(Namespace, "reginfo"); err != nil {
		return nil, err
	}
	d := &Document{}
	d.Version = number(r.Attr("version"))
	switch r.Attr("state") {
	case "full":
	case "partial":
		d.Partial = true
	default:
		return nil, ErrNoState
	}
	many := false
	for r.Child(1) {
		if !r.Is(Namespace, "registration") {
			continue
		}
		if len(d.Registrations) == MaxRegistrations {
			return nil, ErrTooMany
		}
		reg := Registration{AOR: r.Attr("aor"), ID: r.Attr("id"), State: State(find(stateNames[:], r.Attr("state")))}
		for r.Child(2) {
			if !r.Is(Namespace, "contact") {
				continue
			}
			if len(reg.Contacts) == MaxContacts {
				many = true
				continue
			}
			reg.Contacts = append(reg.Contacts, contact(&r))
		}
		d.Registrations = append(d.Registrations, reg)
	}
	if err := r.Finish(); err != nil {
		return nil, err
	}
	if many {
		return nil, ErrTooMany
	}
	return d, nil
}

func contact(r *markup.Reader) Contact {
	c := Contact{
		ID: r.Attr("id"), State: State(find(stateNames[:], r.Attr("state"))), Event: Event(find(eventNames[:], r.Attr("event"))),
		Q: r.Attr("q"), CallID: r.Attr("callid"), CSeq: number(r.Attr("cseq")),
		Duration: seconds(r.Attr("duration-registered")), Expires: seconds(r.Attr("expires")), RetryAfter: seconds(r.Attr("retry-after")),
	}
	for r.Child(3) {
		if r.Space() != Namespace {
			continue
		}
		switch r.Local() {
		case "uri":
			c.URI = r.Text()
		case "display-name":
			c.Display = r.Text()
		case "unknown-param":
			if r.Attr("name") == "+sip.instance" {
				c.Instance = strings.Trim(r.Text(), `"<>`)
			}
		}
	}
	return c
}

func find(names []string, s string) int { return max(slices.Index(names, s), 0) }

func number(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32)
	return uint32(n)
}

// seconds reads a number of seconds; negative if it is none.
func seconds(s string) time.Duration {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return -1
	}
	return time.Duration(n) * time.Second
}
