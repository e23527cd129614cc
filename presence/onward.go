package presence

import "slices"

// Onward returns what the contributions to a device say of its owner: its calls, and
// whether it can be reached. The source is that of the phone, "phone/2001", and label
// is what people call it. Without news the owner's share in it is dropped, or becomes
// the reason why they are offline; it never becomes a state of unknown. A device that
// several people share says nothing of any of them: it is not to be asked for.
func (c *Catalogue) Onward(source, label string, cs []Contribution) (out []Contribution) {
	for _, said := range cs {
		if said.State != "" {
			s := c.known(Device, said.State)
			if s.Onward == "" {
				continue
			}
			// How well it answers does not make it another state of theirs, with another
			// beginning.
			if said.Axis == Health && slices.ContainsFunc(out, func(c Contribution) bool { return c.State == s.Onward }) {
				continue
			}
			said.State = s.Onward
		}
		said.Source = source
		said.Facets.Device = label
		if lapse := c.known(Device, said.Lapse); lapse != nil {
			said.Lapse = lapse.Onward
		}
		out = append(out, said)
	}
	return out
}
