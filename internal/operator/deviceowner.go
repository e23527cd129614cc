package operator

import (
	"cmp"
	"context"
	"fmt"

	"rollcall/presence/device"
	"rollcall/xmpp/jid"
)

// newKey gives a device the key of a secret, which is made up if there is none. It
// returns one that was made up.
func (d *Desk) newKey(x *device.Device, secret string) (made string, err error) {
	if !x.Here() {
		return "", wrong("%s registers at %s, and has no secret here", x.ID, x.Upstream)
	}
	if secret == "" {
		made = device.NewSecret()
	}
	x.Key, err = device.NewKey(cmp.Or(x.User, x.ID), d.devices.Domain(), cmp.Or(secret, made))
	return made, err
}

// credentials tell once what a device is to be told.
func (d *Desk) credentials(x *device.Device, secret string) []Fact {
	if secret == "" {
		return nil
	}
	return []Fact{
		{Name: "user", Label: "SIP user", Values: []string{x.User}},
		{Name: "domain", Label: "SIP domain", Values: []string{d.devices.Domain()}},
		{Name: "secret", Label: "Secret", Values: []string{secret}},
	}
}

func setSecret(ctx context.Context, d *Desk, v values) (Answer, error) {
	known, err := d.device(ctx, v.one("device"))
	if err != nil {
		return Answer{}, err
	}
	var secret string
	kept, err := d.devices.Set(ctx, known.ID, func(x *device.Device) (err error) {
		secret, err = d.newKey(x, v.one("secret"))
		return err
	})
	if err != nil {
		return Answer{}, deviced(err)
	}
	return Answer{Note: "changed the secret of " + kept.ID, Facts: d.credentials(kept, secret)}, nil
}

func assignDevice(ctx context.Context, d *Desk, v values) (Answer, error) {
	known, err := d.device(ctx, v.one("device"))
	if err != nil {
		return Answer{}, err
	}
	owner, err := d.owner(ctx, v.one("owner"))
	if err == nil && owner == "" {
		err = wrong("%q is not the address of an account", v.one("owner"))
	}
	if err != nil {
		return Answer{}, err
	}
	return d.giveTo(ctx, known.ID, owner)
}

func unassignDevice(ctx context.Context, d *Desk, v values) (Answer, error) {
	known, err := d.device(ctx, v.one("device"))
	if err != nil {
		return Answer{}, err
	}
	return d.giveTo(ctx, known.ID, "")
}

// giveTo assigns a device to somebody, or to nobody.
func (d *Desk) giveTo(ctx context.Context, id string, owner jid.Bare) (Answer, error) {
	var was jid.Bare
	_, err := d.devices.Set(ctx, id, func(x *device.Device) error {
		was, x.Owner = x.Owner, owner
		return nil
	})
	switch {
	case err != nil:
		return Answer{}, deviced(err)
	case owner != "":
		return Answer{Note: fmt.Sprintf("%s is %s's", id, owner)}, nil
	case was == "":
		return Answer{Note: id + " was nobody's"}, nil
	}
	return Answer{Note: fmt.Sprintf("%s is not %s's any more", id, was)}, nil
}
