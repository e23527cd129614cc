package operator

import (
	"context"
	"slices"
	"strings"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/xmpp/jid"
)

func listDevices(ctx context.Context, d *Desk, v values) (Answer, error) {
	if err := d.devices.Load(ctx); err != nil {
		return Answer{}, err
	}
	owner, err := d.owner(ctx, v.one("owner"))
	if err != nil {
		return Answer{}, err
	}
	a, limit, last := Answer{Header: []string{"device", "name", "class", "site", "owner", "numbers", "registers", "state"}}, v.limit(), ""
	for x := range d.devices.Picture().After(v.one("after")) {
		switch {
		case v.one("class") != "" && string(x.Class) != v.one("class"),
			v.one("site") != "" && x.Site != v.one("site"),
			v.one("owner") != "" && x.Owner != owner:
			continue
		case len(a.Rows) == limit:
			a.Next = last
			return a, nil
		}
		last = x.ID
		a.Rows = append(a.Rows, []string{
			x.ID, x.Name, string(x.Class), x.Site, string(x.Owner), strings.Join(x.Numbers, ", "), registers(x), d.standing(x),
		})
	}
	return a, nil
}

// registers says where a device registers.
func registers(x *device.Device) string {
	if x.Here() {
		return "here"
	}
	return "at " + x.Upstream
}

// standing says in words what there is to know besides.
func (d *Desk) standing(x *device.Device) string {
	var words []string
	for word, is := range map[string]bool{"disabled": x.Disabled, "critical": x.Critical, "shared": x.Shared} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	switch {
	case !x.Here():
	case !x.Key.Set():
		words = append(words, "no secret")
	case x.Key.Realm != d.devices.Domain():
		words = append(words, "its secret is for "+x.Key.Realm)
	}
	if d.live == nil {
		return strings.Join(words, ", ")
	}
	if e := d.live.Engine.State(x.JID); e != nil {
		words = slices.Insert(words, 0, d.live.Engine.Catalogue().Show(e, presence.Full, presence.English, time.Now()).Text)
	}
	return strings.Join(words, ", ")
}

func showDevice(ctx context.Context, d *Desk, v values) (Answer, error) {
	x, err := d.device(ctx, v.one("device"))
	if err != nil {
		return Answer{}, err
	}
	of, err := d.groups.GroupsOf(ctx, x.JID)
	if err != nil {
		return Answer{}, err
	}
	var seers []string
	for _, name := range of[x.JID] {
		g, err := d.groups.Get(ctx, name)
		if err != nil {
			return Answer{}, grouped(err)
		}
		if seers = append(seers, g.VisibleTo...); g.Mutual {
			seers = append(seers, name)
		}
	}
	slices.Sort(seers)
	a := Answer{}
	fact := func(name, label string, values ...string) {
		values = slices.DeleteFunc(values, func(s string) bool { return s == "" })
		a.Facts = append(a.Facts, Fact{Name: name, Label: label, Values: values})
	}
	fact("device", "Device", x.ID)
	fact("address", "Address", x.Full().String())
	fact("name", "Name", x.Name)
	fact("class", "Class", x.Class.Label())
	fact("site", "Site", x.Site)
	fact("owner", "Owner", string(x.Owner))
	fact("numbers", "Numbers", x.Numbers...)
	fact("groups", "Groups", of[x.JID]...)
	fact("seen", "Seen by the groups", slices.Compact(seers)...)
	fact("registers", "Registers", registers(x))
	fact("user", "SIP user", x.User)
	fact("domain", "SIP domain", d.devices.Domain())
	fact("state", "State", d.standing(x))
	return a, nil
}

// exportDevices writes a page of the list.
func exportDevices(ctx context.Context, d *Desk, v values) (Answer, error) {
	if err := d.devices.Load(ctx); err != nil {
		return Answer{}, err
	}
	var page []*device.Device
	a := Answer{}
	for x := range d.devices.Picture().After(v.one("after")) {
		if len(page) == Page {
			a.Next = page[Page-1].ID
			break
		}
		page = append(page, x)
	}
	addresses := make([]jid.Bare, len(page))
	for i, x := range page {
		addresses[i] = x.JID
	}
	of, err := d.groups.GroupsOf(ctx, addresses...)
	if err != nil {
		return Answer{}, err
	}
	var b []byte
	for i, x := range page {
		if n := len(b); n > maxListedBytes {
			a.Next = page[i-1].ID
			break
		}
		b = append(device.AppendList(b, x, of[x.JID]), '\n')
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	a.Facts = []Fact{{Name: "devices", Label: "The list", Kind: List, Values: lines}}
	return a, nil
}
