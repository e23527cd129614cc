package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// CheckPassword implements sasl.Passwords: it is asked about a password that no
// key here matches. Whether an operator disabled the account is not its business. What it does looks the same for everybody who must not come
// in, and for nobody at all: a search in the directory and a bind that fails.
func (d *Directory) CheckPassword(ctx context.Context, who jid.Bare, password string) error {
	if who.Domain() != d.cfg.Domain || password == "" {
		return refused("there is nothing to ask the directory")
	}
	a, known, err := d.Store.Account(ctx, who)
	if err != nil {
		return fmt.Errorf("%w: looking up an account: %w", sasl.ErrTemporary, err)
	}
	if known && !a.Theirs {
		// The password is not for the directory to see, nor is it an attempt at the
		// entry of that name.
		if err := d.Source.Feign(ctx, who.Local()); err != nil {
			return d.cannotTell(ctx, err)
		}
		d.answered(ctx, nil)
		return refused("wrong name or password")
	}
	usable := known && a.Gone.IsZero()
	if usable && d.memory.right(who, password, time.Now()) {
		return nil
	}
	era := d.memory.now()
	p, err := d.Source.Check(ctx, who.Local(), password)
	switch {
	case errors.Is(err, ErrWrong):
		d.answered(ctx, nil)
		return refused("wrong name or password")
	case err != nil:
		return d.cannotTell(ctx, err)
	}
	d.answered(ctx, nil)
	if !usable {
		if err := d.comeIn(ctx, a, known, p); err != nil {
			return err
		}
	}
	d.memory.put(era, who, password, time.Now())
	return nil
}

// comeIn lets somebody in who proved to be in the directory and has no account
// that may be used: one that the directory has not been read for yet is made, one
// of somebody who came back is theirs again.
func (d *Directory) comeIn(ctx context.Context, a Account, known bool, p Person) error {
	c := Changes{Create: []Person{p}}
	switch {
	case known && another(a.Person, p):
		return refused("the account was somebody else's of that name")
	case known:
		c = Changes{Update: []Person{p}}
	}
	if err := d.Store.Save(ctx, d.cfg.Domain, &c, time.Now()); err != nil {
		return fmt.Errorf("%w: making an account: %w", sasl.ErrTemporary, err)
	}
	who := jid.Bare(p.Local + "@" + d.cfg.Domain)
	if !known {
		d.Server.Added(ctx, who)
	}
	d.Log.Info("somebody came in from the directory before it was read", "jid", who)
	d.Kick() // for the groups
	return nil
}

// cannotTell is for when the directory does not say. A wrong password must not be
// told from a right one then.
func (d *Directory) cannotTell(ctx context.Context, err error) error {
	d.answered(ctx, err)
	return fmt.Errorf("%w: %w", sasl.ErrAway, err)
}

// refused is a login that is refused, with the reason for the log.
func refused(why string) error { return fmt.Errorf("%w: %s", sasl.ErrNotAuthorized, why) }
