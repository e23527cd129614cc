// Package assembly puts the server together from its parts, for the program and
// for the conversations that test it alike.
package assembly

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"rollcall/config"
	"rollcall/directory"
	"rollcall/internal/operator"
	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/presence/manual"
	"rollcall/roster"
	"rollcall/roster/privacy"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/server/component"
	"rollcall/server/features/addresses"
	"rollcall/server/features/announcements"
	"rollcall/server/features/archive"
	"rollcall/server/features/availability"
	"rollcall/server/features/bot"
	"rollcall/server/features/disco"
	"rollcall/server/features/floodgate"
	"rollcall/server/features/lastactivity"
	"rollcall/server/features/logins"
	"rollcall/server/features/offline"
	"rollcall/server/features/pep"
	"rollcall/server/features/register"
	"rollcall/server/features/vcard"
	"rollcall/sipgw"
	"rollcall/sipgw/contacts"
	"rollcall/sipgw/history"
	"rollcall/sipgw/transport"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// Options are what the parts are made of.
type Options struct {
	Config  *config.Config
	Streams c2s.Config  // Config.C2S with the certificates to show
	DB      *storage.DB // open and migrated
	Version string
	Log     *slog.Logger
	SIP     transport.Network // nil is the machine's
}

// Assembly is a server with all that belongs to it.
type Assembly struct {
	Server       *server.Server
	Streams      *c2s.Server
	Components   *component.Server
	Book         *roster.Book
	Groups       *roster.Groups
	Devices      *device.Register
	Registration *register.Feature
	Floodgate    *floodgate.Feature
	Directory    *directory.Directory  // nil: accounts come from nowhere else
	Activity     *lastactivity.Feature // who was last there when
	Addresses    *addresses.Feature
	Disco        *disco.Feature
	Desk         *operator.Desk
	Engine       *presence.Engine  // what all sources together know of people and devices
	ByHand       *manual.Service   // what they and operators say of it themselves
	Gateway      *sipgw.Gateway    // where devices come in
	Elsewhere    *sipgw.Elsewhere  // what PBXs tell of others
	Phones       *contacts.Service // … and how people see them

	db         *storage.DB
	log        *slog.Logger
	lists      *privacy.Book
	cards      *vcard.Feature
	writer     *storage.Writer
	offline    *offline.Feature
	logins     *logins.Feature
	announcing *announcements.Feature
	archiveIDs *archive.IDs
	there      *availability.Feature
	talk       *bot.Feature
	publishing *pep.Feature
	ask        func(owner, contact jid.Bare) error // whether the owner may see the contact
	watching   *watching
	calls      *history.History              // that are over
	config     atomic.Pointer[config.Config] // in force
	seen       atomic.Pointer[audience]      // in force
	runners    []runner
}

// runner is a feature that has work of its own beside its handlers. Run returns
// when ctx is done, after all that it started.
type runner interface {
	Run(ctx context.Context) error
}

// New puts a server together. It starts nothing. work is for what no connection
// waits for; it is to be cancelled after all else has ended.
func New(ctx, work context.Context, o Options) (*Assembly, error) {
	a := &Assembly{
		db: o.DB, log: o.Log, Book: roster.NewBook(o.DB.Rosters(), o.Config.Roster), writer: o.DB.NewWriter(o.Log),
	}
	a.config.Store(o.Config)
	a.lists = privacy.NewBook(o.DB.PrivacyLists(), o.Config.Privacy)
	a.Groups = operator.NewGroups(o.DB, o.Config, a.Book, o.Log)
	a.Devices = operator.NewDevices(o.DB, o.Config)
	a.Desk = operator.New(operator.Parts{DB: o.DB, Config: o.Config, Book: a.Book, Groups: a.Groups, Devices: a.Devices, Log: o.Log})
	a.Registration = register.New(own{a.registrations(o), a.Desk}, o.Config.Registration)
	a.logins, a.announcing = logins.New(o.DB.Accounts()), announcements.New(o.DB.Motd())
	if err := a.announcing.Reload(ctx); err != nil {
		return nil, err
	}
	a.Floodgate = floodgate.New(a.Book, o.Config.Floodgate, o.Config.Server.Admins)

	waiting := o.DB.Offline(a.writer)
	a.offline = offline.New(o.Config.Offline, offline.Parts{Store: waiting, Sweeper: waiting})
	var err error
	if a.archiveIDs, err = ArchiveIDs(ctx, o.DB); err != nil {
		return nil, err
	}
	salts, err := secret(ctx, o.DB, "sasl.secret", 32)
	if err != nil {
		return nil, err
	}
	elsewhere, err := a.openDirectory(o)
	if err != nil {
		return nil, err
	}
	people := users{o.DB.Accounts(), a}
	a.Streams, err = c2s.New(c2s.Options{
		Config: o.Streams, Users: people, Secret: salts, Registrar: a.Registration, Directory: elsewhere, Log: o.Log,
	})
	if err != nil {
		return nil, err
	}
	if a.Components, err = component.New(o.Config.ComponentConfig(), o.Log); err != nil {
		return nil, err
	}
	last, err := o.DB.LastID(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.openPresence(ctx, o); err != nil {
		return nil, err
	}
	if err := a.openGateway(ctx, o); err != nil {
		return nil, err
	}
	list := a.features(o.Config)
	a.seen.Store(a.audience())
	a.there.Merge(everybody{a.Engine, a.Engine.Watch()}, a.seen.Load())
	a.runners = append(a.runners, a.Engine, a.ByHand)
	for _, f := range list {
		if r, ok := f.(runner); ok {
			a.runners = append(a.runners, r)
		}
	}
	a.Server = server.New(work, server.Options{
		Config: serverConfig(o), Accounts: people, Keeper: a.writer, Features: list, Admit: people.admit,
		Version: o.Version, Log: o.Log, LastID: last,
	})
	a.Desk.Serve(operator.Live{
		Server: a.Server, Streams: a.Streams, Logins: a.logins, Announcements: a.announcing, Directory: a.Directory,
		Engine: a.Engine, ByHand: a.ByHand, Calls: a.calls, Sees: a.sees,
		InCharge: func(who jid.Bare) bool { return a.seen.Load().inCharge(who) },
	})
	a.runners = append(a.runners, a.Desk)
	if err := a.attachPhones(ctx, o); err != nil {
		return nil, err
	}
	if err := a.Groups.Load(ctx); err != nil {
		return nil, err
	}
	if err := a.Devices.Load(ctx); err != nil {
		return nil, err
	}
	return a, a.Engine.Load(ctx) // which has to know the devices
}

// Configure has the features take up what can change while they run.
func (a *Assembly) Configure(c *config.Config) {
	a.Registration.Configure(c.Registration)
	a.Desk.Configure(c)
	a.Floodgate.Configure(c.Floodgate, c.Server.Admins)
	a.Addresses.Configure(c.Contact)
	a.Disco.Refresh()
	a.config.Store(c)
	useStates(a.Engine, c.Presence, a.log)
	a.Gateway.Transport.Reload(c.SIP.Limits)
	a.Elsewhere.Use(c.Watcher)
	a.regrade()
	if a.Directory != nil {
		a.Directory.Kick()
	}
}

// Mover returns who carries accounts in and out beside the server.
func (a *Assembly) Mover() *operator.Mover {
	return a.Desk.Mover(a.db.Portable(a.writer, a.Book.Limits()), a.archiveIDs)
}

// ArchiveIDs returns how clients of a database's accounts know the messages of
// their archives.
func ArchiveIDs(ctx context.Context, db *storage.DB) (*archive.IDs, error) {
	key, err := secret(ctx, db, "archive.ids", archive.KeySize)
	if err != nil {
		return nil, err
	}
	return archive.NewIDs(key)
}

// secret returns what the server keeps to itself under a name: random bytes that
// it made when it first needed them, and that have to stay the same.
func secret(ctx context.Context, db *storage.DB, name string, size int) ([]byte, error) {
	return db.Setting(ctx, name, func() ([]byte, error) {
		b := make([]byte, size)
		_, err := rand.Read(b)
		return b, err
	})
}

// Run does what goes on beside the connections, until ctx is done: that is to be
// when the last session has ended, since then what it left is stored. It returns
// early if something that should go on does not.
func (a *Assembly) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	start := func(f func(context.Context) error) {
		all.Go(func() {
			// Who is stopped while it begins has nothing to complain of.
			if err := f(ctx); err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
				cancel()
			}
		})
	}
	start(func(ctx context.Context) error { return a.writer.Run(ctx, outcome{a.Server, a.offline}) })
	start(func(ctx context.Context) error { a.Streams.Watch(ctx); return nil })
	for _, r := range a.runners {
		start(r.Run)
	}
	all.Wait()
	return errors.Join(errs...)
}

// Stop ends all streams in good order, or what can be until ctx is done. Run
// goes on.
func (a *Assembly) Stop(ctx context.Context) error {
	a.Streams.StopAccepting()
	err := a.Server.Stop(ctx)
	err = errors.Join(err, a.Components.Stop(ctx)) // they have heard who has gone
	ended := make(chan struct{})
	go func() { a.Streams.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		err = errors.Join(err, errors.New("some connections did not end in time and are cut off"))
	}
	return err
}

// users lets streams and the server look up the accounts in the database.
type users struct {
	*storage.Accounts
	a *Assembly
}

// Lookup implements server.Accounts.
func (u users) Lookup(ctx context.Context, who jid.Bare) (int64, bool, error) {
	id, found, err := u.ID(ctx, who)
	return int64(id), found, err
}

// admit says who may have a session, and tells those who would have to ask next
// what else it has seen.
func (u users) admit(ctx context.Context, a *server.Account) error {
	lists, cards := u.a.lists.Era(a.JID), u.a.cards.Era() // before looking
	has, err := u.Admit(ctx, storage.AccountID(a.ID))
	if err != nil {
		return err
	}
	if !has.Lists {
		u.a.lists.None(a.JID, lists)
	}
	u.a.cards.Seen(a.ID, has.VCard, cards)
	return nil
}

// own writes down what people do to their own accounts.
type own struct {
	register.Accounts
	desk *operator.Desk
}

// Create implements register.Accounts.
func (o own) Create(ctx context.Context, who jid.Bare, password string) error {
	return o.note(ctx, who, "own.register", o.Accounts.Create(ctx, who, password))
}

// SetPassword implements register.Accounts.
func (o own) SetPassword(ctx context.Context, who jid.Bare, password string) error {
	return o.note(ctx, who, "own.passwd", o.Accounts.SetPassword(ctx, who, password))
}

// Remove implements register.Accounts.
func (o own) Remove(ctx context.Context, who jid.Bare) error {
	return o.note(ctx, who, "own.remove", o.Accounts.Remove(ctx, who))
}

func (o own) note(ctx context.Context, who jid.Bare, action string, err error) error {
	if err == nil {
		o.desk.Own(ctx, who, action)
	}
	return err
}

// outcome tells those concerned what became of messages to be stored: the
// sender of one that was lost, and who hands out those that wait.
type outcome struct {
	*server.Server
	*offline.Feature
}
