package pep

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"rollcall/server"
	"rollcall/xmpp/form"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// What somebody can name, in bytes.
const (
	MaxName = 512 // of a node
	MaxID   = 512 // of an item
)

// maxAsked bounds items, affiliations or subscriptions in one request.
const maxAsked = 256

// command is a request, as it was parsed.
type command struct {
	verb      string // name of the element that says what to do
	owner     bool   // it is of those that only an owner uses
	node      string // "" if none is named
	item      Item   // publish
	ids       []string
	silent    bool          // retract: do not tell
	loud      bool          // retract: tell, whatever the node says
	options   *form.Answers // publish: preconditions; create, configure: what to set; nil: none
	form      bool          // there was a form
	most      int           // items: at most so many of the last; 0: all
	page      *page         // items: as XEP-0059 pages them
	jid       jid.JID       // subscribe, unsubscribe
	all       []Affiliation // affiliations
	subscribe []subscription
}

// subscription is what an owner says of somebody's.
type subscription struct {
	jid  jid.JID
	kind string
}

// verbs are the elements that say what to do, and whether they are of a set.
var verbs = map[string]map[string]bool{
	namespace: {
		"create": true, "publish": true, "retract": true, "subscribe": true, "unsubscribe": true,
		"items": false, "subscriptions": false, "affiliations": false, "options": false, "default": false,
	},
	nsOwner: {"configure": true, "delete": true, "purge": true, "affiliations": true, "subscriptions": true, "default": false},
}

// ownGets are those of an owner that can be read as well.
var ownGets = map[string]bool{"configure": true, "affiliations": true, "subscriptions": true}

// parse reads a request. The errors are refusals.
func parse(r *server.Request) (*command, error) {
	st, err := inside(r.Stanza, 0)
	if err != nil {
		return nil, err
	}
	space := r.Payload.Space
	c := &command{owner: space == nsOwner}
	main := -1
	all := r.Payload.Elements()
	if len(all) != len(st.Children) {
		return nil, stanza.ErrBadRequest
	}
	for i, e := range all {
		set, known := verbs[space][e.Local]
		if !known || e.Space != space {
			continue
		}
		if main >= 0 || set != r.Set && !(c.owner && ownGets[e.Local] && !r.Set) {
			return nil, stanza.ErrBadRequest
		}
		main, c.verb = i, e.Local
	}
	if main < 0 {
		return nil, stanza.Refuse(stanza.ErrBadRequest, "the request does not say what to do")
	}
	if err := c.named(all[main]); err != nil {
		return nil, err
	}
	if err := c.beside(r.Payload); err != nil {
		return nil, err
	}
	return c, c.details(all[main], func() (*stanza.Stanza, error) { return inside(st, main) })
}

// inside returns a child of an element as one that stands alone.
func inside(st *stanza.Stanza, child int) (*stanza.Stanza, error) {
	in, err := server.Whole(st.AppendChild(nil, &st.Children[child]))
	if err != nil {
		return nil, stanza.ErrBadRequest
	}
	return in, nil
}

// named reads which node it is about.
func (c *command) named(e *stanza.Element) error {
	c.node = e.Attr("node")
	switch {
	case len(c.node) > MaxName || !utf8.ValidString(c.node):
		return stanza.Refuse(stanza.ErrNotAcceptable, "the name of a node has at most %d bytes", MaxName)
	case c.node != "":
		return nil
	}
	switch c.verb {
	case "default", "subscriptions", "affiliations":
		return nil
	case "create":
		return refuse(stanza.ErrNotAcceptable, "nodeid-required", "a node has a name")
	}
	return refuse(stanza.ErrBadRequest, "nodeid-required", "the request names no node")
}

// beside reads what goes with the element that says what to do.
func (c *command) beside(payload *stanza.Element) (err error) {
	switch {
	case c.verb == "publish":
		err = c.answers(payload.Child(namespace, "publish-options"), typeOptions)
	case c.verb == "create":
		err = c.answers(payload.Child(namespace, "configure"), typeConfig)
	case c.verb == "items":
		c.page, err = parsePage(payload)
	}
	return err
}

// answers reads a form within an element, which may be nil.
func (c *command) answers(in *stanza.Element, typ string) error {
	if in == nil {
		return nil
	}
	x := form.Of(in)
	if x == nil {
		return nil
	}
	a, err := form.Parse(x)
	if err != nil {
		return err
	}
	if a.Type != typ && a.Type != "" {
		return stanza.Refuse(stanza.ErrBadRequest, "that is another form")
	}
	c.options, c.form = a, true
	return nil
}

// details reads what is in the element that says what to do.
func (c *command) details(e *stanza.Element, whole func() (*stanza.Stanza, error)) (err error) {
	switch c.verb {
	case "publish":
		st, err := whole()
		if err != nil {
			return err
		}
		return c.published(e, st)
	case "configure":
		return c.answers(e, typeConfig)
	case "retract":
		// XEP-0060 §7.2.2.1: told if that is asked for. The node may say so for all.
		c.silent = e.Attr("notify") == "false" || e.Attr("notify") == "0"
		c.loud = e.Attr("notify") == "true" || e.Attr("notify") == "1"
		if err := c.items(e); err != nil {
			return err
		}
		if len(c.ids) == 0 {
			return refuse(stanza.ErrBadRequest, "item-required", "the request names no item")
		}
	case "items":
		if m := e.Attr("max_items"); m != "" {
			if c.most, err = strconv.Atoi(m); err != nil || c.most < 1 {
				return stanza.Refuse(stanza.ErrBadRequest, "max_items is a number from 1 on")
			}
		}
		return c.items(e)
	case "subscribe", "unsubscribe":
		if c.jid, err = jid.Parse(e.Attr("jid")); err != nil {
			return refuse(stanza.ErrBadRequest, "invalid-jid", "that is no address")
		}
	case "affiliations":
		return c.affiliations(e)
	case "subscriptions":
		return c.subscriptions(e)
	}
	return nil
}

// items reads ids of items.
func (c *command) items(e *stanza.Element) error {
	for _, it := range e.Elements() {
		if !it.Is(namespace, "item") {
			continue
		}
		id := it.Attr("id")
		if id == "" {
			return refuse(stanza.ErrBadRequest, "item-required", "the request names no item")
		}
		if len(id) > MaxID || len(c.ids) == maxAsked {
			return stanza.Refuse(stanza.ErrNotAcceptable, "at most %d items of at most %d bytes are named at a time", maxAsked, MaxID)
		}
		if !slices.Contains(c.ids, id) { // each is read once, however often it is named
			c.ids = append(c.ids, id)
		}
	}
	return nil
}

// published reads the item that is to be published.
func (c *command) published(e *stanza.Element, st *stanza.Stanza) error {
	at := -1
	all := e.Elements()
	for i, it := range all {
		if !it.Is(namespace, "item") || i >= len(st.Children) {
			return refuse(stanza.ErrBadRequest, "invalid-payload", "only items are published")
		}
		if at >= 0 {
			return refuse(stanza.ErrNotAllowed, "max-items-exceeded", "one item at a time")
		}
		at = i
	}
	if at < 0 {
		return refuse(stanza.ErrBadRequest, "item-required", "there is nothing to publish")
	}
	if c.item.ID = all[at].Attr("id"); len(c.item.ID) > MaxID {
		return stanza.Refuse(stanza.ErrNotAcceptable, "the id of an item has at most %d bytes", MaxID)
	}
	in, err := inside(st, at)
	switch {
	case err != nil:
		return err
	case len(in.Children) == 0:
		return refuse(stanza.ErrBadRequest, "payload-required", "there is nothing in the item")
	case len(in.Children) > 1:
		return refuse(stanza.ErrBadRequest, "invalid-payload", "one element is in an item")
	}
	c.item.Payload = in.AppendChild(nil, &in.Children[0])
	return nil
}

// affiliations reads what an owner says that others are.
func (c *command) affiliations(e *stanza.Element) error {
	if !c.owner {
		return nil
	}
	for _, x := range e.Elements() {
		j, err := jid.Parse(x.Attr("jid"))
		if err != nil || !x.Is(nsOwner, "affiliation") {
			return stanza.Refuse(stanza.ErrBadRequest, "that is no affiliation")
		}
		kind := Standing(x.Attr("affiliation"))
		switch kind {
		case Member, Outcast:
		case "none":
			kind = ""
		default:
			return stanza.Refuse(stanza.ErrNotAcceptable, "others can be member, outcast or none")
		}
		if c.all = append(c.all, Affiliation{j.Bare(), kind}); len(c.all) > maxAsked {
			return stanza.Refuse(stanza.ErrNotAcceptable, "at most %d at a time", maxAsked)
		}
	}
	return nil
}

// subscriptions reads what an owner says of others' subscriptions.
func (c *command) subscriptions(e *stanza.Element) error {
	if !c.owner {
		return nil
	}
	for _, x := range e.Elements() {
		j, err := jid.Parse(x.Attr("jid"))
		kind := x.Attr("subscription")
		if err != nil || !x.Is(nsOwner, "subscription") || kind != "none" && kind != "subscribed" {
			return stanza.Refuse(stanza.ErrNotAcceptable, "a subscription is none or subscribed")
		}
		if c.subscribe = append(c.subscribe, subscription{j, kind}); len(c.subscribe) > maxAsked {
			return stanza.Refuse(stanza.ErrNotAcceptable, "at most %d at a time", maxAsked)
		}
	}
	return nil
}
