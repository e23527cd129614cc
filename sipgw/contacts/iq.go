package contacts

import (
	"crypto/sha1"
	"encoding/base64"
	"slices"

	"rollcall/presence/device"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Namespaces.
const (
	nsInfo    = "http://jabber.org/protocol/disco#info"
	nsItems   = "http://jabber.org/protocol/disco#items"
	nsCaps    = "http://jabber.org/protocol/caps"
	nsPing    = "urn:xmpp:ping"
	nsVersion = "jabber:iq:version"
	nsCard    = "vcard-temp"

	// What devices can do with text, in so far as they can read it at all.
	nsStates   = "http://jabber.org/protocol/chatstates" // XEP-0085
	nsReceipts = "urn:xmpp:receipts"                     // XEP-0184
)

// software is what the domain calls itself; node is what capabilities are named by.
const (
	software = "Rollcall"
	node     = "urn:x-rollcall:device"
)

// features of a device and of the domain, in the order that XEP-0115 §5.1 wants.
var (
	deviceFeatures = []string{nsStates, nsInfo, nsVersion, nsPing, nsReceipts, nsCard}
	domainFeatures = []string{nsInfo, nsItems, nsVersion, nsPing}
)

// iq answers requests. Whoever sees no such device is told what is told of anybody
// who is not there (RFC 6121 §8.5.1).
func (s *Service) iq(st *stanza.Stanza, from, to jid.JID) error {
	if st.IsType("result") || st.IsType("error") || len(st.Children) == 0 {
		return nil
	}
	payload, err := []byte(nil), error(stanza.ErrServiceUnavailable)
	if to.IsDomain() {
		payload, err = s.ofDomain(st, from.Bare())
	} else if d, _ := s.seen(from.Bare(), to.Bare()); d != nil && (to.IsBare() || to == d.Full()) {
		payload, err = s.ofDevice(st, d, to)
	}
	if err != nil {
		return err
	}
	b := stanza.AppendAttr([]byte("<iq type='result'"), "from", to.String())
	b = stanza.AppendAttr(b, "to", from.String())
	b = append(stanza.AppendAttr(b, "id", stanza.Text(st.ID)), '>')
	s.send(append(append(b, payload...), "</iq>"...))
	return nil
}

// asks reports what a request asks for; "" if it is not to be answered so.
func asks(st *stanza.Stanza) string {
	if !st.IsType("get") {
		return ""
	}
	return string(st.Children[0].Space)
}

// ofDomain answers what is asked of the domain itself.
func (s *Service) ofDomain(st *stanza.Stanza, who jid.Bare) ([]byte, error) {
	switch asks(st) {
	case nsInfo:
		if nodeOf(st) != "" {
			return nil, stanza.ErrItemNotFound
		}
		// XEP-0030: a gateway to telephones. SIMPLE is the registered name of SIP's presence.
		return info("", device.Identity{Category: "gateway", Type: "simple", Name: "Phones and intercoms"}, slices.Concat(domainFeatures, s.parts.Features)), nil
	case nsItems:
		return s.items(who), nil
	case nsPing:
		return nil, nil
	case nsVersion:
		return version(software, s.parts.Version), nil
	}
	return nil, stanza.ErrServiceUnavailable
}

// items lists the devices to operators. Others have them in their rosters, and are
// not told what else there is.
func (s *Service) items(who jid.Bare) []byte {
	b := []byte("<query xmlns='" + nsItems + "'>")
	if s.parts.Operator != nil && s.parts.Operator(who) {
		for d := range s.parts.Devices().All() {
			b = stanza.AppendAttr(append(b, "<item"...), "jid", string(d.JID))
			b = append(stanza.AppendAttr(b, "name", d.Name), "/>"...)
		}
	}
	return append(b, "</query>"...)
}

// ofDevice answers what is asked of a device.
func (s *Service) ofDevice(st *stanza.Stanza, d *device.Device, to jid.JID) ([]byte, error) {
	switch asks(st) {
	case nsInfo:
		n := nodeOf(st)
		if n != "" && (to.IsBare() || n != node+"#"+s.ver(d)) {
			return nil, stanza.ErrItemNotFound
		}
		return info(n, d.Identity(), s.can), nil
	case nsItems:
		b := []byte("<query xmlns='" + nsItems + "'>")
		if to.IsBare() {
			b = append(stanza.AppendAttr(append(b, "<item"...), "jid", d.Full().String()), "/>"...)
		}
		return append(b, "</query>"...), nil
	case nsCard:
		return d.VCard(), nil
	case nsPing:
		if e := s.parts.States.State(d.JID); to.IsFull() && (e == nil || e.Channels == 0) {
			return nil, stanza.ErrServiceUnavailable // there is no such resource now
		}
		return nil, nil
	case nsVersion:
		agent := ""
		if s.parts.Agent != nil {
			agent = s.parts.Agent(d)
		}
		if agent == "" {
			agent = d.Class.Label()
		}
		return version(agent, "unknown"), nil
	}
	return nil, stanza.ErrServiceUnavailable
}

// nodeOf returns the node that a request is about.
func nodeOf(st *stanza.Stanza) string {
	if p := st.Payload(); p != nil {
		return p.Attr("node")
	}
	return ""
}

// info writes what somebody is and can do (XEP-0030 §3).
func info(node string, i device.Identity, features []string) []byte {
	b := stanza.AppendAttr([]byte("<query xmlns='"+nsInfo+"'"), "node", node)
	b = stanza.AppendAttr(append(b, "><identity"...), "category", i.Category)
	b = stanza.AppendAttr(b, "type", i.Type)
	b = append(stanza.AppendAttr(b, "name", i.Name), "/>"...)
	for _, f := range features {
		b = append(stanza.AppendAttr(append(b, "<feature"...), "var", f), "/>"...)
	}
	return append(b, "</query>"...)
}

func version(name, number string) []byte {
	if number == "" {
		number = "unknown" // the element is required: XEP-0092 §2
	}
	b := stanza.AppendElement([]byte("<query xmlns='"+nsVersion+"'>"), "name", name)
	return append(stanza.AppendElement(b, "version", number), "</query>"...)
}

// ver sums up what a device is and can do (XEP-0115 §5.1).
func (s *Service) ver(d *device.Device) string {
	i := d.Identity()
	text := i.Category + "/" + i.Type + "//" + i.Name + "<"
	for _, f := range s.can {
		text += f + "<"
	}
	sum := sha1.Sum([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// appendCaps appends the name of that (XEP-0115 §4), so that clients need not ask each
// device.
func (s *Service) appendCaps(b []byte, d *device.Device) []byte {
	b = append(b, "<c xmlns='"+nsCaps+"' hash='sha-1' node='"+node+"'"...)
	return append(stanza.AppendAttr(b, "ver", s.ver(d)), "/>"...)
}
