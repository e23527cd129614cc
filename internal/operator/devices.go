package operator

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"rollcall/config"
	"rollcall/presence/device"
	"rollcall/roster"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// NewDevices returns the register of the devices that a database has.
func NewDevices(db *storage.DB, cfg *config.Config) *device.Register {
	c := cfg.Devices
	c.Domain = cfg.DeviceDomain()
	return device.NewRegister(db.Devices(), c)
}

// nothing is what stands for no value where leaving it out says that it stays.
const nothing = "-"

var (
	deviceField = Field{Name: "device", Label: "The id of the device: what stands before the @ of its address", Kind: Text, Required: true, About: true}
	secretField = Field{Name: "secret", Label: "Its secret; without one it is made up and shown once", Kind: Secret}
	ownerField  = Field{Name: "owner", Label: "Whose it is: an account (- is nobody's)", Kind: Text}
	groupsField = Field{Name: "group", Label: "The shared groups to put it into, a name in each line", Kind: Words}
	watchField  = Field{Name: "visible_to", Label: "The group whose members see those of these groups", Kind: Text}
)

// classField lets a class be chosen.
func classField(preset string) Field {
	f := Field{Name: "class", Label: "What it is", Kind: Choice, Preset: preset}
	for _, c := range device.Classes() {
		f.Options = append(f.Options, Option{string(c), c.Label()})
	}
	return f
}

// aboutDevice are the fields that say what a device is.
func aboutDevice(preset string) []Field {
	return []Field{
		{Name: "name", Label: "Its name, as people see it", Kind: Text},
		classField(preset),
		{Name: "site", Label: "Where it is (- is nowhere in particular)", Kind: Text},
		{Name: "critical", Label: "It stays in sight when it is lost", Kind: Yes},
		{Name: "shared", Label: "It is nobody's in particular: its calls say nothing about its owner", Kind: Yes},
		{Name: "disabled", Label: "It may not register", Kind: Yes},
		{Name: "upstream", Label: "The PBX that it registers at (- is here)", Kind: Text},
		{Name: "user", Label: "Its SIP user, if that is not its id (-)", Kind: Text},
		{Name: "numbers", Label: "The numbers that it is called by, one in each line (- is none)", Kind: Words},
		ownerField, secretField, groupsField, watchField,
	}
}

// deviceOperations are those on devices.
var deviceOperations = []Operation{
	{
		Name: "device.add", Title: "Add a device", Node: ownNode + "device-add",
		Fields: append([]Field{deviceField}, aboutDevice(string(device.Phone))...), run: addDevice,
	},
	{
		Name: "device.set", Title: "Change a device", Node: ownNode + "device-set",
		Hint: "What is left empty stays as it is.",
		Fields: append(append([]Field{deviceField}, aboutDevice("")...),
			Field{Name: "leave", Label: "The shared groups to take it out of, a name in each line", Kind: Words}),
		run: setDevice,
	},
	{
		Name: "device.remove", Title: "Remove devices", Node: ownNode + "device-remove",
		Hint:   "They are taken out of all shared groups, and cannot register any more.",
		Fields: []Field{{Name: "device", Label: "Their ids, one in each line", Kind: Words, Required: true, About: true}}, run: removeDevices,
	},
	{
		Name: "device.list", Title: "List the devices", Node: ownNode + "device-list", Reads: true,
		Fields: []Field{
			classField(""), {Name: "site", Label: "Only those at this place", Kind: Text},
			{Name: "owner", Label: "Only those of this account (- is nobody's)", Kind: Text},
			howMany, {Name: "after", Label: "The id before the first one", Kind: Text},
		},
		run: listDevices,
	},
	{
		Name: "device.show", Title: "See what there is to know about a device", Node: ownNode + "device-show", Reads: true,
		Fields: []Field{deviceField}, run: showDevice,
	},
	{
		Name: "device.secret", Title: "Give a device a new secret", Node: ownNode + "device-secret",
		Fields: []Field{deviceField, secretField}, run: setSecret,
	},
	{
		Name: "device.assign", Title: "Assign a device to a person", Node: ownNode + "device-assign",
		Fields: []Field{deviceField, {Name: "owner", Label: "Whose it is: an account", Kind: Text, Required: true}}, run: assignDevice,
	},
	{
		Name: "device.unassign", Title: "Take a device from the person that it is assigned to", Node: ownNode + "device-unassign",
		Fields: []Field{deviceField}, run: unassignDevice,
	},
	{
		Name: "device.export", Title: "See the devices as a list that can be imported", Node: ownNode + "device-export", // nothing is changed, but who has it can register as any device: so it is noted
		Hint:   "It has what secrets are checked against, so keep it to yourself.",
		Fields: []Field{{Name: "after", Label: "The id before the first one", Kind: Text}}, run: exportDevices,
	},
	{
		Name: "device.import", Title: "Add and change devices by a list", Node: ownNode + "device-import",
		Hint: "What the list leaves out stays as it is.",
		Fields: []Field{
			{Name: "devices", Label: "The list, in TOML", Kind: List, Required: true},
			{Name: "dry_run", Label: "Only say what would come of it", Kind: Yes},
		},
		run: importDevices,
	},
}

// deviced puts an error about a device into words.
func deviced(err error) error { return refused(err, NoDevice, DeviceExists) }

// deviceID reads an id, or the address that has it.
func (d *Desk) deviceID(s string) (string, error) {
	if id, whole := strings.CutSuffix(s, "@"+d.devices.Domain()); whole {
		s = id
	}
	id, err := device.ID(s)
	return id, deviced(err)
}

// device finds a device by its id.
func (d *Desk) device(ctx context.Context, s string) (*device.Device, error) {
	id, err := d.deviceID(s)
	if err != nil {
		return nil, err
	}
	if err := d.devices.Load(ctx); err != nil {
		return nil, err
	}
	x := d.devices.Picture().ByID(id)
	if x == nil {
		return nil, noDevice(id)
	}
	return x, nil
}

func noDevice(id string) error {
	return &Error{Reason: NoDevice, Text: fmt.Sprintf("there is no device %s", id)}
}

// owner finds the account that is meant by an address, or by what is before the @
// of one at the first domain with accounts. It is nobody's for nothing.
func (d *Desk) owner(ctx context.Context, s string) (jid.Bare, error) {
	if s == "" || s == nothing {
		return "", nil
	}
	for _, x := range d.domains {
		if !x.Anonymous && !strings.Contains(s, "@") {
			s += "@" + x.Name
		}
	}
	who, err := jid.Parse(s)
	if err != nil || who.Local() == "" {
		return "", wrong("%q is not the address of an account", s)
	}
	found, err := d.accounts.Exists(ctx, who.Bare())
	if err == nil && !found {
		err = explain(who.Bare(), storage.ErrNoAccount)
	}
	return who.Bare(), err
}

// describe makes a device what the values say. What they leave out stays.
func (v values) describe(x *device.Device) {
	text := func(field string, to *string) {
		if s := v.one(field); s != "" {
			if *to = s; s == nothing {
				*to = ""
			}
		}
	}
	yes := func(field string, to *bool) {
		if is := v.flag(field); is != nil {
			*to = *is
		}
	}
	text("name", &x.Name)
	text("site", &x.Site)
	text("upstream", &x.Upstream)
	text("user", &x.User)
	yes("critical", &x.Critical)
	yes("shared", &x.Shared)
	yes("disabled", &x.Disabled)
	if c := v.one("class"); c != "" {
		x.Class = device.Class(c)
	}
	switch all := v["numbers"]; {
	case len(all) == 1 && all[0] == nothing:
		x.Numbers = nil
	case len(all) > 0:
		x.Numbers = all
	}
}

func addDevice(ctx context.Context, d *Desk, v values) (Answer, error) {
	id, err := d.deviceID(v.one("device"))
	if err != nil {
		return Answer{}, err
	}
	x := device.Device{ID: id}
	v.describe(&x)
	if x.Owner, err = d.owner(ctx, v.one("owner")); err != nil {
		return Answer{}, err
	}
	var secret string
	if x.Here() || v.one("secret") != "" {
		if secret, err = d.newKey(&x, v.one("secret")); err != nil {
			return Answer{}, deviced(err)
		}
	}
	where := d.places(v)
	if err := where.try(ctx, roster.Member{JID: jid.Bare(id + "@" + d.devices.Domain()), Name: cmp.Or(x.Name, id)}); err != nil {
		return Answer{}, err
	}
	kept, err := d.devices.Add(ctx, x)
	if err != nil {
		return Answer{}, deviced(err)
	}
	a := Answer{Note: "added the device " + id + ", which is " + string(kept.JID), Facts: d.credentials(kept, secret)}
	return a, where.put(ctx, kept, &a)
}

func setDevice(ctx context.Context, d *Desk, v values) (Answer, error) {
	known, err := d.device(ctx, v.one("device"))
	if err != nil {
		return Answer{}, err
	}
	where := d.places(v)
	if err := where.try(ctx, roster.Member{JID: known.JID, Name: cmp.Or(v.one("name"), known.Name)}); err != nil {
		return Answer{}, err
	}
	owner, err := d.owner(ctx, v.one("owner"))
	if err != nil {
		return Answer{}, err
	}
	var secret string
	kept, err := d.devices.Set(ctx, known.ID, func(x *device.Device) (err error) {
		was := *x
		if v.describe(x); v.one("owner") != "" {
			x.Owner = owner
		}
		// A secret is good for one SIP user, and for those that register here.
		if v.one("secret") != "" || x.Here() && (cmp.Or(x.User, x.ID) != was.User || !was.Here()) {
			secret, err = d.newKey(x, v.one("secret"))
		}
		return err
	})
	if err != nil {
		return Answer{}, deviced(err)
	}
	a := Answer{Note: "changed the device " + kept.ID, Facts: d.credentials(kept, secret)}
	return a, where.put(ctx, kept, &a)
}

func removeDevices(ctx context.Context, d *Desk, v values) (Answer, error) {
	var ids []string
	var gone []roster.Placement
	for _, s := range v["device"] {
		x, err := d.device(ctx, s)
		if err != nil {
			return Answer{}, err
		}
		ids = append(ids, x.ID)
		gone = append(gone, roster.Placement{Member: roster.Member{JID: x.JID, Name: x.Name}, Only: true})
	}
	// First out of the groups: if that is all that comes of it, it can be done again.
	if _, err := d.groups.Place(ctx, gone...); err != nil {
		return Answer{}, grouped(err)
	}
	if err := d.devices.Remove(ctx, ids...); err != nil {
		return Answer{}, deviced(err)
	}
	if len(ids) == 1 {
		return Answer{Note: "removed the device " + ids[0]}, nil
	}
	return Answer{Note: "removed " + strconv.Itoa(len(ids)) + " devices"}, nil
}
