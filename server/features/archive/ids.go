package archive

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"sync"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// IDs writes ids as clients see them. They must not be predictable (XEP-0313
// §3) and must not tell anything (XEP-0359 §6), so it is the number under a
// cipher: one block, with zeros to know one's own by.
type IDs struct {
	block cipher.Block // safe
	rooms sync.Pool    // of *[2*aes.BlockSize]byte
}

// KeySize is the size of the key of IDs, in bytes.
const KeySize = 16

// NewIDs returns the ids under a key, which has to stay the same for as long as
// the archive.
func NewIDs(key []byte) (*IDs, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("archive: the key of ids has %d bytes, not %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return &IDs{block: block, rooms: sync.Pool{New: func() any { return new([2 * aes.BlockSize]byte) }}}, nil
}

var idText = base64.RawURLEncoding.Strict()

// Append appends an id. It needs no escaping.
func (x *IDs) Append(dst []byte, id int64) []byte {
	room := x.rooms.Get().(*[2 * aes.BlockSize]byte)
	defer x.rooms.Put(room)
	in, out := room[:aes.BlockSize], room[aes.BlockSize:]
	clear(in)
	binary.BigEndian.PutUint64(in, uint64(id))
	x.block.Encrypt(out, in)
	return idText.AppendEncode(dst, out)
}

// Parse returns what Append was given; false if it never was.
func (x *IDs) Parse(s string) (id int64, ok bool) {
	if len(s) != idText.EncodedLen(aes.BlockSize) {
		return 0, false // the decoder skips line breaks
	}
	b, err := idText.DecodeString(s)
	if err != nil || len(b) != aes.BlockSize {
		return 0, false
	}
	x.block.Decrypt(b, b)
	id = int64(binary.BigEndian.Uint64(b))
	return id, id > 0 && binary.BigEndian.Uint64(b[8:]) == 0
}

// idRoom holds a <stanza-id/> of a usual account.
const idRoom = 192

// appendID appends the <stanza-id/> of a message in an account's archive.
func (f *Feature) appendID(b []byte, p *server.Packet) []byte {
	b = append(append(b, "<stanza-id xmlns='"+nsStanzaID+"' by='"...), p.Account.Attr()...)
	b = f.parts.IDs.Append(append(b, "' id='"...), p.Stamped())
	return append(b, "'/>"...)
}

// strip takes out what claims to be an id of the account's archive: only we say
// that (XEP-0359 §3, rule 2).
func (f *Feature) strip(p *server.Packet) error {
	if !p.Stanza.HasSpace(nsStanzaID) || !hasOwn(p) {
		return nil
	}
	return p.Without(func(st *stanza.Stanza, c *stanza.Child) bool {
		_, own := claimed(st, c, p.Account.JID)
		return own
	})
}

func hasOwn(p *server.Packet) bool {
	for i := range p.Stanza.Children {
		if _, own := claimed(p.Stanza, &p.Stanza.Children[i], p.Account.JID); own {
			return true
		}
	}
	return false
}

// claimed returns the id of a <stanza-id/>, and whether it says to be by owner.
func claimed(st *stanza.Stanza, c *stanza.Child, owner jid.Bare) (id string, own bool) {
	if !c.Is(nsStanzaID, "stanza-id") {
		return "", false
	}
	e, err := stanza.Parse(st.Bytes(c.At), stanza.NSClient, st.Prefixes)
	if err != nil {
		return "", false
	}
	by, err := jid.Parse(e.Attr("by"))
	return e.Attr("id"), err == nil && by.Bare() == owner
}

// ownID returns the id that the message had in the account's archive when it
// was delivered first.
func (f *Feature) ownID(p *server.Packet) (int64, bool) {
	for i := range p.Stanza.Children {
		if text, own := claimed(p.Stanza, &p.Stanza.Children[i], p.Account.JID); own {
			return f.parts.IDs.Parse(text)
		}
	}
	return 0, false
}
