package world

import (
	"net/netip"

	"rollcall/internal/transcript"
	"rollcall/presence/device"
	"rollcall/sipgw/digest"
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
	if w.parts.Devices.Picture().ByUser(user) != nil {
		return nil
	}
	_, err := w.parts.Devices.Add(w.ctx, w.phone(user, password))
	return err
}

// phone is a new device. The password of conversations is shorter than operators may
// choose one.
func (w *World) phone(user, password string) device.Device {
	realm := w.parts.Devices.Domain()
	h := digest.HA1(user, realm, password)
	return device.Device{
		ID: user, Name: user, Class: device.Phone, User: user,
		Key: device.Key{Realm: realm, MD5: h.MD5, SHA256: h.SHA256},
	}
}

// ChangeDevice implements transcript.Devices.
func (w *World) ChangeDevice(c transcript.DeviceChange) error {
	if c.Gone {
		return w.parts.Devices.Remove(w.ctx, c.ID)
	}
	_, err := w.parts.Devices.Change(w.ctx, func(p *device.Picture) ([]device.Device, error) {
		d := w.phone(c.ID, transcript.Password)
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
