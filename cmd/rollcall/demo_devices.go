package main

import (
	"context"
	"crypto/hmac"
	"errors"

	"rollcall/internal/operator"
	"rollcall/presence/device"
	"rollcall/xmpp/jid"
)

// Groups of the demonstration: its devices, and everybody, who sees them.
const (
	demoDevicesGroup = "demo-devices"
	demoViewers      = "demo-everybody"
)

// demoDevices are the devices of the demonstration.
var demoDevices = []device.Device{
	{ID: "201", Name: "Alice's desk phone", Class: device.Phone, Owner: "alice"},
	{ID: "door", Name: "Front door", Class: device.Intercom, Site: "Entrance"},
}

// demoDevice is one of them.
type demoDevice struct {
	jid    jid.Bare
	name   string
	secret string // "" if it was changed
}

// addDevices makes the devices of the demonstration, for everybody to see, unless
// they are there. The secrets are those of the file, and go there.
func (d *demo) addDevices(ctx context.Context) ([]demoDevice, error) {
	known, err := d.read()
	if err != nil {
		return nil, err
	}
	var all, fresh []demoDevice
	for _, x := range demoDevices {
		is := demoDevice{jid: jid.Bare(x.ID + "@" + d.devices.Domain()), name: x.Name}
		is.secret = known[is.jid]
		if there := d.devices.Picture().ByID(x.ID); there == nil {
			is.secret = generatePassword()
			fresh = append(fresh, is)
		} else if !opens(there, is.secret) {
			is.secret = ""
		}
		all = append(all, is)
	}
	if err := d.write(d.people, all); err != nil { // first, as for accounts
		return nil, err
	}
	if len(fresh) > 0 {
		if err := d.addViewers(ctx); err != nil {
			return nil, err
		}
	}
	for _, x := range fresh {
		if err := d.enter(ctx, x); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// opens reports whether a secret is that of a device.
func opens(x *device.Device, secret string) bool {
	k, err := device.NewKey(x.User, x.Key.Realm, secret)
	return err == nil && hmac.Equal([]byte(k.MD5), []byte(x.Key.MD5))
}

// theDemo is who makes what the demonstration needs.
var theDemo = operator.Actor{Name: "the demonstration"}

// addViewers makes the group of those who see the devices, unless it is there.
func (d *demo) addViewers(ctx context.Context) error {
	o := operator.NewOrder("group.add", "group", demoViewers, "title", "Everybody", "everybody", "true", "mutual", "false")
	_, err := d.desk.Do(ctx, theDemo, o)
	if refusal := (*operator.Error)(nil); errors.As(err, &refusal) && refusal.Reason == operator.GroupExists {
		return nil
	}
	return err
}

// enter makes one device.
func (d *demo) enter(ctx context.Context, x demoDevice) error {
	for _, y := range demoDevices {
		if y.ID != x.jid.Local() {
			continue
		}
		o := operator.NewOrder("device.add", "device", y.ID, "name", y.Name, "class", string(y.Class), "secret", x.secret,
			"group", demoDevicesGroup, "visible_to", demoViewers)
		if y.Owner != "" {
			o.Values["owner"] = []string{string(y.Owner) + "@" + d.domain}
		}
		if y.Site != "" {
			o.Values["site"] = []string{y.Site}
		}
		if _, err := d.desk.Do(ctx, theDemo, o); err != nil {
			return err
		}
	}
	title := operator.NewOrder("group.set", "group", demoDevicesGroup, "title", "Devices")
	_, err := d.desk.Do(ctx, theDemo, title)
	return err
}
