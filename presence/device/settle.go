package device

import (
	"fmt"

	"rollcall/xmpp/stanza"
)

// settle makes devices canonical and looks whether they go together, with one
// another and with those there are. The caller holds mu.
func (r *Register) settle(list []Device) ([]*Device, error) {
	p := r.Picture()
	s := &settler{picture: p, realm: r.cfg.Domain, put: make(map[string]*Device, len(list)), users: map[string]*Device{}}
	out, added := make([]*Device, 0, len(list)), 0
	for i := range list {
		d := s.device(list[i])
		if out = append(out, d); p.ByID(d.ID) == nil {
			added++
		}
	}
	for _, d := range out {
		s.together(d)
	}
	switch total := p.Len() + added; {
	case len(s.faults) > 0:
		return nil, s.faults
	case added > 0 && total > r.cfg.MaxDevices:
		return nil, stanza.Refuse(stanza.ErrPolicyViolation, "there would be %d devices, and there are at most %d", total, r.cfg.MaxDevices)
	}
	return out, nil
}

// settler looks at one change.
type settler struct {
	picture *Picture
	realm   string
	put     map[string]*Device // those that are put, by ID
	users   map[string]*Device // and by SIP user
	faults  Faults
}

func (s *settler) wrong(d *Device, key, format string, args ...any) {
	s.faults = append(s.faults, Fault{ID: d.ID, Key: key, Text: fmt.Sprintf(format, args...)})
}

// device looks at one device, compared with what it was.
func (s *settler) device(d Device) *Device {
	if id, err := ID(d.ID); err == nil {
		d.ID = id
	}
	was := s.picture.ByID(d.ID)
	if was != nil && d.Key == was.Key && (d.User != "" && d.User != was.User || !d.Here()) {
		d.Key = Key{} // it is for another user, or for nothing
	}
	d, faults := canonical(d, s.realm)
	s.faults = append(s.faults, faults...)
	if d.Key.Set() && d.Key.Realm != s.realm && (was == nil || d.Key != was.Key) {
		s.wrong(&d, "realm", "the secret of %s is for the realm %q, and here it is %q; leave it out and make a new one", d.ID, shorten(d.Key.Realm), s.realm)
	}
	if s.put[d.ID] != nil {
		s.wrong(&d, "id", "%s is there twice", d.ID)
	}
	s.put[d.ID] = &d
	if other := s.users[d.User]; other != nil {
		s.wrong(&d, "user", "%s and %s would have the same SIP user %s", other.ID, d.ID, d.User)
	}
	s.users[d.User] = &d
	return &d
}

// current returns a device of the picture unless the change puts another in its
// place.
func (s *settler) current(d *Device) *Device {
	if d == nil || s.put[d.ID] != nil {
		return nil
	}
	return d
}

// together looks for what others have already. A SIP user is what calls are for:
// so it must not be the id, nor the number, of another device.
func (s *settler) together(d *Device) {
	if other := s.current(s.picture.ByUser(d.User)); other != nil {
		s.wrong(d, "user", "%s has the SIP user %s already", other.ID, d.User)
	}
	if other := s.byID(d.User); other != nil && other.ID != d.ID {
		s.wrong(d, "user", "the SIP user %s is the id of another device", d.User)
	}
	if other := s.byUser(d.ID); other != nil && other.ID != d.ID && other.User != other.ID {
		s.wrong(d, "id", "the id %s is the SIP user of %s", d.ID, other.ID)
	}
	for _, n := range d.Numbers {
		if other := s.byUser(n); other != nil && other.ID != d.ID {
			s.wrong(d, "numbers", "the number %s is the SIP user of %s", n, other.ID)
		}
	}
	for _, other := range s.picture.ByNumber(d.User) {
		if s.current(other) != nil {
			s.wrong(d, "user", "the SIP user %s is a number of %s", d.User, other.ID)
		}
	}
}

func (s *settler) byID(id string) *Device {
	if d := s.put[id]; d != nil {
		return d
	}
	return s.picture.ByID(id)
}

func (s *settler) byUser(user string) *Device {
	if d := s.users[user]; d != nil {
		return d
	}
	return s.current(s.picture.ByUser(user))
}
