package operator

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// Page is how many rows an answer has at most.
const Page = 500

// maxListed and maxListedBytes bound the list that somebody asks for who wants
// all of it: it has to go through an outbox (limits.outbox).
const (
	maxListed      = 10_000
	maxListedBytes = 384 << 10
)

var (
	// howMany is max_items as XEP-0133 §4.18 has it.
	howMany = Field{Name: "max_items", Label: "How many at most", Kind: Number, Options: []Option{
		{"25", "25"}, {"50", "50"}, {"75", "75"}, {"100", "100"}, {"150", "150"}, {"200", "200"}, {"none", "as many as there is room for"},
	}}
	fromWhere = Field{Name: "after", Label: "The address before the first one, to go on with a list", Kind: Text}
)

// limit reads max_items. Whoever does not say gets a page.
func (v values) limit() int {
	if v.one("max_items") == "none" {
		return maxListed
	}
	n, err := strconv.Atoi(v.one("max_items"))
	if err != nil || n < 1 {
		return Page
	}
	return min(n, maxListed)
}

// lister is a list that XEP-0133 §4.18 to §4.22 has a command for.
type lister struct {
	name, title, node, field string
	live                     bool
	read                     func(ctx context.Context, d *Desk, after jid.Bare, limit int) ([]storage.Account, error)
}

// listOperations list accounts, in the order of their addresses.
var listOperations = []Operation{
	lister{
		name: "account.list", title: "List the accounts", node: "get-registered-users-list", field: "registereduserjids",
		read: func(ctx context.Context, d *Desk, after jid.Bare, limit int) ([]storage.Account, error) {
			return d.accounts.List(ctx, after, limit)
		},
	}.operation(),
	lister{
		name: "account.list-disabled", title: "List disabled accounts", node: "get-disabled-users-list", field: "disableduserjids",
		read: func(ctx context.Context, d *Desk, after jid.Bare, limit int) ([]storage.Account, error) {
			return d.accounts.ListDisabled(ctx, after, limit)
		},
	}.operation(),
	lister{
		name: "account.list-online", title: "List who is online", node: "get-online-users-list", field: "onlineuserjids", live: true,
		read: listOnline(func(bool) bool { return true }),
	}.operation(),
	lister{
		name: "account.list-active", title: "List who is online and active", node: "get-active-users", field: "activeuserjids", live: true,
		read: listOnline(func(idle bool) bool { return !idle }),
	}.operation(),
	lister{
		// §4.22 calls the field activeuserjids, too, which looks like an oversight,
		// but it is what clients may look for.
		name: "account.list-idle", title: "List who is online and idle", node: "get-idle-users", field: "activeuserjids", live: true,
		read: listOnline(func(idle bool) bool { return idle }),
	}.operation(),
}

// listOnline reads the accounts of those who are online and wanted.
func listOnline(wanted func(idle bool) bool) func(context.Context, *Desk, jid.Bare, int) ([]storage.Account, error) {
	return func(ctx context.Context, d *Desk, after jid.Bare, limit int) ([]storage.Account, error) {
		var names []jid.Bare
		for who, idle := range d.online(time.Now()) {
			if wanted(idle) && who > after {
				names = append(names, who)
			}
		}
		slices.Sort(names)
		var out []storage.Account
		for _, who := range names[:min(limit, len(names))] {
			out = append(out, storage.Account{JID: who})
		}
		return out, nil
	}
}

func (l lister) operation() Operation {
	return Operation{
		Name: l.name, Title: l.title, Node: adminNode + l.node, Fields: []Field{howMany, fromWhere}, Reads: true, Live: l.live,
		run: l.run,
	}
}

func (l lister) run(ctx context.Context, d *Desk, v values) (Answer, error) {
	if err := d.settle(ctx); err != nil {
		return Answer{}, err
	}
	limit := v.limit()
	list, err := l.read(ctx, d, v.person("after"), limit)
	if err != nil {
		return Answer{}, err
	}
	names, bytes := make([]string, 0, len(list)), 0
	a := Answer{Header: l.header()}
	for i := range list {
		if bytes += len(list[i].JID); bytes > maxListedBytes {
			break
		}
		names = append(names, string(list[i].JID))
		a.Rows = append(a.Rows, l.row(d, &list[i]))
	}
	if n := len(names); n == limit || n < len(list) {
		a.Next = names[n-1]
		a.Note = fmt.Sprintf("these are %d; there may be more after %s", n, a.Next)
	}
	a.Facts = []Fact{{Name: l.field, Label: l.title, Kind: People, Values: names}}
	return a, nil
}

// header names the columns for the command line.
func (l lister) header() []string {
	if l.live {
		return []string{"account"}
	}
	return []string{"account", "created", "last login", "online", "state"}
}

func (l lister) row(d *Desk, x *storage.Account) []string {
	if l.live {
		return []string{string(x.JID)}
	}
	return []string{
		string(x.JID), x.Created.Local().Format(time.DateOnly), minute(x.LastLogin),
		strconv.Itoa(len(d.sessions(x.JID))), state(*x, d.Admin(x.JID)),
	}
}

// minute writes a time for people at this machine.
func minute(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}
