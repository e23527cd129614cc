package archive

import (
	"math"
	"strconv"
	"strings"
	"time"

	"rollcall/xmpp/form"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// request is a query as it was asked.
type request struct {
	id      string // queryid
	filter  Filter // with, start and end
	after   string // after-id
	before  string // before-id
	ids     []string
	page    page
	flipped bool
}

// page is what result set management asks for (XEP-0059).
type page struct {
	max           int // -1: not said
	index         int // -1: not said
	after, before string
	backward      bool // there was a <before/>, perhaps empty
}

func parseRequest(e *stanza.Element, maxIDs int) (*request, error) {
	q := &request{id: e.Attr("queryid"), page: page{max: -1, index: -1}}
	if _, found := e.LookupAttr("node"); found {
		return nil, stanza.ErrItemNotFound // nodes are for pubsub: XEP-0442
	}
	q.flipped = e.Child("", "flip-page") != nil
	var err error
	if x := form.Of(e); x != nil {
		if err = q.parseForm(x, maxIDs); err != nil {
			return nil, err
		}
	}
	if set := e.Child(nsRSM, "set"); set != nil {
		q.page, err = parsePage(set)
	}
	return q, err
}

// parseForm reads the fields (XEP-0313 §4.1).
func (q *request) parseForm(x *stanza.Element, maxIDs int) error {
	a, err := form.Parse(x)
	switch {
	case err != nil:
		return err
	case a.Cancelled:
		return stanza.Refuse(stanza.ErrBadRequest, "the form has to be submitted")
	case a.Type != Namespace:
		return stanza.Refuse(stanza.ErrBadRequest, "the form has no FORM_TYPE, or is not for this")
	}
	for _, field := range a.Fields {
		if err := q.field(field.Var, field.Values, maxIDs); err != nil {
			return err
		}
	}
	return nil
}

// field takes one field. One without a value is as if it were not there.
func (q *request) field(name string, values []string, maxIDs int) error {
	value := ""
	if len(values) > 0 {
		value = values[0]
	}
	if len(values) > 1 && name != "ids" {
		return stanza.Refuse(stanza.ErrBadRequest, "the field %s has one value", name)
	}
	switch name {
	case "with":
		return q.with(value)
	case "start", "end":
		return q.time(name, value)
	case "after-id":
		q.after = value
	case "before-id":
		q.before = value
	case "ids":
		if len(values) > maxIDs {
			return stanza.Refuse(stanza.ErrNotAcceptable, "at most %d ids", maxIDs)
		}
		q.ids = values
	default:
		// §4.1.5: what is not understood must not be passed over.
		return stanza.Refuse(stanza.ErrNotImplemented, "the field %s is not known here", name)
	}
	return nil
}

func (q *request) with(value string) (err error) {
	if value == "" {
		return nil
	}
	if q.filter.With, err = jid.Parse(value); err != nil {
		return stanza.Refuse(stanza.ErrBadRequest, "the field with is not an address")
	}
	return nil
}

// time takes start and end, which are both inclusive (§4.1.2), in the format of
// XEP-0082.
func (q *request) time(name, value string) error {
	if value == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(value))
	if err != nil {
		return stanza.Refuse(stanza.ErrBadRequest, "the field %s is not a time", name)
	}
	stamp := t.UnixMicro()
	if name == "start" {
		if t.After(time.UnixMicro(stamp)) {
			stamp++ // ids are whole microseconds
		}
		q.filter.After = max(stamp-1, 0)
		return nil
	}
	q.filter.Before = max(stamp+1, 1)
	return nil
}

// parsePage reads <set/>. What is not for requests is passed over (XEP-0059 §5).
func parsePage(set *stanza.Element) (page, error) {
	p := page{max: -1, index: -1}
	var err error
	for _, c := range set.Elements() {
		if c.Space != nsRSM {
			continue
		}
		switch c.Local {
		case "max":
			p.max, err = number(c)
		case "index":
			p.index, err = number(c)
		case "after":
			p.after = c.Text()
		case "before":
			p.before, p.backward = c.Text(), true
		}
		if err != nil {
			return p, err
		}
	}
	if p.index >= 0 && (p.backward || p.after != "") {
		return p, stanza.Refuse(stanza.ErrBadRequest, "a page begins at an index or beside an id, not both")
	}
	return p, nil
}

func number(e *stanza.Element) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(e.Text()), 10, 32)
	if err != nil || n > math.MaxInt32 {
		return 0, stanza.Refuse(stanza.ErrBadRequest, "%s is not a number", e.Local)
	}
	return int(n), nil
}

// fields is the form of a query (§4.1.5).
var fields = form.Form{Type: Namespace, Fields: []form.Field{
	{Var: "with", Kind: form.JIDSingle},
	{Var: "start", Kind: form.TextSingle},
	{Var: "end", Kind: form.TextSingle},
	{Var: "before-id", Kind: form.TextSingle},
	{Var: "after-id", Kind: form.TextSingle},
	{Var: "ids", Kind: form.ListMulti, Open: true},
}}
