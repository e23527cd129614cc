package world

import (
	"rollcall/config"
	"rollcall/server"
	"rollcall/server/features/archive"
	"rollcall/server/features/availability"
	"rollcall/server/features/carbons"
	"rollcall/server/features/contacts"
	"rollcall/server/features/disco"
	"rollcall/server/features/entitytime"
	"rollcall/server/features/ping"
	"rollcall/server/features/vcard"
	"rollcall/server/features/version"
)

// features are all of them, in the order in which the program lists them. A
// test compares this with what there is.
func features(w *World, cfg *config.Config) []server.Feature {
	there := availability.New(w.book)
	list := contacts.New(w.book, there)
	there.OnAvailable(list.Redeliver)
	there.OnWilling(w.offline.Deliver)
	all := []server.Feature{w.streams, list, there}
	if cfg.ArchiveEnabled {
		kept := w.db.Archive(w.writer)
		all = append(all, archive.New(cfg.Archive, archive.Parts{
			Store: kept, Book: kept, Sweeper: kept, Contacts: w.book, IDs: w.archiveIDs,
		}))
	}
	return append(all,
		w.offline,
		carbons.New(),
		disco.New(w.book),
		ping.New(),
		entitytime.New(),
		version.New(""),
		vcard.New(w.db.VCards(), cfg.VCard),
		w.registration,
	)
}
