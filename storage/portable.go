package storage

import (
	"context"
	"errors"
	"sync"
	"time"

	"rollcall/roster"
	"rollcall/roster/privacy"
	"rollcall/server/features/privatexml"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// Parcel is an account on its way from one server to another, or a part of one
// that has many messages. Where a field is nil the parcel says nothing about
// that; an empty list says that there is nothing.
type Parcel struct {
	Account  jid.Bare
	Created  time.Time // zero: now
	Disabled bool      // of an account that is made; whether one that is here is, its operators have said

	Keys   map[sasl.Hash]sasl.Keys
	Roster []roster.Item // waiting requests with them, as a roster has them
	VCard  []byte        // a whole element that can stand anywhere
	Prefs  string        // of the archive, as archive.Book keeps them

	Private []privatexml.Item // in canonical form
	Lists   *PrivacyParcel
	PEP     []PEPNode // in order of their names

	Offline []Letter // the oldest first
	Archive []Letter

	// More says that this goes on with an account whose earlier parcels are here.
	// What has come is after these ids: see Receipt.
	More                       bool
	AfterOffline, AfterArchive int64
}

// PrivacyParcel are the privacy lists of an account.
type PrivacyParcel struct {
	Default string // the name of the default list, or ""
	Lists   []PrivacyList
}

// PrivacyList is one list.
type PrivacyList struct {
	Name  string
	Items []privacy.Item // in their order
}

// Letter is a message of a parcel.
type Letter struct {
	Stamp    int64  // microseconds since 1970
	From, To string // of one in an archive; canonical addresses
	Stanza   []byte // in canonical form, in the default namespace of clients

	// ID is what the account's server calls the message, in a <stanza-id/> of
	// one that waits.
	ID string
}

// Existing says what becomes of an account that is there already.
type Existing string

// An account that is there is left as it is, gets what it does not have, or gets
// what the parcel holds in place of what it has of that kind.
const (
	Skip    Existing = "skip"
	Merge   Existing = "merge"
	Replace Existing = "replace"
)

// Terms are how a parcel is to be taken in.
type Terms struct {
	Existing Existing // "" is Skip
	Dry      bool     // only find out what would come of it
}

// Receipt says what came of a parcel.
type Receipt struct {
	ID      AccountID
	Made    bool           // the account is new
	Skipped bool           // it was there, and was left as it is
	Added   map[string]int // by the name of what there is so many of
	Known   map[string]int // what was there already
	Refused []string       // what could not be taken in, in words for people

	// Where the next parcel of the account goes on.
	LastOffline, LastArchive int64
}

// What parcels hold, as receipts count it.
const (
	PartPasswords = "passwords"
	PartContacts  = "contacts"
	PartRequests  = "contact requests"
	PartVCards    = "vCards"
	PartPrefs     = "archive preferences"
	PartPrivate   = "namespaces of private XML"
	PartLists     = "privacy lists"
	PartNodes     = "nodes of what clients publish"
	PartWaiting   = "offline messages"
	PartArchived  = "archived messages"
)

// Changed reports whether anything of an account that was there is different
// now.
func (r *Receipt) Changed() bool { return !r.Made && !r.Skipped && len(r.Added) > 0 }

// Portable reads and writes accounts whole.
type Portable struct {
	db     *DB           // fixed
	w      *Writer       // fixed; nil if no server runs on the database
	limits roster.Config // fixed

	mu      sync.Mutex // guards the fields below
	indexed bool       // what a server that is gone left is in the archive's index
}

// Portable returns the accounts as they move from one server to another. The
// writer is that of the server that runs on the database, or nil if there is
// none; the limits are those of rosters.
func (db *DB) Portable(w *Writer, limits roster.Config) *Portable {
	return &Portable{db: db, w: w, limits: limits.WithDefaults()}
}

// errDry undoes the transaction of a parcel that was only tried.
var errDry = errors.New("storage: only tried")

// Put takes a parcel in, whole or not at all. A parcel that was taken in before
// adds nothing.
func (p *Portable) Put(ctx context.Context, parcel *Parcel, terms Terms) (Receipt, error) {
	if err := p.catchUp(ctx, parcel.Account); err != nil {
		return Receipt{}, err
	}
	era := p.db.ids.now()
	var u unpacking
	err := p.db.tx(ctx, "import the account "+string(parcel.Account), func(t *tx) error {
		u = unpacking{tx: t, ctx: ctx, Parcel: parcel, terms: terms, limits: p.limits}
		u.receipt = Receipt{Added: map[string]int{}, Known: map[string]int{}, LastOffline: parcel.AfterOffline, LastArchive: parcel.AfterArchive}
		if err := u.open(); err != nil || u.receipt.Skipped {
			return err
		}
		for _, put := range unpack {
			if err := put(&u); err != nil {
				return err
			}
		}
		if terms.Dry {
			return errDry
		}
		return nil
	})
	if errors.Is(err, errDry) {
		return u.receipt, nil
	}
	if err == nil && u.receipt.Made {
		p.db.ids.putIf(era, parcel.Account, u.receipt.ID)
	}
	return u.receipt, err
}

// catchUp makes sure that all of an account's archive is in the index.
func (p *Portable) catchUp(ctx context.Context, who jid.Bare) error {
	if p.w != nil {
		id, found, err := p.db.Accounts().ID(ctx, who)
		if err != nil || !found {
			return err
		}
		return p.w.catchUp(ctx, int64(id))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.indexed {
		return nil
	}
	err := p.db.NewWriter(nil).recover(ctx)
	p.indexed = err == nil
	return err
}

// unpacking is a parcel that is being taken in, in a transaction.
type unpacking struct {
	*tx
	*Parcel
	ctx     context.Context
	terms   Terms
	limits  roster.Config
	receipt Receipt
}

// unpack is what is done with a parcel, in order.
var unpack = []func(*unpacking) error{
	(*unpacking).keys, (*unpacking).roster, (*unpacking).vcard, (*unpacking).prefs, (*unpacking).private, (*unpacking).lists,
	(*unpacking).pep, (*unpacking).offline, (*unpacking).archive,
}

// replaces reports whether what the parcel holds takes the place of what is
// there.
func (u *unpacking) replaces() bool {
	return u.terms.Existing == Replace && !u.receipt.Made && (!u.More || u.terms.Dry)
}

// id is the account's, for queries.
func (u *unpacking) id() int64 { return int64(u.receipt.ID) }

func (u *unpacking) do(query string, args ...any) error {
	_, err := u.exec(u.ctx, query, args...)
	return err
}

// open finds or makes the account.
func (u *unpacking) open() error {
	found, err := u.one(u.ctx, "account.id", []any{string(u.Account)}, &u.receipt.ID)
	switch {
	case err != nil:
		return err
	case found && u.More:
		return nil
	case found && u.terms.Existing != Merge && u.terms.Existing != Replace:
		u.receipt.Skipped = true
		return nil
	case found:
		return nil
	case u.More && !u.terms.Dry:
		return ErrNoAccount
	}
	created := u.Created
	if created.IsZero() {
		created = time.Now()
	}
	u.receipt.Made = true
	if _, err := u.one(u.ctx, "portable.create", []any{string(u.Account), created.UnixMicro(), flag(u.Disabled)}, &u.receipt.ID); err != nil {
		return err
	}
	return u.describe(u.ctx, "search.put", u.receipt.ID, u.Account, card(u.VCard))
}

// keys sets what verifies the password. An account that has one keeps it in a
// merge.
func (u *unpacking) keys() error {
	if len(u.Keys) == 0 {
		return nil
	}
	if !u.receipt.Made {
		elsewhere, err := u.one(u.ctx, "portable.elsewhere", []any{u.id()}, new(int))
		if err != nil {
			return err
		}
		if elsewhere { // a password of before must not open what is the directory's
			u.receipt.Refused = append(u.receipt.Refused, "comes from a directory, where its password is; the one in the file is left out")
			return nil
		}
		there, err := u.one(u.ctx, "portable.keys", []any{u.id()}, new(string), new([]byte), new(int), new([]byte), new([]byte))
		if err != nil {
			return err
		}
		if there && !u.replaces() {
			u.receipt.Known[PartPasswords]++
			return nil
		}
		if err := u.do("account.drop_keys", u.id()); err != nil {
			return err
		}
	}
	u.receipt.Added[PartPasswords]++
	return putKeys(u.ctx, u.tx, u.receipt.ID, u.Keys)
}

func (u *unpacking) vcard() error {
	if len(u.VCard) == 0 {
		return nil
	}
	var old []byte
	if _, err := u.one(u.ctx, "portable.vcard", []any{u.id()}, &old); err != nil {
		return err
	}
	if len(old) > 0 && (!u.replaces() || same(old, u.VCard, "")) {
		u.receipt.Known[PartVCards]++
		return nil
	}
	u.receipt.Added[PartVCards]++
	e := card(u.VCard)
	if err := u.do("vcard.put", u.id(), u.VCard, photo(e), time.Now().UnixMicro()); err != nil {
		return err
	}
	return u.describe(u.ctx, "search.put", u.receipt.ID, u.Account, e)
}

func (u *unpacking) prefs() error {
	if u.Parcel.Prefs == "" {
		return nil
	}
	var old string
	found, err := u.one(u.ctx, "archive.prefs", []any{u.id()}, &old)
	if err != nil {
		return err
	}
	if found && (!u.replaces() || old == u.Parcel.Prefs) {
		u.receipt.Known[PartPrefs]++
		return nil
	}
	u.receipt.Added[PartPrefs]++
	return u.do("archive.set_prefs", u.id(), u.Parcel.Prefs)
}
