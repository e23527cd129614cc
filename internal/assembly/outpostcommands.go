package assembly

import (
	"context"
	"log/slog"

	"rollcall/internal/operator"
	"rollcall/server"
	"rollcall/server/features/adhoc"
	"rollcall/sipgw/contacts"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// commands are those that are given from clients (XEP-0050) to a device, or to the domain of
// the devices where that is all there is. They need the database, and who brings them must
// not wait for that: so they are carried out one after the other.
type commands struct {
	feature *adhoc.Feature
	at      func(from, to jid.JID) bool
	who     func(jid.JID) *adhoc.Caller
	send    func(context.Context, []byte) error
	log     *slog.Logger
	todo    chan request
}

// request is one that waits.
type request struct {
	server.Request
	id string
}

// maxRequests is how many may wait.
const maxRequests = 64

// commandFeatures are what a domain, and a device, says that it can do.
var commandFeatures = []string{adhoc.Namespace}

// newCommands returns what has commands carried out that are given to some addresses.
func newCommands(d *operator.Desk, offered []adhoc.Command, at func(from, to jid.JID) bool, send func(context.Context, []byte) error, log *slog.Logger) *commands {
	c := &commands{
		feature: adhoc.New(offered...), at: at, send: send, log: log, todo: make(chan request, maxRequests),
		who: func(j jid.JID) *adhoc.Caller { return &adhoc.Caller{JID: j} },
	}
	c.feature.OnForbidden(d.Forbidden)
	return c
}

// atDomain is that a command is given to the domain.
func atDomain(_, to jid.JID) bool { return to.IsDomain() }

// atDevices is that it is given to a device that its sender sees.
func atDevices(all *contacts.Service) func(from, to jid.JID) bool {
	return func(from, to jid.JID) bool { return !to.IsDomain() && all.Shows(from.Bare(), to.Bare()) }
}

// concern reports whether a stanza is about commands here: one itself, or a question with
// the node of one.
func (c *commands) concern(st *stanza.Stanza, from, to jid.JID) bool {
	if st.Kind != stanza.IQ || len(st.Children) != 1 || !c.at(from, to) {
		return false
	}
	switch {
	case st.IsType("set"):
		return st.Has(adhoc.Namespace, "command")
	case st.IsType("get"):
		p := st.Payload()
		return p != nil && p.Local == "query" && (c.feature.Knows(p.Attr("node")) || to.IsDomain() && p.Attr("node") != "")
	}
	return false
}

// take has a request answered.
func (c *commands) take(st *stanza.Stanza, from, to jid.JID) error {
	r := request{server.Request{From: from, To: to, Set: st.IsType("set"), Payload: st.Payload()}, stanza.Text(st.ID)}
	if r.Payload == nil {
		return stanza.ErrBadRequest
	}
	select {
	case c.todo <- r:
		return nil
	default:
		return stanza.Refuse(stanza.ErrResourceConstraint, "too many commands are waiting just now")
	}
}

// Run answers until ctx is done.
func (c *commands) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-c.todo:
			c.answer(ctx, &r)
		}
	}
}

func (c *commands) answer(ctx context.Context, r *request) {
	payload, err := c.feature.Answer(ctx, c.who(r.From), &r.Request)
	typ := "result"
	if err != nil {
		refusal, known := stanza.AsError(err)
		if !known && ctx.Err() == nil {
			c.log.Error("a command could not be answered", "jid", r.From, "err", err)
		}
		typ, payload = "error", refusal.Append(nil)
	}
	b := stanza.AppendAttr([]byte("<iq"), "type", typ)
	b = stanza.AppendAttr(stanza.AppendAttr(b, "from", r.To.String()), "to", r.From.String())
	b = append(stanza.AppendAttr(b, "id", r.id), '>')
	if err := c.send(ctx, append(append(b, payload...), "</iq>"...)); err != nil {
		c.log.Debug("the answer to a command could not be sent", "jid", r.From, "err", err)
	}
}
