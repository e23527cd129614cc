package ldap

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	lib "github.com/go-ldap/ldap/v3"

	"rollcall/directory"
)

// Check implements directory.Source.
func (c *Client) Check(ctx context.Context, local, password string) (directory.Person, error) {
	// RFC 4513 §5.1.2: a bind with a name and an empty password succeeds for
	// everybody, since it proves nothing.
	if local == "" || password == "" {
		return directory.Person{}, directory.ErrWrong
	}
	var p directory.Person
	err := c.attempt(ctx, func(ctx context.Context, s *slot) error {
		dn, found, err := c.find(ctx, s, local)
		if err != nil {
			return err
		}
		if dn == "" {
			return c.feign(ctx, s)
		}
		p = found
		return c.prove(ctx, s, dn, password)
	})
	if err != nil {
		return directory.Person{}, err
	}
	return p, nil
}

// Feign implements directory.Source.
func (c *Client) Feign(ctx context.Context, local string) error {
	err := c.attempt(ctx, func(ctx context.Context, s *slot) error {
		if _, _, err := c.find(ctx, s, local); err != nil {
			return err
		}
		return c.feign(ctx, s)
	})
	if errors.Is(err, directory.ErrWrong) {
		return nil
	}
	return err
}

// attempt calls f with a slot, for as long as a login may take.
func (c *Client) attempt(ctx context.Context, f func(context.Context, *slot) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	s, err := c.take(ctx)
	if err != nil {
		return err
	}
	defer func() { c.slots <- s }()
	return f(ctx, s)
}

// alike is how many entries a directory may find for one name. Directories have
// their own ideas of which names are the same: they may look away from accents,
// say. Ours is that of addresses.
const alike = 10

// find returns the one entry of a localpart, and "" if there is none, or if there
// are several: then it is nobody's.
func (c *Client) find(ctx context.Context, s *slot, local string) (dn string, p directory.Person, err error) {
	filter := strings.ReplaceAll(c.cfg.UserFilter, NamePlaceholder, lib.EscapeFilter(local))
	var entries []*lib.Entry
	err = c.with(ctx, &s.search, c.searcher, func(conn *conn) error {
		result, err := conn.Search(request(c.cfg.BaseDN, filter, c.userAttributes(), alike))
		if code, _ := answer(err); code == lib.LDAPResultSizeLimitExceeded {
			entries = nil // who knows what else there is
			return nil
		}
		if err == nil {
			entries = result.Entries
		}
		return err
	})
	if err != nil {
		return "", p, fmt.Errorf("%w: %w", ErrSearch, err)
	}
	for _, e := range entries {
		found, ok := c.person(e)
		switch {
		case !ok || found.Local != local:
		case dn != "":
			return "", directory.Person{}, nil
		default:
			dn, p = e.DN, found
		}
	}
	return dn, p, nil
}

// prove binds as an entry. Whatever the directory says of the entry itself is a
// no; what it says of the server that asks, or of itself, is none.
func (c *Client) prove(ctx context.Context, s *slot, dn, password string) error {
	err := c.with(ctx, &s.bind, c.connect, func(conn *conn) error { return conn.Bind(dn, password) })
	if err == nil {
		return nil
	}
	code, answered := answer(err)
	if !answered {
		return err
	}
	switch code {
	case lib.LDAPResultInvalidCredentials,
		lib.LDAPResultInsufficientAccessRights,    // it is no entry to bind as
		lib.LDAPResultInappropriateAuthentication, // it has no password
		lib.LDAPResultNoSuchObject,                // it is gone since it was found
		lib.LDAPResultUnwillingToPerform,          // some directories say so of one that is disabled
		lib.LDAPResultConstraintViolation:         // and so of one that is locked
		return directory.ErrWrong
	}
	return fmt.Errorf("a bind that could not be decided: %w", err)
}

// feign binds as nobody, as prove does as somebody, and takes the answer for a no.
func (c *Client) feign(ctx context.Context, s *slot) error {
	nobody := "cn=" + lib.EscapeDN(rand.Text()) + "," + c.cfg.BaseDN
	err := c.with(ctx, &s.bind, c.connect, func(conn *conn) error { return conn.Bind(nobody, rand.Text()) })
	if _, answered := answer(err); err == nil || answered {
		return directory.ErrWrong
	}
	return err
}
