package privacy

import (
	"context"
	"errors"

	"rollcall/roster"
	"rollcall/roster/privacy"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

var (
	errOneList = stanza.Refuse(stanza.ErrBadRequest, "one list at a time")
	errOneAct  = stanza.Refuse(stanza.ErrBadRequest, "a request has one list, or one active, or one default")
	errInUse   = stanza.Refuse(stanza.ErrConflict, "another client uses that list")
)

// get answers with the names of all lists, or with one list (XEP-0016 §2.3).
func (f *Feature) get(_ context.Context, r *server.Request) ([]byte, error) {
	name, one := "", false
	for _, e := range r.Payload.Elements() {
		if one || !e.Is(privacy.Namespace, "list") {
			return nil, errOneList
		}
		if name, one = e.LookupAttr("name"); !one {
			return nil, stanza.Refuse(stanza.ErrBadRequest, "the list has no name")
		}
	}
	if r.Account.ID == 0 {
		return appendNames(nil, new(privacy.Lists), ""), nil
	}
	var answer []byte
	err := f.Read(r.Account.JID, func(all *privacy.Lists) {
		if !one {
			current := ""
			if r.Session != nil {
				current = active(r.Session)
			}
			answer = appendNames(nil, all, current)
			return
		}
		if list := all.Get(name); list != nil {
			answer = append(list.Append([]byte("<query xmlns='"+privacy.Namespace+"'>")), "</query>"...)
		}
	})
	if err == nil && answer == nil {
		err = stanza.ErrItemNotFound
	}
	return answer, err
}

// appendNames appends the names of all lists, the active and the default one
// first.
func appendNames(b []byte, all *privacy.Lists, active string) []byte {
	b = append(b, "<query xmlns='"+privacy.Namespace+"'>"...)
	element := func(tag, name string) {
		b = append(stanza.AppendAttr(append(append(b, '<'), tag...), "name", name), "/>"...)
	}
	if active != "" {
		element("active", active)
	}
	if list := all.Default(); list != nil {
		element("default", list.Name())
	}
	for _, list := range all.All() {
		element("list", list.Name())
	}
	return append(b, "</query>"...)
}

// set changes a list, or says which one is active or the default.
func (f *Feature) set(_ context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 || r.Session == nil {
		return nil, stanza.ErrNotAllowed
	}
	all := r.Payload.Elements()
	if len(all) != 1 || all[0].Space != privacy.Namespace {
		return nil, errOneAct // XEP-0016 §2.1
	}
	e := all[0]
	name, named := e.LookupAttr("name")
	switch e.Local {
	case "active":
		return nil, f.activate(r, name, named)
	case "default":
		return nil, f.Edit(r, func(l *privacy.Lists) (privacy.Change, error) { return makeDefault(r, l, name, named) }, nil)
	case "list":
		list, err := f.book.Limits().Parse(e)
		if err != nil {
			return nil, err
		}
		if len(list.Items()) == 0 {
			return nil, f.Edit(r, func(l *privacy.Lists) (privacy.Change, error) { return remove(r, l, name) }, nil)
		}
		return nil, f.store(r, list)
	}
	return nil, errOneAct
}

// activate makes a list the session's active one, or none (XEP-0016 §2.4).
func (f *Feature) activate(r *server.Request, name string, named bool) error {
	found := false
	err := f.Read(r.Account.JID, func(all *privacy.Lists) {
		var list *privacy.List
		if named {
			list = all.Get(name)
		}
		if found = list != nil || !named; !found {
			return
		}
		known := func() *roster.Roster { return f.roster(r.Account.JID) }
		f.presence.Follow(r.Session.Account, nil, func() {
			r.Session.SetFilter(under(list, known, r.Session.OwnFilter()))
			r.Reply(nil)
		})
		f.edited(r.Account.JID)
	})
	if err == nil && !found {
		err = stanza.ErrItemNotFound
	}
	return err
}

// makeDefault makes a list the default one, or none (XEP-0016 §2.5).
func makeDefault(r *server.Request, all *privacy.Lists, name string, named bool) (privacy.Change, error) {
	c, err := all.DeclineDefault()
	if named {
		c, err = all.MakeDefault(name)
	}
	if list := all.Default(); err == nil && list != nil && list.Name() != name && inUse(r.Session.Account, list.Name(), r.Session) {
		err = errInUse
	}
	return c, err
}

// remove removes a list (XEP-0016 §2.8).
func remove(r *server.Request, all *privacy.Lists, name string) (privacy.Change, error) {
	c, err := all.Remove(name)
	if err == nil && inUse(r.Session.Account, name, r.Session) {
		err = errInUse
	}
	return c, err
}

// store makes a list or replaces it (XEP-0016 §2.6, §2.7).
func (f *Feature) store(r *server.Request, list *privacy.List) error {
	contacts, err := f.rosters.Of(f.srv.Context(), r.Account.JID)
	if err != nil {
		return refusal(err)
	}
	return f.Edit(r, func(all *privacy.Lists) (privacy.Change, error) {
		if err := list.CheckGroups(contacts, all.Get(list.Name())); err != nil {
			return privacy.Change{}, err
		}
		return all.Put(list)
	}, nil)
}

// Read calls then with an account's lists while no change is under way.
func (f *Feature) Read(owner jid.Bare, then func(*privacy.Lists)) error {
	return refusal(f.book.Read(f.srv.Context(), owner, then))
}

// Edit changes the lists of who has sent a request, and answers it: first the new
// lists are in force, then comes the result, and then all that follows. word, if
// not nil, is called in place of those of OnChanged.
func (f *Feature) Edit(r *server.Request, decide func(*privacy.Lists) (privacy.Change, error), word func()) error {
	return refusal(f.book.Change(f.srv.Context(), r.Account.JID, decide, func(before, after *privacy.Lists) {
		defer f.edited(r.Account.JID) // when all is in force
		a := f.srv.Connected(r.Account.JID)
		if a == nil { // the client has gone, and nobody else is there
			return
		}
		f.presence.Follow(a, nil, func() {
			f.put(a, after)
			r.Reply(nil)
			f.push(a, privacy.Changed(before, after))
			if word != nil {
				word()
				return
			}
			for _, m := range f.mirrors {
				m(a, before, after)
			}
		})
	}))
}

// refusal tells a session whose account was removed this very moment that there
// are no lists.
func refusal(err error) error {
	if errors.Is(err, roster.ErrNoAccount) {
		return stanza.ErrItemNotFound
	}
	return err
}
