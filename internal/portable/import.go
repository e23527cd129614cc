package portable

import (
	"context"
	"fmt"
	"io"

	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// Delivery is a parcel on its way into the server.
type Delivery struct {
	Parcel   storage.Parcel `json:"parcel"`
	Password string         `json:"password,omitempty"` // in the clear, if that is all there is
	Terms    storage.Terms  `json:"terms"`

	// Last says that nothing of the account comes after this, and Moved that
	// something of it has changed in parcels after the first.
	Last  bool `json:"last"`
	Moved bool `json:"moved,omitempty"`
}

// Taker takes accounts in.
type Taker interface {
	Take(ctx context.Context, d *Delivery) (storage.Receipt, error)
}

// Importer reads files and hands the accounts in them over.
type Importer struct {
	To      Taker
	Terms   storage.Terms
	Options Options
	Notes   Notes
	Summary Summary

	// Each, if it is there, hears what came of each account.
	Each func(jid.Bare, Outcome)

	failed int // accounts in a row that could not be taken in
}

// patience is how many accounts in a row may fail before it is clear that none
// will do.
const patience = 5

// Outcome is what came of one account.
type Outcome struct {
	Made, Skipped, Changed bool
	Refused                []string // what was not taken in, in words for people
}

// Summary counts what came of all.
type Summary struct {
	Made, Changed, Same, Skipped int // accounts: new, different now, as they were, left as they were
	Failed                       int // accounts that could not be taken in, or not whole
	Added, Known                 map[string]int

	// Lacking counts new accounts that have keys of some mechanisms and none of
	// one: their clients cannot log in if they choose that.
	Lacking map[sasl.Hash]int
}

func (s *Summary) lacks(keys map[sasl.Hash]sasl.Keys) {
	if len(keys) == 0 {
		return
	}
	for _, h := range sasl.Hashes() {
		if _, there := keys[h]; there {
			continue
		}
		if s.Lacking == nil {
			s.Lacking = map[sasl.Hash]int{}
		}
		s.Lacking[h]++
	}
}

// File imports one document: see [Read].
func (i *Importer) File(ctx context.Context, file string, in io.Reader) error {
	return Read(ctx, file, in, i.Options, &i.Notes, func(a *Account) error { return i.account(ctx, a) })
}

// A parcel holds at most so many messages and about so many bytes of them. It is
// one transaction, for which everybody who writes has to wait.
const (
	parcelLetters = 1000
	parcelBytes   = 4 << 20
)

// account hands an account over, in as many parcels as it takes.
func (i *Importer) account(ctx context.Context, a *Account) error {
	whole, moved := Outcome{}, false
	err := parcels(a, func(p *storage.Parcel, last bool) (*storage.Receipt, error) {
		d := &Delivery{Parcel: *p, Terms: i.Terms, Last: last, Moved: moved}
		if !p.More {
			d.Password = a.Password
		}
		r, err := i.To.Take(ctx, d)
		if err != nil {
			return nil, err
		}
		moved = moved || p.More && len(r.Added) > 0
		i.Summary.add(&whole, &r, p.More)
		return &r, nil
	})
	for _, why := range whole.Refused {
		i.Notes.problem(Problem{a.Where, a.Parcel.Account, why})
	}
	if err != nil {
		i.Summary.Failed++
		if i.failed++; ctx.Err() != nil || i.failed >= patience {
			return err
		}
		// The others may go well. What went before is as it was handed over.
		i.Notes.problem(Problem{a.Where, a.Parcel.Account, fmt.Sprintf("could not be imported: %v", err)})
		return nil
	}
	i.failed = 0
	i.Summary.count(&whole)
	if whole.Made && a.Password == "" {
		i.Summary.lacks(a.Parcel.Keys)
	}
	if i.Each != nil {
		i.Each(a.Parcel.Account, whole)
	}
	return nil
}

// add counts what came of a parcel.
func (s *Summary) add(whole *Outcome, r *storage.Receipt, more bool) {
	if s.Added == nil {
		s.Added, s.Known = map[string]int{}, map[string]int{}
	}
	whole.Made = whole.Made || r.Made && !more
	whole.Skipped = whole.Skipped || r.Skipped
	whole.Changed = whole.Changed || len(r.Added) > 0
	whole.Refused = append(whole.Refused, r.Refused...)
	for what, n := range r.Added {
		s.Added[what] += n
	}
	for what, n := range r.Known {
		s.Known[what] += n
	}
}

func (s *Summary) count(whole *Outcome) {
	switch {
	case whole.Skipped:
		s.Skipped++
	case whole.Made:
		s.Made++
	case whole.Changed:
		s.Changed++
	default:
		s.Same++
	}
}

// parcels calls take with the parcels of an account, one after another, until
// one is skipped.
func parcels(a *Account, take func(p *storage.Parcel, last bool) (*storage.Receipt, error)) error {
	next, size, skipped := a.Parcel, 0, false
	if a.Offline != nil {
		next.Offline = []storage.Letter{}
	}
	if a.Archive != nil {
		next.Archive = []storage.Letter{}
	}
	flush := func(last bool) error {
		r, err := take(&next, last)
		if err != nil {
			return err
		}
		skipped, size = r.Skipped, 0
		next = storage.Parcel{Account: a.Parcel.Account, More: true, AfterOffline: r.LastOffline, AfterArchive: r.LastArchive}
		return nil
	}
	for kind, letters := range []*Letters{a.Offline, a.Archive} {
		for m, err := range letters.All() {
			if err != nil {
				return err
			}
			if len(next.Offline)+len(next.Archive) == parcelLetters || size > 0 && size+len(m.Stanza) > parcelBytes {
				if err := flush(false); err != nil || skipped {
					return err
				}
			}
			if kind == 0 {
				next.Offline = append(next.Offline, m)
			} else {
				next.Archive = append(next.Archive, m)
			}
			size += len(m.Stanza)
		}
	}
	return flush(true)
}
