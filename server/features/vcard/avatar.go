package vcard

import (
	"strings"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// nsUpdate is that of what presence says about the picture (XEP-0153 §2.1).
const nsUpdate = "vcard-temp:x:update"

// picture is what is known of an account's picture.
type picture struct {
	kept bool   // there is a vCard, or was one
	hash string // of the picture in it; "" if there is none
}

// element is what presence says about it; nothing for an account that never had
// a vCard.
func (p picture) element() []byte {
	switch {
	case !p.kept:
		return nil
	case p.hash == "":
		return []byte("<x xmlns='" + nsUpdate + "'><photo/></x>") // XEP-0153 §4.1, rule 3
	}
	b := append([]byte("<x xmlns='"+nsUpdate+"'><photo>"), p.hash...)
	return append(b, "</photo></x>"...)
}

// said returns which picture a presence names; "" is that there is none. named
// is false if it says nothing about that (XEP-0153 §4.1, rule 2), or too much.
func said(st *stanza.Stanza) (hash string, named bool) {
	if !st.Has(nsUpdate, "x") {
		return "", false
	}
	e, err := st.Element()
	if err != nil {
		return "", false
	}
	n := 0
	for _, c := range e.Elements() {
		if !c.Is(nsUpdate, "x") {
			continue
		}
		n++
		if photo := c.Child(nsUpdate, "photo"); photo != nil {
			hash, named = strings.TrimSpace(photo.Text()), true
		}
	}
	return hash, named && n == 1
}

// marked returns an available presence with what is to be said about the
// picture, or nil if it says so already. The addresses are escaped; an empty one
// is left out.
func marked(st *stanza.Stanza, from, to string, p picture) []byte {
	x := p.element()
	if x == nil {
		return nil
	}
	if hash, named := said(st); named && strings.EqualFold(hash, p.hash) {
		return nil // XEP-0153 §2.1: digits of both cases are the same
	}
	if !st.Has(nsUpdate, "x") {
		return st.Append(nil, from, to, x)
	}
	return exchanged(st.Append(nil, from, to), x)
}

// exchanged returns a whole presence with x in place of all that it says itself.
func exchanged(raw, x []byte) []byte {
	st, err := server.Whole(raw)
	if err != nil {
		return nil
	}
	out, at := make([]byte, 0, len(raw)+len(x)), uint32(0)
	for i := range st.Children {
		if c := &st.Children[i]; c.Is(nsUpdate, "x") {
			out = append(append(out, raw[at:c.At.Lo]...), x...)
			at, x = c.At.Hi, nil // once
		}
	}
	return append(out, raw[at:]...)
}

// worn is what a session has of its account's picture, unless that never had a
// vCard.
type worn struct {
	*avatar
	said picture // in the last presence of the client that says anything
}

// now returns which picture a session's account has. What the session is to have
// said about it is noted in w, which is nil for an account that never had a vCard.
func (f *Feature) now(s *server.Session) (now picture, w *worn, err error) {
	w, _ = s.Get(f.slot).(*worn)
	if w != nil {
		now, err = w.now(f.srv.Context(), f)
		return now, w, err
	}
	a := f.gallery.openUnlessNone(s.Account)
	if a == nil {
		return picture{}, nil, nil
	}
	if now, err = a.now(f.srv.Context(), f); err != nil || !now.kept {
		f.gallery.close(s.Account.JID, a)
		return picture{}, nil, err
	}
	w = &worn{avatar: a}
	s.Put(f.slot, w)
	return now, w, nil
}

// leave looks at what a client tells the world, or somebody in particular, when
// it is there.
//
// A client that says nothing about a picture does not know about this, or does
// not know yet: the server does, and says it (XEP-0398 §4). One that says that
// there is none to be shown has its way. One that names another picture is
// mistaken, since its contacts will find the one that is kept here: that one
// counts (XEP-0153 §4.3, rule 2).
//
// COMPAT(all, until they know XEP-0153): what is filled in for those who say
// nothing. COMPAT(slixmpp, until it asks again): it names the picture that it
// found when it logged in, whatever another client has set since.
func (f *Feature) leave(p *server.Packet) error {
	s := p.Sender
	if len(p.Stanza.Type) > 0 || s.Account.ID == 0 {
		return nil
	}
	hash, named := said(p.Stanza)
	none := named && hash == ""
	if p.Stanza.To == nil {
		s.Set(f.none, none)
	}
	if none {
		return nil
	}
	now, w, err := f.now(s)
	if err != nil { // it is there all the same
		f.srv.Log().Error("the picture of somebody is not known", "jid", s.JID, "err", err)
		return nil
	}
	if w == nil {
		return nil
	}
	w.said = now
	to := ""
	if p.Stanza.To != nil {
		to = stanza.Escape(p.To.String())
	}
	if raw := marked(p.Stanza, s.Full(), to, now); raw != nil {
		return p.Replace(raw)
	}
	return nil
}

// Published looks whether the picture has changed while a session's presence was
// on its way. It is to be called for each that was broadcast.
func (f *Feature) Published(s *server.Session) {
	if s.Account.ID == 0 {
		return
	}
	if now, w, err := f.now(s); err == nil && w != nil && now.hash != w.said.hash {
		w.said = now
		f.announce(s, now)
	}
}

// announce has a session say anew which picture there is, unless its client
// wants none to be shown.
func (f *Feature) announce(s *server.Session, now picture) {
	if s.Has(f.none) {
		return
	}
	f.there.Amend(s, func(st *stanza.Stanza) []byte { return marked(st, s.Full(), "", now) })
}

// announceAll does so for all sessions of an account.
func (f *Feature) announceAll(owner jid.Bare, now picture) {
	if a := f.srv.Connected(owner); a != nil {
		for _, s := range a.Sessions() {
			f.announce(s, now)
		}
	}
}

// ended lets go of a session's picture.
func (f *Feature) ended(s *server.Session) {
	if w, ok := s.Get(f.slot).(*worn); ok {
		s.Put(f.slot, nil)
		f.gallery.close(s.Account.JID, w.avatar)
	}
	if len(s.Account.Sessions()) == 0 {
		f.gallery.leave(s.Account.ID)
	}
}
