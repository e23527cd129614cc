package reginfo

import (
	"strconv"
	"time"

	"rollcall/xmpp/stanza"
)

// Append appends the document.
func (d *Document) Append(dst []byte) []byte {
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<reginfo xmlns="`+Namespace+`" version="`...)
	dst = strconv.AppendUint(dst, uint64(d.Version), 10)
	if d.Partial {
		dst = append(dst, "\" state=\"partial\">\n"...)
	} else {
		dst = append(dst, "\" state=\"full\">\n"...)
	}
	for i := range d.Registrations {
		dst = d.Registrations[i].append(dst)
	}
	return append(dst, "</reginfo>\n"...)
}

func (r *Registration) append(dst []byte) []byte {
	dst = append(dst, "<registration"...)
	dst = appendAttr(dst, "aor", r.AOR)
	dst = appendAttr(dst, "id", r.ID)
	dst = appendAttr(dst, "state", r.State.String())
	if len(r.Contacts) == 0 {
		return append(dst, "/>\n"...)
	}
	dst = append(dst, '>')
	for i := range r.Contacts {
		dst = r.Contacts[i].append(dst)
	}
	return append(dst, "</registration>\n"...)
}

func (c *Contact) append(dst []byte) []byte {
	dst = append(dst, "<contact"...)
	dst = appendAttr(dst, "id", c.ID)
	dst = appendAttr(dst, "state", c.State.String())
	dst = appendAttr(dst, "event", c.Event.String())
	dst = appendSeconds(dst, "duration-registered", c.Duration)
	if c.Event == Shortened || c.State == Active {
		dst = appendSeconds(dst, "expires", c.Expires) // shortened MUST have it (RFC 3680 §5.3.2)
	}
	if c.Event == Probation {
		dst = appendSeconds(dst, "retry-after", c.RetryAfter)
	}
	if c.Q != "" {
		dst = appendAttr(dst, "q", c.Q)
	}
	if c.CallID != "" {
		dst = appendAttr(dst, "callid", c.CallID)
		dst = append(strconv.AppendUint(append(dst, ` cseq="`...), uint64(c.CSeq), 10), '"')
	}
	dst = append(stanza.AppendText(append(dst, "><uri>"...), c.URI), "</uri>"...)
	dst = stanza.AppendElement(dst, "display-name", c.Display)
	if c.Instance != "" {
		dst = append(dst, `<unknown-param name="+sip.instance">"&lt;`...)
		dst = append(stanza.AppendText(dst, c.Instance), `&gt;"</unknown-param>`...)
	}
	return append(dst, "</contact>"...)
}

func appendSeconds(dst []byte, name string, d time.Duration) []byte {
	if d < 0 {
		return dst
	}
	dst = append(append(append(dst, ' '), name...), `="`...)
	return append(strconv.AppendInt(dst, int64(d/time.Second), 10), '"')
}

// appendAttr appends an attribute in double quotes; these are required, so empty
// ones too.
func appendAttr(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, ' '), name...), `="`...)
	return append(stanza.AppendText(dst, value), '"')
}
