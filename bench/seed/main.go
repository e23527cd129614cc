// Seed fills a database with the accounts and rosters that the comparison with
// other servers uses. Over the wire tens of thousands of subscriptions take
// many minutes; this takes about one. The server must not be running on the
// database.
//
//	seed -db data/rollcall.db -domain localhost
//	seed -db data/rollcall.db -domain localhost -devices phones.localhost -pass long-enough
//
// The second is for the comparison with SIP servers: devices with that domain, and
// people who see them.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// A seeder writes to one database.
type seeder struct {
	db         *storage.DB
	domain     string
	password   string
	iterations int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("seed: ")
	path := flag.String("db", "", "file of the SQLite database; it is made when it is missing")
	s := seeder{}
	flag.StringVar(&s.domain, "domain", "localhost", "domain of the accounts")
	flag.StringVar(&s.password, "pass", "pass", "password of all accounts")
	flag.IntVar(&s.iterations, "iterations", sasl.MinIterations, "SCRAM iterations: the same as the other servers")
	users := flag.Int("users", 5000, "accounts without contacts, called user0 and so on")
	at := flag.String("devices", "", "domain of devices that are made instead of the accounts for XMPP, with those who see them")
	flag.Parse()
	if *path == "" || flag.NArg() > 0 {
		flag.Usage()
		log.Fatal("-db is needed, and nothing else")
	}
	groups, devices := plan(*users), []deviceGroup(nil)
	if *at != "" {
		groups, devices = viewers(), benchDevices()
	}
	if err := s.run(context.Background(), *path, groups); err != nil {
		log.Fatal(err)
	}
	if err := s.phones(context.Background(), *path, *at, devices); err != nil {
		log.Fatal(err)
	}
}

// run makes everything that is not there yet.
func (s *seeder) run(ctx context.Context, path string, groups []group) (err error) {
	s.db, err = storage.Open(ctx, storage.Config{Driver: storage.SQLite, Path: path})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	if _, err := s.db.Migrate(ctx); err != nil {
		return err
	}
	for _, g := range groups {
		made, err := s.accounts(ctx, g)
		if err != nil {
			return err
		}
		items, err := s.rosters(ctx, g)
		if err != nil {
			return err
		}
		if err := errors.Join(s.lists(ctx, g), s.share(ctx, g)); err != nil {
			return err
		}
		fmt.Printf("%-6s %5d accounts (%d new), %6d new roster items\n", g.prefix, g.count, made, items)
	}
	return nil
}

func (s *seeder) who(prefix string, i int) jid.Bare {
	return jid.Bare(fmt.Sprintf("%s%d@%s", prefix, i, s.domain))
}

// accounts makes the accounts of a group that are not there, and returns how
// many those were. Deriving keys is what takes the time, so it is done on all
// cores; every account has salts of its own, as in life.
func (s *seeder) accounts(ctx context.Context, g group) (made int, err error) {
	store := s.db.Accounts()
	for who := range slices.Chunk(s.all(g), 256) {
		keys := make([]map[sasl.Hash]sasl.Keys, len(who))
		work, group := errgroup.WithContext(ctx)
		work.SetLimit(runtime.GOMAXPROCS(0))
		for i := range who {
			work.Go(func() error {
				there, err := store.Exists(group, who[i])
				if err == nil && !there {
					keys[i], err = s.keys()
				}
				return err
			})
		}
		if err := work.Wait(); err != nil {
			return made, err
		}
		for i, k := range keys {
			if k == nil {
				continue
			}
			if _, err := store.Create(ctx, who[i], k); err != nil {
				return made, err
			}
			made++
		}
	}
	return made, nil
}

func (s *seeder) all(g group) []jid.Bare {
	who := make([]jid.Bare, g.count)
	for i := range who {
		who[i] = s.who(g.prefix, i)
	}
	return who
}

func (s *seeder) keys() (map[sasl.Hash]sasl.Keys, error) {
	all := map[sasl.Hash]sasl.Keys{}
	for _, h := range sasl.Hashes() {
		salt := make([]byte, sasl.SaltSize)
		rand.Read(salt) // never fails
		k, err := sasl.Derive(h, s.password, salt, s.iterations)
		if err != nil {
			return nil, err
		}
		all[h] = k
	}
	return all, nil
}
