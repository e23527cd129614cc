package assembly

import (
	"slices"

	"rollcall/config"
	"rollcall/internal/operator"
	"rollcall/internal/personal"
	"rollcall/internal/portrait"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/server/component"
	"rollcall/server/features/addresses"
	"rollcall/server/features/adhoc"
	"rollcall/server/features/archive"
	"rollcall/server/features/availability"
	"rollcall/server/features/blocking"
	"rollcall/server/features/bot"
	"rollcall/server/features/caps"
	"rollcall/server/features/carbons"
	"rollcall/server/features/contacts"
	"rollcall/server/features/disco"
	"rollcall/server/features/entitytime"
	"rollcall/server/features/floodgate"
	"rollcall/server/features/groups"
	"rollcall/server/features/lastactivity"
	"rollcall/server/features/pep"
	"rollcall/server/features/ping"
	"rollcall/server/features/privacy"
	"rollcall/server/features/privatexml"
	"rollcall/server/features/search"
	"rollcall/server/features/vcard"
	"rollcall/server/features/version"
)

// features is THE LIST: everything that the server can do. Handlers of the same
// phase run in this order.
func (a *Assembly) features(cfg *config.Config) []server.Feature {
	there := availability.New(a.Book)
	a.there = there
	filters := privacy.New(a.lists, a.Book, there)
	blocks := blocking.New(filters)
	filters.OnChanged(blocks.Mirror)
	abilities := caps.New()
	a.publishing = pep.New(a.db.PEP(), a.Book, abilities, there, cfg.PEP)
	a.publishing.Limited(a.Floodgate.Tells)
	abilities.OnLearned(a.publishing.Learned)
	there.OnAvailable(a.publishing.Available)
	there.OnCovered(a.publishing.Covered)
	list := contacts.New(a.Book, showing{there, a.publishing})
	list.OnChanged(filters.RosterChanged)
	list.OnChanged(a.watching.look)
	filters.OnEdited(a.watching.look)
	a.ask = list.Ask
	a.Groups.OnMet(func(before, now *roster.Directory) {
		list.Meet(before, now)
		filters.RostersChanged()
		a.regrade()
	})
	there.OnAvailable(list.Redeliver)
	there.Carried(func(s *server.Session) bool { return carried(abilities.Of(s)) })
	abilities.OnLearned(there.Learned)
	there.OnWilling(a.offline.Deliver)
	there.OnWilling(a.announcing.Greet)
	own := personal.New(a.Engine, a.ByHand, a.log)
	a.talk = bot.New(own.Answer, a.Book)
	there.OnAvailable(a.talk.Greet)
	commands := adhoc.New(slices.Concat(own.Commands(), a.Desk.Commands())...)
	commands.OnForbidden(a.Desk.Forbidden)
	all := []server.Feature{a.Streams, filters, blocks, a.Floodgate, list, abilities, there, groups.New(belongings{a.Groups, a.Devices, a.ByHand, a.Phones})}
	if cfg.ArchiveEnabled {
		kept := a.db.Archive(a.writer)
		all = append(all, archive.New(cfg.Archive, archive.Parts{
			Store: kept, Book: kept, Sweeper: kept, Contacts: a.Book, IDs: a.archiveIDs,
		}))
	}
	all = append(all, a.offline, carbons.New())
	all = append(all, a.about(cfg, there)...)
	return append(all,
		ping.New(),
		entitytime.New(),
		version.New(""), // nobody has to know the operating system
		a.Registration,
		a.Components,
		commands,
		a.talk,
		a.announcing,
		a.logins,
	)
}

// carried reports whether a client is one that people carry, by what it says that it is
// (the registry of service discovery identities).
func carried(client *caps.Abilities) bool {
	return client.Is("client", "phone") || client.Is("client", "handheld") || client.Is("client", "tablet")
}

// about are the features by which the server and people tell about themselves.
func (a *Assembly) about(cfg *config.Config, there *availability.Feature) []server.Feature {
	a.Addresses = addresses.New(cfg.Contact)
	a.Disco = disco.New(a.Book, a.Addresses.Forms)
	a.Activity = lastactivity.New(a.db.LastActivity(), a.Book)
	a.cards = vcard.New(a.db.VCards(), there, cfg.VCard)
	there.OnPublished(a.cards.Published)
	a.Disco.Show(a.publishing)
	pictures := portrait.New(a.cards, a.publishing, a.log)
	a.cards.OnPicture(pictures.CardChanged)
	a.publishing.OnChanged(pictures.NodeChanged)
	a.runners = append(a.runners, pictures)
	all := []server.Feature{a.Disco, a.Addresses, a.cards, a.publishing}
	if cfg.SearchEnabled {
		people := a.db.Search()
		all = append(all, search.New(people, people, cfg.Search))
	}
	return append(all, a.Activity, privatexml.New(a.db.Private(), cfg.Private))
}

// Infos returns what the features of a configuration say of themselves. Nothing
// is opened for it.
func Infos(cfg *config.Config) ([]server.Info, error) {
	streams, err := c2s.New(c2s.Options{Config: c2s.Config{Limits: cfg.C2S.Limits}})
	if err != nil {
		return nil, err
	}
	components, err := component.New(component.Config{}, nil)
	if err != nil {
		return nil, err
	}
	a := &Assembly{
		watching: new(watching),
		Streams:  streams, Components: components, Floodgate: floodgate.New(nil, cfg.Floodgate, nil), Desk: new(operator.Desk), Groups: new(roster.Groups),
	}
	var infos []server.Info
	for _, f := range a.features(cfg) {
		infos = append(infos, f.Info())
	}
	return infos, nil
}
