package portable

import (
	"bufio"
	"encoding/gob"
	"errors"
	"io"
	"iter"
	"os"

	"rollcall/roster"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
)

// Account is what a file says of an account.
type Account struct {
	Parcel   storage.Parcel // all but the messages
	Password string         // in the clear, if that is how the file has it
	Where    Place          // where it begins

	// The messages, which may be many; nil if the file says nothing of them.
	Offline, Archive *Letters

	contacts map[jid.Bare]*roster.Item
	requests map[jid.Bare][]byte
	card     pepCard
	marks    pepMarks
}

func newAccount(who jid.Bare, where Place) *Account {
	return &Account{
		Parcel: storage.Parcel{Account: who}, Where: where,
		contacts: map[jid.Bare]*roster.Item{}, requests: map[jid.Bare][]byte{},
	}
}

func (a *Account) close() {
	a.Offline.close()
	a.Archive.close()
}

// key keeps what verifies the password with one hash function.
func (a *Account) key(h sasl.Hash, k sasl.Keys) {
	if a.Parcel.Keys == nil {
		a.Parcel.Keys = map[sasl.Hash]sasl.Keys{}
	}
	a.Parcel.Keys[h] = k
}

// Letters are messages of an account in order: in memory, and from some size on
// in a file without a name.
type Letters struct {
	n, size int
	held    []storage.Letter
	file    *os.File
	out     *bufio.Writer
	enc     *gob.Encoder
}

// maxHeld is how much of an account's messages is held in memory.
const maxHeld = 8 << 20

// Len returns how many there are.
func (l *Letters) Len() int {
	if l == nil {
		return 0
	}
	return l.n
}

func (l *Letters) add(m storage.Letter) error {
	l.n++
	if l.size < maxHeld {
		l.size += len(m.Stanza) + len(m.From) + len(m.To) + 64
		l.held = append(l.held, m)
		return nil
	}
	if l.file == nil {
		if err := l.spill(); err != nil {
			return err
		}
	}
	return l.enc.Encode(m)
}

// spill makes the file. Nobody else can open it: it has no name any more when
// something is written to it.
func (l *Letters) spill() error {
	f, err := os.CreateTemp("", "rollcall-import-")
	if err != nil {
		return err
	}
	if err := os.Remove(f.Name()); err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.out = f, bufio.NewWriter(f)
	l.enc = gob.NewEncoder(l.out)
	return nil
}

// All goes through the messages.
func (l *Letters) All() iter.Seq2[storage.Letter, error] {
	return func(yield func(storage.Letter, error) bool) {
		if l == nil {
			return
		}
		for _, m := range l.held {
			if !yield(m, nil) {
				return
			}
		}
		if l.file == nil {
			return
		}
		err := l.out.Flush()
		if err == nil {
			_, err = l.file.Seek(0, io.SeekStart)
		}
		dec := gob.NewDecoder(bufio.NewReader(l.file))
		for i := len(l.held); i < l.n; i++ {
			var m storage.Letter
			if err == nil {
				err = dec.Decode(&m)
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

func (l *Letters) close() {
	if l != nil && l.file != nil {
		l.file.Close() // it is gone with that
		l.file = nil
	}
}

// plain is an element of the language of clients that a file has put into the
// format's own namespace, for want of a declaration.
func plain(e *stanza.Element) {
	if e.Space == NS || e.Space == nsOld {
		e.Space = stanza.NSClient
	}
	for _, c := range e.Elements() {
		plain(c)
	}
}
