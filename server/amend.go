package server

import "rollcall/xmpp/stanza"

// Without takes those children out of the stanza for which drop says so, as
// this account and those after it see it. It is for the Amend phase, and for
// what is rare: the stanza is put together and scanned anew.
func (p *Packet) Without(drop func(*stanza.Stanza, *stanza.Child) bool) error {
	// Whole first, so that what is left does not depend on the stream's header.
	raw := p.whole()
	st, err := parse(raw)
	if err != nil {
		return err
	}
	left := make([]byte, 0, len(raw))
	at := uint32(0)
	for i := range st.Children {
		if c := &st.Children[i]; drop(st, c) {
			left = append(left, raw[at:c.At.Lo]...)
			at = c.At.Hi
		}
	}
	if st, err = parse(append(left, raw[at:]...)); err != nil {
		return err
	}
	p.Stanza = st
	return nil
}

// Replace puts another stanza in the place of this one, as this account and
// those after it see it: bytes that were put together from this one's by
// Stanza.Append. It is for the Amend phase.
func (p *Packet) Replace(raw []byte) error {
	st, err := parse(raw)
	if err != nil {
		return err
	}
	p.Stanza = st
	return nil
}

// whole returns the stanza's bytes with its addresses, such that they depend on
// no stream's header. What is addressed to nobody stays so.
func (p *Packet) whole() []byte {
	to := p.toAttr
	if p.Stanza.To == nil {
		to = ""
	}
	return p.Stanza.Append(nil, p.fromAttr(), to)
}

// Whole returns a stanza, or what else is one element, that was put together
// here from what was scanned before.
func Whole(raw []byte) (*stanza.Stanza, error) { return parse(raw) }

// Class says whether an inactive client may be spared the message for a while
// (XEP-0352 §5).
func (p *Packet) Class() Class { return messageClass(p.Stanza) }
