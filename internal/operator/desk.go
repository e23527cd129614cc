package operator

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rollcall/config"
	"rollcall/directory"
	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/presence/manual"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/server/features/announcements"
	"rollcall/server/features/logins"
	"rollcall/sipgw/history"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// Live is what runs on the database: the server, or the SIP side alone, which has nothing
// but the last three.
type Live struct {
	Server        *server.Server
	Streams       *c2s.Server
	Logins        *logins.Feature
	Announcements *announcements.Feature
	Directory     *directory.Directory // nil: accounts come from nowhere else
	Engine        *presence.Engine
	ByHand        *manual.Service
	Calls         *history.History // that are over

	// Sees says how much somebody sees of a person or a device.
	Sees func(watcher jid.Bare, of presence.Subject) presence.Level

	// InCharge reports whether somebody has a role that other people's states are part of.
	InCharge func(jid.Bare) bool

	// Removed hears of accounts that are no more; nil if Server does.
	Removed func(context.Context, jid.Bare)
}

// Desk is where operations are carried out. Make one with [New].
type Desk struct {
	// Fixed once orders come.
	accounts  *storage.Accounts
	register  *storage.Registrations
	waiting   *storage.Offline
	motd      *storage.Motd
	audit     *storage.Audit
	book      *roster.Book
	groups    *roster.Groups
	devices   *device.Register
	domains   []server.Domain
	retention time.Duration // of the audit log; 0 is forever
	log       *slog.Logger
	live      *Live // nil while nothing runs

	// Safe.
	admins    atomic.Pointer[[]jid.Bare]
	end       end
	intruders intruders
}

// Parts are what a desk is made of.
type Parts struct {
	DB      *storage.DB
	Config  *config.Config
	Book    *roster.Book     // of the server that runs; nil if none does
	Groups  *roster.Groups   // likewise
	Devices *device.Register // likewise
	Log     *slog.Logger     // nil: nothing is logged
}

// New returns a desk for a database. No server runs on it before [Desk.Serve].
func New(p Parts) *Desk {
	d := &Desk{
		accounts: p.DB.Accounts(), register: p.DB.Registrations(p.Config.C2S.Auth.Iterations).Beside(p.Config.DirectoryDomain()),
		waiting: p.DB.Offline(nil), motd: p.DB.Motd(), audit: p.DB.Audit(), book: p.Book,
		domains: p.Config.Server.Domains, retention: p.Config.AuditRetention, log: p.Log,
	}
	if d.book == nil {
		d.book = roster.NewBook(p.DB.Rosters(), p.Config.Roster)
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.groups = p.Groups; d.groups == nil {
		d.groups = NewGroups(p.DB, p.Config, d.book, d.log)
	}
	if d.devices = p.Devices; d.devices == nil {
		d.devices = NewDevices(p.DB, p.Config)
	}
	d.end.init()
	d.Configure(p.Config)
	return d
}

// serving reports whether a server runs.
func (d *Desk) serving() bool { return d.live != nil && d.live.Server != nil }

// Serve tells the desk which server runs. It is called before the first order.
func (d *Desk) Serve(l Live) { d.live = &l }

// Configure takes over what may change while running: who is an administrator.
func (d *Desk) Configure(c *config.Config) { d.admins.Store(&c.Server.Admins) }

// Admin reports whether an account is an administrator's.
func (d *Desk) Admin(who jid.Bare) bool { return slices.Contains(*d.admins.Load(), who) }

// operations are all that there are, in the order in which they are listed.
var operations = slices.Concat(
	accountOperations, personOperations, countOperations, listOperations,
	sessionOperations, connectionOperations, announcementOperations, shutdownOperations, auditOperations, directoryOperations,
	groupOperations, deviceOperations, stateOperations, journalOperations,
)

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

// Do carries out an order of somebody. The error is an [*Error] if people can do
// something about it.
func (d *Desk) Do(ctx context.Context, by Actor, o Order) (Answer, error) {
	op := lookup(o.Name)
	if op == nil {
		return Answer{}, wrong("there is no operation %q", o.Name)
	}
	v, err := op.check(o)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case (op.Live || op.Presence) && d.live == nil:
		return Answer{}, &Error{Reason: NotLive, Text: "no server is running"}
	case op.Live && !d.serving() && !strings.HasPrefix(op.Name, "shutdown"):
		return Answer{}, &Error{Reason: NotLive, Text: "only the SIP gateway is running here; accounts log in at another server"}
	}
	var answer Answer
	if err = d.allowed(op, by.JID, v); err == nil {
		answer, err = op.run(context.WithValue(ctx, whose{}, by.JID), d, v)
	}
	if !op.Reads {
		d.note(ctx, by, op, v, err)
	}
	return answer, err
}

// whose is the key of whose order a context belongs to.
type whose struct{}

// sees says how much whoever gives the order sees of somebody: everything, on this machine.
func (d *Desk) sees(ctx context.Context, of presence.Subject) presence.Level {
	by, _ := ctx.Value(whose{}).(jid.Bare)
	if by == "" {
		return presence.Full
	}
	return d.live.Sees(by, of)
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

// lookUp finds an account. What was written about it a moment ago is read.
func (d *Desk) lookUp(ctx context.Context, who jid.Bare) (storage.Account, error) {
	if err := d.settle(ctx); err != nil {
		return storage.Account{}, err
	}
	a, err := d.accounts.Lookup(ctx, who)
	if err != nil {
		return a, explain(who, err)
	}
	return a, nil
}

// settle has the server write what it has yet to write about accounts.
func (d *Desk) settle(ctx context.Context) error {
	if !d.serving() {
		return nil
	}
	return d.live.Logins.Flush(ctx)
}

// sessions returns the sessions of an account.
func (d *Desk) sessions(who jid.Bare) []*server.Session {
	if !d.serving() {
		return nil
	}
	if a := d.live.Server.Connected(who); a != nil {
		return a.Sessions()
	}
	return nil
}
