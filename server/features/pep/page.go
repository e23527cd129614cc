package pep

import (
	"slices"
	"strconv"

	"rollcall/xmpp/stanza"
)

// nsRSM is that of pages of results (XEP-0059).
const nsRSM = "http://jabber.org/protocol/rsm"

// page is which part of a list somebody asks for.
type page struct {
	most          int // -1: as many as there can be
	after, before string
	last          bool // backwards from before, or from the end
}

// parsePage reads that, if it is there.
func parsePage(payload *stanza.Element) (*page, error) {
	set := payload.Child(nsRSM, "set")
	if set == nil {
		return nil, nil
	}
	p := &page{most: -1, after: set.ChildText(nsRSM, "after")}
	if before := set.Child(nsRSM, "before"); before != nil {
		p.last, p.before = true, before.Text()
	}
	if max := set.Child(nsRSM, "max"); max != nil {
		n, err := strconv.Atoi(max.Text())
		if err != nil || n < 0 {
			return nil, stanza.Refuse(stanza.ErrBadRequest, "the size of a page is a number")
		}
		p.most = n
	}
	return p, nil
}

// cut returns the part of a list of items that a page has, and where that begins.
// false: there is no such item (XEP-0059 §2.2).
func (p *page) cut(items []Item) (part []Item, at int, ok bool) {
	lo, hi := 0, len(items)
	index := func(id string) int { return slices.IndexFunc(items, func(it Item) bool { return it.ID == id }) }
	if p.after != "" {
		i := index(p.after)
		if i < 0 {
			return nil, 0, false
		}
		lo = i + 1
	}
	if p.before != "" {
		if hi = index(p.before); hi < 0 {
			return nil, 0, false
		}
	}
	lo = min(lo, hi)
	switch {
	case p.most < 0 || p.most >= hi-lo:
	case p.last:
		lo = hi - p.most
	default:
		hi = lo + p.most
	}
	return items[lo:hi], lo, true
}

// appendSet appends what part of a list was sent.
func appendSet(b []byte, part []Item, at, total int) []byte {
	b = append(b, "<set xmlns='"+nsRSM+"'>"...)
	if len(part) > 0 {
		b = append(strconv.AppendInt(append(b, "<first index='"...), int64(at), 10), "'>"...)
		b = append(stanza.AppendText(b, part[0].ID), "</first><last>"...)
		b = append(stanza.AppendText(b, part[len(part)-1].ID), "</last>"...)
	}
	return append(strconv.AppendInt(append(b, "<count>"...), int64(total), 10), "</count></set>"...)
}
