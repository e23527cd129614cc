package assembly

import (
	"context"
	"slices"

	mellium "mellium.im/xmpp/stream"

	"rollcall/directory"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/storage"
	"rollcall/storage/ldap"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

// openDirectory makes the directory that accounts come from, if there is one.
func (a *Assembly) openDirectory(o Options) (streams c2s.Directory, err error) {
	cfg := o.Config.Directory
	if cfg.Domain = o.Config.DirectoryDomain(); cfg.Domain == "" {
		return streams, nil
	}
	source, err := ldap.New(o.Config.LDAP, cfg.Domain)
	if err != nil {
		return streams, err
	}
	a.Directory = directory.New(cfg, directory.Parts{
		Source: source, Store: a.db.Directory(), Server: &landlord{a, a.registrations(o)},
		Groups: &sharedGroups{groups: a.Groups, log: o.Log}, Log: o.Log,
	})
	a.runners = append(a.runners, source, a.Directory)
	return c2s.Directory{Passwords: a.Directory, SCRAM: cfg.OfferSCRAM}, nil
}

// registrations are the accounts as those who change them get them.
func (a *Assembly) registrations(o Options) *storage.Registrations {
	return a.db.Registrations(o.Config.C2S.Auth.Iterations).Beside(o.Config.DirectoryDomain())
}

// serverConfig is the configuration of the server, with the domain of the
// directory marked.
func serverConfig(o Options) server.Config {
	cfg := o.Config.Server
	cfg.Domains, cfg.Annexes = slices.Clone(cfg.Domains), o.Config.ComponentNames()
	if o.Config.ServesDevices() {
		cfg.Annexes = append(cfg.Annexes, o.Config.DeviceDomain())
	}
	for i := range cfg.Domains {
		cfg.Domains[i].Directory = cfg.Domains[i].Name == o.Config.DirectoryDomain()
	}
	return cfg
}

// landlord lets people in and puts them out as the directory says.
type landlord struct {
	a        *Assembly
	register *storage.Registrations
}

// Added implements directory.Server.
func (l *landlord) Added(ctx context.Context, all ...jid.Bare) { l.a.Server.Added(ctx, all...) }

// End implements directory.Server.
func (l *landlord) End(who jid.Bare) {
	l.a.Server.Bar(who, &stream.Fault{Condition: mellium.NotAuthorized, Text: "the account is disabled"})
}

// Remove implements directory.Server.
func (l *landlord) Remove(ctx context.Context, who jid.Bare) error {
	account, ok, err := l.a.Server.Account(ctx, who)
	if err != nil || !ok {
		return err
	}
	l.a.Server.Removing(ctx, who, account.ID)
	if err := l.register.Remove(ctx, who); err != nil {
		return err
	}
	l.a.Server.Removed(who, account.ID)
	return nil
}
