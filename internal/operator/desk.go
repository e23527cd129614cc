package operator

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"rollcall/config"
	"rollcall/server"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// Running is the server that runs on the database.
type Running interface {
	// Removing and Removed hear of an account that is removed: before, and after.
	Removing(ctx context.Context, who jid.Bare, id int64)
	Removed(who jid.Bare, id int64)
}

// Desk is where operations are carried out. Make one with [New].
type Desk struct {
	accounts *storage.Accounts
	register *storage.Registrations
	domains  []server.Domain
	log      *slog.Logger
	running  Running // nil while no server runs
}

// New returns a desk for a database, and for the server that is running on it
// unless running is nil.
func New(db *storage.DB, cfg *config.Config, running Running, log *slog.Logger) *Desk {
	return &Desk{
		accounts: db.Accounts(), register: db.Registrations(cfg.C2S.Auth.Iterations).Beside(cfg.DirectoryDomain()), domains: cfg.Server.Domains,
		log: log, running: running,
	}
}

// operations are all that there are, in the order in which they are listed.
var operations = slices.Concat(accountOperations)

// Operations returns all operations; the slice is not to be changed.
func Operations() []Operation { return operations }

// lookup finds an operation by its name.
func lookup(name string) *Operation {
	for i := range operations {
		if operations[i].Name == name {
			return &operations[i]
		}
	}
	return nil
}

// Do carries out an order of somebody: an administrator's address, or whoever
// typed a command on this machine. The error is an [*Error] if people can do
// something about it.
func (d *Desk) Do(ctx context.Context, by string, o Order) (Answer, error) {
	op := lookup(o.Name)
	if op == nil {
		return Answer{}, wrong("there is no operation %q", o.Name)
	}
	v, err := op.check(o)
	if err != nil {
		return Answer{}, err
	}
	if op.Live && d.running == nil {
		return Answer{}, &Error{Reason: NotLive, Text: "no server is running"}
	}
	answer, err := op.run(ctx, d, v)
	if !op.Reads {
		d.note(by, op, v, err)
	}
	return answer, err
}

// note writes down who did what to whom.
func (d *Desk) note(by string, op *Operation, v values, err error) {
	var subject []string
	for _, f := range op.Fields {
		if f.Kind == Person || f.Kind == People {
			subject = append(subject, v[f.Name]...)
		}
	}
	args := []any{"by", by, "action", op.Name, "jid", strings.Join(subject, " ")}
	if err != nil {
		d.log.Warn("an operator's order came to nothing", append(args, "err", err)...)
		return
	}
	d.log.Info("an operator's order was carried out", args...)
}

// ours refuses an account at a domain that has none.
func (d *Desk) ours(who jid.Bare) error {
	var names []string
	for _, x := range d.domains {
		if !x.Anonymous {
			names = append(names, x.Name)
		}
	}
	if slices.Contains(names, who.Domain()) {
		return nil
	}
	text := fmt.Sprintf("%s is not at a domain with accounts; this server has %s", who, strings.Join(names, ", "))
	return &Error{Reason: NotOurs, Text: text, Subject: who}
}
