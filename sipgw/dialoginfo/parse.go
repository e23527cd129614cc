package dialoginfo

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"rollcall/sipgw/markup"
)

// Namespace is that of the document.
const Namespace = "urn:ietf:params:xml:ns:dialog-info"

// ContentType is the media type of the document.
const ContentType = "application/dialog-info+xml"

// MaxDialogs is how many dialogs of a document are read. No phone has so many
// calls; whole switchboards are asked about one address at a time.
const MaxDialogs = 256

// ErrTooMany is for a document with more dialogs than that.
var ErrTooMany = errors.New("dialoginfo: too many dialogs")

// ErrNoState is for a document that is neither full nor partial.
var ErrNoState = errors.New("dialoginfo: neither full nor partial")

// Parse reads a document. Its strings are parts of one copy of doc.
func Parse(doc []byte) (*Document, error) {
	var r markup.Reader
	r.Reset(doc)
	if err := r.Root(Namespace, "dialog-info"); err != nil {
		return nil, err
	}
	d := &Document{Entity: r.Attr("entity"), Version: number(r.Attr("version"))}
	switch r.Attr("state") {
	case "full":
	case "partial":
		d.Partial = true
	default:
		return nil, ErrNoState
	}
	for r.Child(1) {
		if !r.Is(Namespace, "dialog") {
			continue
		}
		if len(d.Dialogs) == MaxDialogs {
			return nil, ErrTooMany
		}
		if d.Dialogs == nil {
			d.Dialogs = make([]Dialog, 0, 2)
		}
		d.Dialogs = append(d.Dialogs, Dialog{})
		parseDialog(&r, &d.Dialogs[len(d.Dialogs)-1])
	}
	if err := r.Finish(); err != nil {
		return nil, err
	}
	return d, nil
}

func number(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32)
	return uint32(n)
}

func parseDialog(r *markup.Reader, d *Dialog) {
	d.ID, d.CallID = r.Attr("id"), r.Attr("call-id")
	d.LocalTag, d.RemoteTag = r.Attr("local-tag"), r.Attr("remote-tag")
	switch r.Attr("direction") {
	case "initiator":
		d.Direction = Initiator
	case "recipient", "receiver": // RFC 4235 §6.2 says receiver, its schema recipient
		d.Direction = Recipient
	}
	d.Duration = -1
	in := r.Depth()
	for r.Child(in) {
		if r.Space() != Namespace {
			continue
		}
		switch r.Local() {
		case "state":
			parseState(r, d)
		case "duration":
			if n, err := strconv.ParseUint(r.Text(), 10, 31); err == nil {
				d.Duration = time.Duration(n) * time.Second
			}
		case "replaces":
			d.Replaces = Replaces{r.Attr("call-id"), r.Attr("local-tag"), r.Attr("remote-tag")}
		case "referred-by":
			d.Referred = r.Text()
		case "local":
			parseParty(r, &d.Local)
		case "remote":
			parseParty(r, &d.Remote)
		}
	}
}

func parseState(r *markup.Reader, d *Dialog) {
	if d.Event = r.Attr("event"); d.Event == "" {
		d.Event = r.Attr("reason") // RFC 4235 §6.2 says reason, its schema event
	}
	if n := number(r.Attr("code")); n >= 100 && n <= 699 {
		d.Code = int(n)
	}
	d.State = stateOf(r.Text())
}

func stateOf(s string) State {
	for i, name := range stateNames {
		if i > 0 && strings.EqualFold(s, name) {
			return State(i)
		}
	}
	return Unknown
}

func parseParty(r *markup.Reader, p *Party) {
	in := r.Depth()
	for r.Child(in) {
		switch r.Local() {
		case "identity":
			if p.Display = r.Attr("display"); p.Display == "" {
				p.Display = r.Attr("display-name")
			}
			p.Identity = r.Text()
		case "target":
			p.Target = r.Attr("uri")
			target := r.Depth()
			for r.Child(target) {
				parseParam(r, p)
			}
		case "param": // RFC 4235 §6.2 has it beside the target
			parseParam(r, p)
		}
	}
}

// parseParam reads a parameter of a target. COMPAT(FreeSWITCH, Jitsi, for good):
// they know the name without its plus, and the value as pvalue.
func parseParam(r *markup.Reader, p *Party) {
	if r.Local() != "param" {
		return
	}
	value := r.Attr("pval")
	if value == "" {
		value = r.Attr("pvalue")
	}
	switch strings.TrimPrefix(r.Attr("pname"), "+") {
	case "sip.rendering":
		switch strings.ToLower(value) {
		case "no":
			p.Rendering = RenderingNo
		case "yes":
			p.Rendering = RenderingYes
		}
	case "isfocus", "sip.isfocus":
		p.Focus = !strings.EqualFold(value, "false")
	case "x-line-id":
		p.Line = value
	}
}
