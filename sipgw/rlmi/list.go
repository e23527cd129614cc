package rlmi

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"rollcall/sipgw/event"
	"rollcall/sipgw/markup"
	"rollcall/xmpp/stanza"
)

// Namespace is that of the root document.
const Namespace = "urn:ietf:params:xml:ns:rlmi"

// The media types of the root document and of the whole.
const (
	ContentType = "application/rlmi+xml"
	Multipart   = "multipart/related"
)

// MaxResources is how many resources of a list are read.
const MaxResources = 1024

// ErrTooMany is for a list with more resources or parts than that.
var ErrTooMany = errors.New("rlmi: too many resources or parts")

// List says what there is in a notification.
type List struct {
	URI       string // exactly the one that was subscribed to
	Version   uint32
	Full      bool // all resources are in it
	CID       string
	Name      string
	Resources []Resource
}

// Resource is one entry of a list. It has no instance if nothing is known of it yet,
// and more than one only where subscriptions fork.
type Resource struct {
	URI       string
	Name      string
	Instances []Instance
}

// Instance is the subscription behind an entry.
type Instance struct {
	ID     string
	State  event.Phase
	Reason event.Reason // of one that has ended
	CID    string       // of the part with the state; one that is active has it
}

// Append appends the root document.
func (l *List) Append(dst []byte) []byte {
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<list xmlns="`+Namespace+`"`...)
	dst = appendAttr(dst, "uri", l.URI)
	dst = strconv.AppendUint(append(dst, ` version="`...), uint64(l.Version), 10)
	dst = append(dst, `" fullState="`...)
	dst = append(strconv.AppendBool(dst, l.Full), '"')
	if l.CID != "" {
		dst = appendAttr(dst, "cid", l.CID)
	}
	dst = append(dst, ">\n"...)
	dst = stanza.AppendElement(dst, "name", l.Name)
	for i := range l.Resources {
		dst = l.Resources[i].append(dst)
	}
	return append(dst, "</list>\n"...)
}

func (r *Resource) append(dst []byte) []byte {
	dst = append(appendAttr(append(dst, "<resource"...), "uri", r.URI), '>')
	dst = stanza.AppendElement(dst, "name", r.Name)
	for i := range r.Instances {
		n := &r.Instances[i]
		dst = appendAttr(append(dst, "<instance"...), "id", n.ID)
		dst = appendAttr(dst, "state", n.State.String())
		if n.State == event.Terminated { // it MUST have a reason
			dst = appendAttr(dst, "reason", n.Reason.String())
		}
		if n.CID != "" {
			dst = appendAttr(dst, "cid", n.CID)
		}
		dst = append(dst, "/>"...)
	}
	return append(dst, "</resource>\n"...)
}

func appendAttr(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, ' '), name...), `="`...)
	return append(stanza.AppendText(dst, value), '"')
}

// ParseList reads a root document. Its strings are parts of one copy of doc.
func ParseList(doc []byte) (*List, error) {
	var r markup.Reader
	r.Reset(doc)
	if err := r.Root(Namespace, "list"); err != nil {
		return nil, err
	}
	version, _ := strconv.ParseUint(r.Attr("version"), 10, 32)
	full := r.Attr("fullState")
	l := &List{URI: r.Attr("uri"), Version: uint32(version), Full: full == "true" || full == "1", CID: cid(r.Attr("cid"))}
	for r.Child(1) {
		switch {
		case r.Is(Namespace, "name"):
			l.Name = r.Text()
		case r.Is(Namespace, "resource"):
			if len(l.Resources) == MaxResources {
				return nil, ErrTooMany
			}
			l.Resources = append(l.Resources, Resource{})
			if !parseResource(&r, &l.Resources[len(l.Resources)-1]) {
				return nil, ErrTooMany
			}
		}
	}
	if err := r.Finish(); err != nil {
		return nil, err
	}
	return l, nil
}

func parseResource(r *markup.Reader, res *Resource) bool {
	const maxInstances = 16
	res.URI = r.Attr("uri")
	for r.Child(2) {
		switch {
		case r.Is(Namespace, "name"):
			if s := r.Text(); res.Name == "" {
				res.Name = s
			}
		case r.Is(Namespace, "instance"):
			if len(res.Instances) == maxInstances {
				return false
			}
			header := r.Attr("state")
			if reason := r.Attr("reason"); reason != "" {
				header += ";reason=" + reason
			}
			st, err := event.ParseState(header)
			if err != nil {
				st, _ = event.ParseState(r.Attr("state")) // a reason that is none
			}
			res.Instances = append(res.Instances, Instance{
				ID: r.Attr("id"), State: st.Phase, Reason: st.Reason, CID: cid(r.Attr("cid")),
			})
		}
	}
	return true
}

// cid returns a Content-ID without what some put around it.
func cid(s string) string {
	s = strings.TrimPrefix(strings.TrimSpace(s), "cid:")
	return strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
}

// Table is what the lists of one subscription come to (RFC 4662 §5.6). The zero
// value has heard nothing.
type Table struct {
	versions  event.Versions
	resources []string
}

// Outcome is what came of a notification.
type Outcome struct {
	Ignored bool     // it was older than what is known
	Refresh bool     // notifications are missing: ask for a full one (SUBSCRIBE)
	Gone    []string // resources that are no more on the list
}

// Resources returns the addresses on the list. They are good until the next Apply.
func (t *Table) Resources() []string { return t.resources }

// Apply takes a root document. What its parts say goes to the table of each
// resource. Nothing of the document's memory is kept.
func (t *Table) Apply(l *List) Outcome {
	var out Outcome
	if out.Ignored, out.Refresh = t.versions.Next(l.Version, !l.Full); out.Ignored {
		return out
	}
	before := t.resources
	if l.Full {
		t.resources = nil
	}
	for i := range l.Resources {
		uri := l.Resources[i].URI
		if len(t.resources) < MaxResources && !slices.Contains(t.resources, uri) {
			t.resources = append(t.resources, strings.Clone(uri))
		}
	}
	if l.Full {
		for _, uri := range before {
			if !slices.Contains(t.resources, uri) {
				out.Gone = append(out.Gone, uri)
			}
		}
	}
	return out
}
