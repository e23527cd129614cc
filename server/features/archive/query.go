package archive

import (
	"context"
	"slices"
	"strconv"
	"time"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

const (
	// maxCounted is how far matching messages are counted; beyond that the
	// count and index, which are optional (XEP-0313 §4.3.2), are left out.
	maxCounted = 50_000

	// pageBytes is about how much one page holds, so that no page is more than
	// a client's outbox may hold. A client sees that there is more.
	pageBytes = 256 << 10
)

// found is a page of results.
type found struct {
	page     []Message // in chronological order
	complete bool      // nothing is left in the direction of the page
	total    int       // -1: not known
	index    int       // of the first one; -1: not known
}

// query answers with a page of the archive: its messages first, then the result.
func (f *Feature) query(ctx context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 || r.Session == nil {
		return nil, stanza.ErrServiceUnavailable
	}
	q, err := parseRequest(r.Payload, f.cfg.PageMax)
	if err != nil {
		return nil, err
	}
	res, err := f.find(ctx, r.Account, q)
	if err != nil {
		return nil, err
	}
	f.send(r, q, res)
	return f.fin(res), nil
}

// find looks the page up.
func (f *Feature) find(ctx context.Context, account *server.Account, q *request) (*found, error) {
	owner := account.ID
	filter, cut, err := f.bounds(ctx, owner, q)
	if err != nil {
		return nil, err
	}
	if len(q.ids) > 0 {
		return f.pick(ctx, account, q, filter, cut)
	}
	whole := filter.narrow(q, f.parts.IDs, false)
	res := &found{total: -1, index: -1}
	if cut.Max > 0 {
		var more bool
		if res.page, more, err = f.parts.Store.Page(ctx, owner, whole.narrow(q, f.parts.IDs, true), cut); err != nil {
			return nil, err
		}
		res.complete = !more
		if cut.Backward {
			slices.Reverse(res.page)
		}
	}
	return res, f.count(ctx, owner, whole, q, res)
}

// bounds checks that all ids that the query names are in the archive, as they
// have to be (XEP-0313 §4.1.3, §4.3.2), and says which page is wanted.
func (f *Feature) bounds(ctx context.Context, owner int64, q *request) (Filter, Cut, error) {
	var named []int64
	for _, text := range append([]string{q.after, q.before, q.page.after, q.page.before}, q.ids...) {
		if text == "" {
			continue
		}
		id, ok := f.parts.IDs.Parse(text)
		if !ok {
			return Filter{}, Cut{}, stanza.ErrItemNotFound
		}
		named = append(named, id)
	}
	if len(named) > 0 {
		slices.Sort(named)
		named = slices.Compact(named)
		there, err := f.parts.Store.Pick(ctx, owner, named)
		if err != nil {
			return Filter{}, Cut{}, err
		}
		if len(there) != len(named) {
			return Filter{}, Cut{}, stanza.ErrItemNotFound
		}
	}
	cut := Cut{Backward: q.page.backward, Skip: max(q.page.index, 0), Max: q.page.max, Bytes: pageBytes}
	if cut.Max < 0 {
		cut.Max = defaultPage
	}
	cut.Max = min(cut.Max, f.cfg.PageMax)
	return q.filter, cut, nil
}

// narrow puts the form's ids into the filter, or the page's.
func (f Filter) narrow(q *request, ids *IDs, paged bool) Filter {
	after, before := q.after, q.before
	if paged {
		after, before = q.page.after, q.page.before
	}
	if id, ok := ids.Parse(after); ok {
		f.After = max(f.After, id)
	}
	if id, ok := ids.Parse(before); ok {
		f.Before = min(f.Upper(), id)
	}
	return f
}

// count fills in how many messages match and where the page begins among them,
// with as few questions as will do.
func (f *Feature) count(ctx context.Context, owner int64, whole Filter, q *request, res *found) error {
	start := !q.page.backward && q.page.after == "" && q.page.index <= 0
	end := q.page.backward && q.page.before == ""
	n := len(res.page)
	if res.complete && (start || end) && n > 0 {
		res.total, res.index = n, 0
		return nil
	}
	total, err := f.parts.Store.Count(ctx, owner, whole, maxCounted+1)
	if err != nil || total > maxCounted {
		return err
	}
	res.total = total
	if total == 0 {
		res.complete = true
	}
	switch {
	case n == 0:
	case q.page.index >= 0:
		res.index = q.page.index
	case start, res.complete && q.page.backward:
		res.index = 0
	default:
		before := whole
		before.Before = res.page[0].ID
		res.index, err = f.parts.Store.Count(ctx, owner, before, maxCounted)
	}
	return err
}

// pick is find for a query that names the messages it wants.
func (f *Feature) pick(ctx context.Context, account *server.Account, q *request, filter Filter, cut Cut) (*found, error) {
	ids := make([]int64, 0, len(q.ids))
	for _, text := range q.ids {
		if id, ok := f.parts.IDs.Parse(text); ok {
			ids = append(ids, id)
		}
	}
	all, err := f.parts.Store.Pick(ctx, account.ID, ids)
	if err != nil {
		return nil, err
	}
	filter = filter.narrow(q, f.parts.IDs, false)
	all = slices.DeleteFunc(all, func(m Message) bool { return !filter.Matches(m, account.JID) })
	res := &found{total: len(all), index: -1}
	side := Filter{}.narrow(q, f.parts.IDs, true)
	lo, hi := 0, len(all)
	for lo < hi && all[lo].ID <= side.After {
		lo++
	}
	for hi > lo && all[hi-1].ID >= side.Upper() {
		hi--
	}
	lo = min(lo+cut.Skip, hi)
	n := fit(all[lo:hi], cut)
	res.complete = n == hi-lo
	if cut.Backward {
		lo = hi - n
	}
	if res.page = all[lo : lo+n]; n > 0 {
		res.index = lo
	}
	return res, nil
}

// fit says how many messages the page has room for.
func fit(all []Message, cut Cut) (n int) {
	size := 0
	for n < len(all) && n < cut.Max && (size < cut.Bytes || n == 0) {
		m := &all[n]
		if cut.Backward {
			m = &all[len(all)-1-n]
		}
		size += len(m.Stanza)
		n++
	}
	return n
}

// send sends the messages of a page (§4.2).
func (f *Feature) send(r *server.Request, q *request, res *found) {
	order := slices.Values(res.page)
	if q.flipped { // §4.3.4: only the order in which they are sent
		order = func(yield func(Message) bool) {
			for _, m := range slices.Backward(res.page) {
				if !yield(m) {
					return
				}
			}
		}
	}
	var head, body []byte
	head = append(append(head, "<message from='"...), r.Account.Attr()...)
	head = append(head, "' to='"...)
	for m := range order {
		body = append(body[:0], "'><result xmlns='"+Namespace+"'"...)
		body = stanza.AppendAttr(body, "queryid", q.id)
		body = f.parts.IDs.Append(append(body, " id='"...), m.ID)
		body = append(body, "'>"...)
		body = stanza.AppendForwarded(body, stanza.AppendDelay(nil, "", time.UnixMicro(m.ID)), m.Stanza)
		body = append(body, "</result></message>"...)
		r.Session.Deliver(server.Delivery{Kind: stanza.Message}, head, r.Session.Full(), body)
	}
}

// fin is the end of a query (§4.3).
func (f *Feature) fin(res *found) []byte {
	b := []byte("<fin xmlns='" + Namespace + "'")
	if res.complete {
		b = append(b, " complete='true'"...)
	}
	b = append(b, "><set xmlns='"+nsRSM+"'>"...)
	if n := len(res.page); n > 0 {
		b = append(b, "<first"...)
		if res.index >= 0 {
			b = strconv.AppendInt(append(b, " index='"...), int64(res.index), 10)
			b = append(b, '\'')
		}
		b = f.parts.IDs.Append(append(b, '>'), res.page[0].ID)
		b = f.parts.IDs.Append(append(b, "</first><last>"...), res.page[n-1].ID)
		b = append(b, "</last>"...)
	}
	if res.total >= 0 {
		b = strconv.AppendInt(append(b, "<count>"...), int64(res.total), 10)
		b = append(b, "</count>"...)
	}
	return append(b, "</set></fin>"...)
}

// form answers which fields there are.
func (f *Feature) form(context.Context, *server.Request) ([]byte, error) {
	b := fields.AppendForm([]byte("<query xmlns='" + Namespace + "'>"))
	return append(b, "</query>"...), nil
}

// metadata answers with the two ends of the archive (§5).
func (f *Feature) metadata(ctx context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 {
		return nil, stanza.ErrServiceUnavailable
	}
	b := []byte("<metadata xmlns='" + Namespace + "'")
	for i, name := range []string{"start", "end"} {
		page, _, err := f.parts.Store.Page(ctx, r.Account.ID, Filter{}, Cut{Backward: i == 1, Max: 1})
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return append(b, "/>"...), nil
		}
		if i == 0 {
			b = append(b, '>')
		}
		b = append(append(append(b, '<'), name...), " id='"...)
		b = f.parts.IDs.Append(b, page[0].ID)
		b = stanza.AppendTime(append(b, "' timestamp='"...), time.UnixMicro(page[0].ID))
		b = append(b, "'/>"...)
	}
	return append(b, "</metadata>"...), nil
}
