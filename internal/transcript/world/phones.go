package world

import (
	"context"
	"net/netip"

	"rollcall/internal/transcript"
	"rollcall/presence/device"
	"rollcall/sipgw"
	"rollcall/sipgw/digest"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
)

// SIP implements transcript.Switchboard.
func (w *World) SIP() (*siptest.Network, netip.AddrPort) {
	return &w.sip, w.parts.Gateway.Transport.Addrs(transport.UDP)[0]
}

// AddDevice implements transcript.Switchboard: a phone, unless there is one of that
// name already.
func (w *World) AddDevice(user, password string) error {
	return addDevice(w.ctx, w.parts.Devices, user, password)
}

func addDevice(ctx context.Context, all *device.Register, user, password string) error {
	if all.Picture().ByUser(user) != nil {
		return nil
	}
	_, err := all.Add(ctx, phone(all, user, password))
	return err
}

// AddPhones makes many devices at once, by their users.
func (w *World) AddPhones(users []string, password string) error {
	_, err := w.parts.Devices.Change(w.ctx, func(*device.Picture) ([]device.Device, error) {
		all := make([]device.Device, len(users))
		for i, user := range users {
			all[i] = phone(w.parts.Devices, user, password)
		}
		return all, nil
	})
	return err
}

// Gateway returns what lets phones in.
func (w *World) Gateway() *sipgw.Gateway { return w.parts.Gateway }

// Bindings returns the registrations that are stored.
func (w *World) Bindings() ([]*registrar.Binding, error) {
	return w.db.SIPBindings().LoadBindings(w.ctx)
}

// phone is a new device. The password of conversations is shorter than operators may
// choose one.
func phone(all *device.Register, user, password string) device.Device {
	realm := all.Domain()
	h := digest.HA1(user, realm, password)
	return device.Device{
		ID: user, Name: user, Class: device.Phone, User: user,
		Key: device.Key{Realm: realm, MD5: h.MD5, SHA256: h.SHA256},
	}
}

// ChangeDevice implements transcript.Devices.
func (w *World) ChangeDevice(c transcript.DeviceChange) error {
	return changeDevice(w.ctx, w.parts.Devices, c)
}

func changeDevice(ctx context.Context, all *device.Register, c transcript.DeviceChange) error {
	if c.Gone {
		return all.Remove(ctx, c.ID)
	}
	_, err := all.Change(ctx, func(p *device.Picture) ([]device.Device, error) {
		d := phone(all, c.ID, transcript.Password)
		if old := p.ByID(c.ID); old != nil {
			d = *old
		}
		if c.Name != "" {
			d.Name = c.Name
		}
		if c.Class != "" {
			d.Class = device.Class(c.Class)
		}
		if c.PBX != "" {
			d.Upstream, d.Key = c.PBX, device.Key{}
		}
		switch c.Owner {
		case "":
		case "nobody":
			d.Owner = ""
		default:
			d.Owner = bare(c.Owner)
		}
		for _, words := range []struct {
			list []string
			to   bool
		}{{c.Set, true}, {c.Cancel, false}} {
			for _, word := range words.list {
				*map[string]*bool{"critical": &d.Critical, "shared": &d.Shared, "disabled": &d.Disabled}[word] = words.to
			}
		}
		return []device.Device{d}, nil
	})
	return err
}
