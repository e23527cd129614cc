package floodgate

import (
	"errors"
	"hash/maphash"
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
)

// view is what a session knows of whom it writes to. It belongs to the goroutine
// that reads the stream.
type view struct {
	rules  *rules // that exempt is by
	exempt bool
	self   uint64 // the account's address, hashed
	domain string // that it is at
	pin    *roster.Pin
	ledger *ledger // nil before the first stranger

	// The last one that was written to.
	to       jid.Bare
	seen     *roster.Roster // that standing is by
	standing standing
	peer     uint64        // to, hashed
	open     bool          // to gets whatever comes
	met      time.Duration // until then it is known that to was written to lately
}

// standing is what somebody is to an account.
type standing uint8

const (
	near     standing = iota // those who are elsewhere
	contact                  // at least one of the two has let the other come near
	stranger                 // neither has
)

// view returns the session's, which is made when it is first needed.
func (f *Feature) view(s *server.Session, r *rules) *view {
	v, ok := s.Get(f.slot).(*view)
	if !ok {
		v = &view{self: f.hash(s.Account.JID), domain: s.Account.JID.Domain()}
		s.Put(f.slot, v)
	}
	if v.rules != r {
		_, v.exempt = r.exempt[s.Account.JID]
		v.rules, v.to = r, ""
	}
	return v
}

// look finds out what somebody else is to the session's account. Mostly it is the
// one before.
func (f *Feature) look(v *view, s *server.Session, to jid.Bare) {
	var now *roster.Roster
	if v.pin != nil {
		now = v.pin.Roster()
	}
	if to == v.to && now == v.seen {
		return
	}
	v.to, v.standing, v.met = to, near, 0
	if v.pin == nil && s.Account.ID != 0 {
		if !f.open(v, s) {
			v.to = "" // to be asked again
			return
		}
		now = v.pin.Roster()
	}
	v.seen = now
	if now != nil && known(now.State(to)) {
		v.standing = contact
	} else if f.here(v, to.Domain()) {
		v.standing, v.peer, v.open = stranger, f.hash(to), v.rules.exempt[to]
	}
}

// here reports whether a domain is one of this server's.
func (f *Feature) here(v *view, domain string) bool {
	if domain == v.domain {
		return true
	}
	_, ok := f.srv.Domain(domain)
	return ok || f.srv.Annex(domain) != nil
}

// open takes hold of the account's roster. Where that fails nobody is held back
// for it.
func (f *Feature) open(v *view, s *server.Session) bool {
	pin, err := f.rosters.Pin(f.srv.Context(), s.Account.JID)
	if err != nil {
		if !errors.Is(err, roster.ErrNoAccount) { // it was removed just now
			f.srv.Log().Error("nobody knows who is a stranger", "jid", s.JID, "err", err)
		}
		return false
	}
	v.pin = pin
	return true
}

// known reports whether a subscription says that the contact has done something
// for it: has let the owner see its presence, or asked to see the owner's.
func known(s roster.State) bool { return s&(roster.To|roster.From|roster.PendingIn) != 0 }

func (f *Feature) hash(j jid.Bare) uint64 { return maphash.String(f.seed, string(j)) }

// ledgerKey is by whom a session is counted. A guest gets another address with
// each login, so guests are counted by where they come from.
func ledgerKey(s *server.Session) string {
	if s.Account.ID != 0 {
		return string(s.Account.JID)
	}
	if a := s.Info().Peer.Addr; a.IsValid() {
		return "guests of " + s.Account.JID.Domain() + " at " + server.Network(a).String()
	}
	return string(s.Account.JID)
}

// metFor is how long a session does not ask again whether the one it writes to
// was written to before.
const metFor = time.Minute

// spend takes what a stanza costs of what the account has left, or says which
// limit is in the way and for how long.
func (f *Feature) spend(v *view, r *rules, what limit, now time.Duration) (over limit, wait time.Duration) {
	c := cost{what: what, peer: v.peer}
	if what == messages || what == subscriptions {
		c.note = now >= v.met && (r.pace[addresses].Limits() || r.crowd != nil)
		c.fresh = c.note && !v.ledger.met(v.peer, now)
		if r.crowd != nil && !v.open {
			c.crowd = r.crowd
		}
		if c.fresh || c.crowd != nil {
			// Whoever was written to may answer.
			if other := f.ledgers.peek(string(v.to)); other != nil && other.met(v.self, now) {
				c.fresh, c.crowd = false, nil
			}
		}
		c.fresh = c.fresh && r.pace[addresses].Limits()
	}
	over, wait = v.ledger.spend(r, c, now)
	if wait == 0 && c.note {
		v.met = now + metFor
	}
	return over, wait
}
