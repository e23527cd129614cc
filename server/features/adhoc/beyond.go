package adhoc

import (
	"context"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// Knows reports whether a node is that of the list of commands, or of one.
func (f *Feature) Knows(node string) bool { return node == Namespace || f.byNode[node] != nil }

// Answer answers a request to an address that is neither the server's nor an account, or of
// somebody who is at another server: a command, or a question about commands. It returns
// the payload of the result.
func (f *Feature) Answer(ctx context.Context, who *Caller, r *server.Request) ([]byte, error) {
	who.At = r.To.Bare()
	p := r.Payload
	node := p.Attr("node")
	switch c := f.byNode[node]; {
	case r.Set && p.Is(Namespace, "command"):
		return f.give(ctx, who, p)
	case r.Set:
	case p.Is(nsItems, "query") && node == Namespace:
		return f.listFor(who, r.To), nil
	case p.Is(nsInfo, "query") && node == Namespace:
		return f.listInfo(ctx, r)
	case c == nil:
		return nil, stanza.ErrItemNotFound
	case p.Is(nsInfo, "query"):
		return c.info(who)
	case p.Is(nsItems, "query"):
		if !c.may(who) {
			return nil, stanza.ErrForbidden
		}
		return append(appendQuery(nil, nsItems, c.Node), "</query>"...), nil
	}
	return nil, stanza.ErrServiceUnavailable
}
