package operator

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/server/c2s"
	"rollcall/xmpp/stream"
)

// connectionOperations are about connections of clients, those that have not
// logged in included.
var connectionOperations = []Operation{
	{
		Name: "connection.list", Title: "List the connections of clients", Reads: true, Live: true,
		Fields: []Field{
			{Name: "address", Label: "Only those from this address or network", Kind: Text},
			{Name: "after", Label: "The number before the first one, to go on with a list", Kind: Number},
			howMany,
		},
		run: listConnections,
	},
	{
		Name: "connection.kill", Title: "Close a connection", Live: true,
		Fields: []Field{{Name: "number", Label: "The number of the connection", Kind: Number, Required: true}},
		run:    killConnection,
	},
}

var errConnectionKilled = &stream.Fault{Condition: mellium.UndefinedCondition, Text: "an administrator has closed this connection"}

// killConnection closes a connection, and ends the session that it carries.
func killConnection(_ context.Context, d *Desk, v values) (Answer, error) {
	n, err := strconv.ParseUint(v.one("number"), 10, 64)
	if err != nil || !d.live.Streams.HangUp(n, errConnectionKilled) {
		return Answer{}, &Error{Reason: NoConnection, Text: "there is no connection " + v.one("number")}
	}
	return Answer{Note: fmt.Sprintf("closed connection %d", n)}, nil
}

// listConnections lists connections, the oldest first.
func listConnections(_ context.Context, d *Desk, v values) (Answer, error) {
	limit := v.limit()
	f := c2s.Filter{Most: limit + 1}
	if text := v.one("address"); text != "" {
		var err error
		if f.Network, err = network(text); err != nil {
			return Answer{}, wrong("%q is neither an address nor a network, such as 192.0.2.0/24", text)
		}
	}
	if text := v.one("after"); text != "" {
		f.After, _ = strconv.ParseUint(text, 10, 64) // a count, as was checked
	}
	list := d.live.Streams.Connections(f)
	a := Answer{Header: []string{"number", "from", "to", "since", "encryption", "login", "stage", "client", "received", "sent", "silent for"}}
	if len(list) > limit {
		list = list[:limit]
		a.Next = strconv.FormatUint(list[limit-1].Number, 10)
	}
	now := time.Now()
	for i := range list {
		a.Rows = append(a.Rows, connectionRow(&list[i], now))
	}
	return a, nil
}

// network reads a network, or an address, which is one of its own.
func network(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}

// connectionRow is a row about a connection.
func connectionRow(c *c2s.Connection, now time.Time) []string {
	from, encryption, login, client := "-", "none", "-", "-"
	if c.Peer.IsValid() {
		from = netip.AddrPortFrom(c.Peer, c.Port).String()
	}
	if c.TLS != "" {
		encryption = c.TLS
	}
	if c.Mechanism != "" {
		login = c.Mechanism
	}
	switch c.Stage {
	case c2s.Authenticated:
		client = string(c.Account)
	case c2s.Bound:
		client = c.JID.String()
	}
	return []string{
		strconv.FormatUint(c.Number, 10), from, c.Listener, c.Since.Local().Format(time.DateTime), encryption, login, string(c.Stage),
		client, strconv.FormatUint(c.In, 10), strconv.FormatUint(c.Out, 10), max(now.Sub(c.Heard), 0).Round(time.Second).String(),
	}
}
