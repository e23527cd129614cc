package vcard

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"slices"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// OnPicture adds a call for each account whose picture is another one, with the hash
// of what it was. It must not block.
func (f *Feature) OnPicture(h func(owner jid.Bare, was string)) { f.taken = append(f.taken, h) }

// Picture returns the picture of an account and its hash; "" if there is none.
func (f *Feature) Picture(ctx context.Context, owner jid.Bare) (kind string, data []byte, hash string, err error) {
	card, err := f.card(ctx, owner)
	if err != nil || card == nil {
		return "", nil, "", err
	}
	if hash, _ = Photo(card); hash == "" {
		return "", nil, "", nil
	}
	for _, photo := range card.Elements() {
		if data = decode(photo.ChildText(namespace, "BINVAL")); photo.Is(namespace, "PHOTO") && len(data) > 0 {
			return photo.ChildText(namespace, "TYPE"), data, hash, nil
		}
	}
	return "", nil, "", nil
}

// card returns the vCard of an account, or nil.
func (f *Feature) card(ctx context.Context, owner jid.Bare) (*stanza.Element, error) {
	xml, found, err := f.store.Get(ctx, owner)
	if err != nil || !found || len(xml) == 0 {
		return nil, err
	}
	return stanza.Parse(xml, "", nil)
}

// SetPicture puts a picture into an account's vCard in place of the one that is there;
// without data there is none any more. The errors are refusals, or the store's.
func (f *Feature) SetPicture(ctx context.Context, owner jid.Bare, kind string, data []byte) error {
	of, exists, err := f.srv.Account(ctx, owner)
	if err != nil || !exists || of.ID == 0 {
		return err
	}
	now := picture{kept: true}
	if len(data) > 0 {
		sum := sha1.Sum(data)
		now.hash = hex.EncodeToString(sum[:])
	}
	a := f.gallery.open(of)
	defer f.gallery.close(owner, a)
	was, changed, err := a.change(ctx, now, f, func() error { return f.exchange(ctx, owner, kind, data) })
	if changed && err == nil {
		f.tell(owner, now, was)
	}
	return err
}

// exchange writes another picture into a vCard. Nobody else writes it meanwhile.
func (f *Feature) exchange(ctx context.Context, owner jid.Bare, kind string, data []byte) error {
	card, err := f.card(ctx, owner)
	if err != nil || card == nil && len(data) == 0 {
		return err
	}
	if card == nil {
		card = &stanza.Element{Space: namespace, Local: "vCard"}
	}
	card.Nodes = slices.DeleteFunc(card.Nodes, func(n stanza.Node) bool { return n.Elem != nil && n.Elem.Is(namespace, "PHOTO") })
	if len(data) > 0 {
		text := func(name, value string) stanza.Node {
			return stanza.Node{Elem: &stanza.Element{Space: namespace, Local: name, Nodes: []stanza.Node{{Text: value}}}}
		}
		card.Nodes = append(card.Nodes, stanza.Node{Elem: &stanza.Element{Space: namespace, Local: "PHOTO", Nodes: []stanza.Node{
			text("TYPE", kind), text("BINVAL", base64.StdEncoding.EncodeToString(data)),
		}}})
	}
	xml := card.Canonical("")
	if len(xml) > f.cfg.MaxBytes || len(data) > f.cfg.MaxPhoto {
		return stanza.Refuse(stanza.ErrPolicyViolation, "the vCard would have %d bytes, and a picture of %d", len(xml), len(data))
	}
	return f.store.Set(ctx, owner, xml)
}
