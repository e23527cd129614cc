// Package winfo writes application/watcherinfo+xml (RFC 3858): who watches somebody, and
// who would like to (RFC 3857).
package winfo

import (
	"hash/fnv"
	"strconv"

	"rollcall/xmpp/stanza"
)

// ContentType is the media type of the document.
const ContentType = "application/watcherinfo+xml"

// Namespace is that of the document.
const Namespace = "urn:ietf:params:xml:ns:watcherinfo"

// Watcher is somebody who watches.
type Watcher struct {
	URI     string
	Name    string // for people; "" is not known
	Pending bool   // they wait to be let
}

// Document tells all watchers of a resource in an event package.
type Document struct {
	Resource string // a URI
	Package  string // "presence"
	Watchers []Watcher
}

// Append appends the document, a full one with version 0 (RFC 3858 §4).
func (d *Document) Append(dst []byte) []byte {
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<watcherinfo xmlns="`+Namespace+`" version="0" state="full">`+"\n"+`<watcher-list`...)
	dst = appendAttr(dst, "resource", d.Resource)
	dst = append(appendAttr(dst, "package", d.Package), ">\n"...)
	for i := range d.Watchers {
		dst = d.Watchers[i].append(dst)
	}
	return append(dst, "</watcher-list>\n</watcherinfo>\n"...)
}

func (w *Watcher) append(dst []byte) []byte {
	status, event := "active", "approved"
	if w.Pending {
		status, event = "pending", "subscribe"
	}
	h := fnv.New64a() // the same watcher has the same id in each document (§3.2)
	h.Write([]byte(w.URI))
	dst = appendAttr(append(dst, "<watcher"...), "status", status)
	dst = appendAttr(dst, "event", event)
	dst = appendAttr(dst, "id", "w"+strconv.FormatUint(h.Sum64(), 16))
	if w.Name != "" {
		dst = appendAttr(dst, "display-name", w.Name)
	}
	return append(stanza.AppendText(append(dst, '>'), w.URI), "</watcher>\n"...)
}

func appendAttr(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, ' '), name...), `="`...)
	return append(stanza.AppendText(dst, value), '"')
}
