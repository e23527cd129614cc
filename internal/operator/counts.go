package operator

import (
	"context"
	"strconv"
	"time"
)

// count is a number that XEP-0133 §4.13 to §4.17 has a command for.
type count struct {
	node, field, what string
	live              bool
	of                func(context.Context, *Desk) (int, error)
}

var counts = []count{
	{"registered-users", "registeredusersnum", "accounts", false, func(ctx context.Context, d *Desk) (int, error) { return d.accounts.Count(ctx) }},
	{"disabled-users", "disabledusersnum", "disabled accounts", false, func(ctx context.Context, d *Desk) (int, error) { return d.accounts.CountDisabled(ctx) }},
	{"online-users", "onlineusersnum", "people online", true, func(_ context.Context, d *Desk) (int, error) { return len(d.online(time.Now())), nil }},
	{"active-users", "activeusersnum", "people online and active", true, func(_ context.Context, d *Desk) (int, error) { return d.tally(false), nil }},
	{"idle-users", "idleusersnum", "people online and idle", true, func(_ context.Context, d *Desk) (int, error) { return d.tally(true), nil }},
}

// tally counts who is online and idle, or not.
func (d *Desk) tally(idle bool) (n int) {
	for _, is := range d.online(time.Now()) {
		if is == idle {
			n++
		}
	}
	return n
}

// countOperations tell how many there are.
var countOperations = makeCounts()

func makeCounts() []Operation {
	all := []Operation{{Name: "account.count", Title: "Count accounts and who is online", Reads: true, run: showCounts}}
	for _, c := range counts {
		all = append(all, Operation{
			Name: "count." + c.node, Title: "Count " + c.what, Node: adminNode + "get-" + c.node + "-num", Reads: true, Live: c.live,
			run: func(ctx context.Context, d *Desk, _ values) (Answer, error) {
				f, err := c.fact(ctx, d)
				return Answer{Facts: []Fact{f}}, err
			},
		})
	}
	return all
}

func (c *count) fact(ctx context.Context, d *Desk) (Fact, error) {
	n, err := c.of(ctx, d)
	return Fact{Name: c.field, Label: c.what, Values: []string{strconv.Itoa(n)}}, err
}

// showCounts tells all numbers that can be known.
func showCounts(ctx context.Context, d *Desk, _ values) (Answer, error) {
	var a Answer
	for i := range counts {
		if counts[i].live && !d.serving() {
			continue
		}
		f, err := counts[i].fact(ctx, d)
		if err != nil {
			return Answer{}, err
		}
		a.Facts = append(a.Facts, f)
	}
	return a, nil
}
