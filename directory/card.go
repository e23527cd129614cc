package directory

import "rollcall/xmpp/stanza"

// VCard makes a vCard of what the directory tells about somebody, to be shown as
// long as they have none of their own (XEP-0054). It has the fields that clients
// show, in the order of XEP-0054's DTD.
func (p Person) VCard() []byte {
	b := stanza.AppendElement([]byte("<vCard xmlns='vcard-temp'>"), "FN", p.DisplayName())
	if p.Given+p.Family != "" {
		b = stanza.AppendElement(append(b, "<N>"...), "FAMILY", p.Family)
		b = append(stanza.AppendElement(b, "GIVEN", p.Given), "</N>"...)
	}
	if p.Phone != "" {
		b = stanza.AppendElement(append(b, "<TEL><WORK/><VOICE/>"...), "NUMBER", p.Phone)
		b = append(b, "</TEL>"...)
	}
	if p.Mail != "" {
		b = stanza.AppendElement(append(b, "<EMAIL><WORK/><INTERNET/>"...), "USERID", p.Mail)
		b = append(b, "</EMAIL>"...)
	}
	b = stanza.AppendElement(b, "TITLE", p.Title)
	if p.Org+p.Unit != "" {
		b = stanza.AppendElement(append(b, "<ORG>"...), "ORGNAME", p.Org)
		b = append(stanza.AppendElement(b, "ORGUNIT", p.Unit), "</ORG>"...)
	}
	return append(b, "</vCard>"...)
}
