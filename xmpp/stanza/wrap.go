package stanza

import "time"

// Namespaces of the wrappers.
const (
	NSDelay   = "urn:xmpp:delay"
	NSForward = "urn:xmpp:forward:0"
	nsDate    = "2006-01-02T15:04:05.000000Z"
)

// AppendTime appends t in the profile of XEP-0082, UTC with microseconds.
func AppendTime(dst []byte, t time.Time) []byte { return t.UTC().AppendFormat(dst, nsDate) }

// AppendDelay appends <delay/> (XEP-0203); from is the escaped address of who
// delayed the stanza.
func AppendDelay(dst []byte, from string, stamp time.Time) []byte {
	dst = append(dst, "<delay xmlns='"+NSDelay+"'"...)
	dst = appendQuoted(dst, " from='", from)
	dst = append(dst, " stamp='"...)
	return append(AppendTime(dst, stamp), "'/>"...)
}

// AppendForwarded appends <forwarded/> (XEP-0297) around a whole stanza in the
// namespace of clients; delay is a <delay/> element or nil.
func AppendForwarded(dst, delay, raw []byte) []byte {
	dst = append(append(dst, "<forwarded xmlns='"+NSForward+"'>"...), delay...)
	return append(AppendQualified(dst, raw), "</forwarded>"...)
}

// AppendQualified appends a stanza that stands in the default namespace of its
// stream with that namespace declared, so that it can stand anywhere.
func AppendQualified(dst, raw []byte) []byte {
	n := 1 + len(rawName(raw))
	for i := 1; i < n; i++ {
		if raw[i] == ':' {
			return append(dst, raw...)
		}
	}
	dst = append(append(dst, raw[:n]...), " xmlns='"+NSClient+"'"...)
	return append(dst, raw[n:]...)
}
