// Package blocking lets people block somebody and think better of it
// (XEP-0191).
//
// The blocklist is a part of the default privacy list, so that clients which know
// privacy lists and those which know blocking see the same (§5). Those lists are
// managed elsewhere; here is their simple side.
package blocking

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"

	"rollcall/roster/privacy"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

const namespace = "urn:xmpp:blocking"

// Lists are everybody's privacy lists.
type Lists interface {
	// Read calls then while no change is under way.
	Read(owner jid.Bare, then func(*privacy.Lists)) error
	// Edit changes the lists of who has sent a request, and answers it. Once the
	// result is out it calls word.
	Edit(r *server.Request, decide func(*privacy.Lists) (privacy.Change, error), word func()) error
}

// Feature is the blocking command.
type Feature struct {
	// Fixed after Register.
	lists      Lists
	srv        *server.Server
	interested server.Flag // the session has asked for the blocklist

	pushes atomic.Uint64 // for ids; safe
}

// New returns the feature.
func New(lists Lists) *Feature { return &Feature{lists: lists} }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "blocking",
		Title: "Blocking people",
		Specs: []server.Spec{{ID: "XEP-0191"}},
		Host:  []string{namespace},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	f.interested = r.NewFlag()
	r.IQ(server.ToSelf, false, namespace, "blocklist", f.get)
	r.IQ(server.ToSelf, true, namespace, "block", f.block)
	r.IQ(server.ToSelf, true, namespace, "unblock", f.unblock)
}

// get answers with the blocklist (§3.1). From then on the session hears of every
// change, and of none before the result.
func (f *Feature) get(_ context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 {
		return appendItems(nil, "blocklist", nil), nil
	}
	return nil, f.lists.Read(r.Account.JID, func(all *privacy.Lists) {
		if r.Session != nil {
			r.Session.Set(f.interested, true)
		}
		r.Reply(appendItems(nil, "blocklist", all.Default().Blocked()))
	})
}

// block blocks addresses (§3.2).
func (f *Feature) block(_ context.Context, r *server.Request) ([]byte, error) {
	who, err := addresses(r)
	if err == nil && len(who) == 0 {
		err = stanza.Refuse(stanza.ErrBadRequest, "nobody to block")
	}
	if err != nil {
		return nil, err
	}
	return nil, f.lists.Edit(r, func(all *privacy.Lists) (privacy.Change, error) { return all.Block(who) },
		func() { f.push(r.Account.JID, "block", who) })
}

// unblock unblocks addresses, or all (§3.3, §3.4).
func (f *Feature) unblock(_ context.Context, r *server.Request) ([]byte, error) {
	who, err := addresses(r)
	if err != nil {
		return nil, err
	}
	return nil, f.lists.Edit(r, func(all *privacy.Lists) (privacy.Change, error) { return all.Unblock(who) },
		func() { f.push(r.Account.JID, "unblock", who) })
}

func addresses(r *server.Request) ([]string, error) {
	if r.Account.ID == 0 {
		return nil, stanza.ErrNotAllowed
	}
	return privacy.ParseAddresses(r.Payload)
}

// Mirror tells those who know only blocking what others have made of the default
// privacy list (§5, rules 2 and 4).
func (f *Feature) Mirror(a *server.Account, before, after *privacy.Lists) {
	was, is := before.Default().Blocked(), after.Default().Blocked()
	if gone := minus(was, is); len(gone) > 0 {
		f.push(a.JID, "unblock", gone)
	}
	if fresh := minus(is, was); len(fresh) > 0 {
		f.push(a.JID, "block", fresh)
	}
}

func minus(a, b []string) (left []string) {
	in := make(map[string]bool, len(b))
	for _, x := range b {
		in[x] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return in[x] })
}

// push tells the sessions that have asked for the blocklist.
func (f *Feature) push(owner jid.Bare, what string, who []string) {
	a := f.srv.Connected(owner)
	if a == nil {
		return
	}
	head := []byte("<iq type='set' id='block-")
	head = append(strconv.AppendUint(head, f.pushes.Add(1), 36), "' to='"...)
	tail := append(appendItems([]byte("'>"), what, who), "</iq>"...)
	for _, s := range a.Sessions() {
		if s.Has(f.interested) {
			s.Deliver(server.Delivery{Kind: stanza.IQ}, head, s.Full(), tail)
		}
	}
}

// appendItems appends an element with an item for each address.
func appendItems(b []byte, what string, who []string) []byte {
	b = append(append(append(b, '<'), what...), " xmlns='"+namespace+"'"...)
	if len(who) == 0 {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	for _, j := range who {
		b = append(stanza.AppendAttr(append(b, "<item"...), "jid", j), "/>"...)
	}
	return append(append(append(b, "</"...), what...), '>')
}
