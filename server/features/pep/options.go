package pep

import (
	"slices"
	"strconv"
	"strings"

	"rollcall/xmpp/form"
	"rollcall/xmpp/stanza"
)

// Access says who sees a node (XEP-0060 §4.5).
type Access string

// The access models.
const (
	Open      Access = "open"      // everybody
	Presence  Access = "presence"  // who sees the owner's presence
	Roster    Access = "roster"    // … and is in one of some groups of the owner's roster
	Whitelist Access = "whitelist" // who is a member
)

// SendLast says when somebody is told of the last item.
type SendLast string

// The moments.
const (
	SendNever      SendLast = "never"
	SendOnSub      SendLast = "on_sub"
	SendOnPresence SendLast = "on_sub_and_presence"
)

// Options are a node's configuration (XEP-0060 §16.4.4).
type Options struct {
	Title         string
	Type          string   // namespace of what is in it
	Access        Access   //
	Groups        []string // of the roster, for Roster
	Persist       bool
	MaxItems      int // 0 is as many as there can be: "max"
	SendLast      SendLast
	Notify        bool // tell of items: deliver_notifications
	Payloads      bool // … with what is in them
	NotifyDelete  bool
	NotifyRetract bool
}

// defaults are the options of a node that nobody has configured (XEP-0163 §5).
func defaults(node string) Options {
	o := Options{Access: Presence, Persist: true, MaxItems: 1, SendLast: SendOnPresence, Notify: true, Payloads: true, NotifyDelete: true, NotifyRetract: true}
	if private[node] {
		o.Access = Whitelist
	}
	return o
}

// private are nodes for their owner's eyes only, whatever a client forgets to say
// (XEP-0048 §4.1, XEP-0402 §4).
var private = map[string]bool{"storage:bookmarks": true, "urn:xmpp:bookmarks:1": true}

// Namespaces.
const (
	namespace = "http://jabber.org/protocol/pubsub"
	nsOwner   = namespace + "#owner"
	nsEvent   = namespace + "#event"
	nsErrors  = namespace + "#errors"

	typeConfig  = namespace + "#node_config"
	typeOptions = namespace + "#publish-options"
	typeMeta    = namespace + "#meta-data"
)

// What an owner can write into options, in bytes.
const (
	maxTitle  = 256
	maxType   = 512
	maxGroups = 64
	maxGroup  = 256
)

const prefix = "pubsub#"

// option is a field of a node's configuration.
type option struct {
	name  string
	kind  form.Kind
	label string
	list  []string
	get   func(*Options) []string
	set   func(o *Options, values []string, most int) bool
}

func text(v []string) string { return strings.Join(v, "\n") }

func flag(name, label string, at func(*Options) *bool) option {
	return option{
		name: name, kind: form.Boolean, label: label,
		get: func(o *Options) []string {
			if *at(o) {
				return []string{"1"}
			}
			return []string{"0"}
		},
		set: func(o *Options, v []string, _ int) bool {
			switch text(v) {
			case "1", "true":
				*at(o) = true
			case "0", "false":
				*at(o) = false
			default:
				return false
			}
			return true
		},
	}
}

func choice[T ~string](name, label string, at func(*Options) *T, all ...T) option {
	words := make([]string, len(all))
	for i, x := range all {
		words[i] = string(x)
	}
	return option{
		name: name, kind: form.ListSingle, label: label, list: words,
		get: func(o *Options) []string { return []string{string(*at(o))} },
		set: func(o *Options, v []string, _ int) bool {
			*at(o) = T(text(v))
			return slices.Contains(words, text(v))
		},
	}
}

func line(name, label string, most int, at func(*Options) *string) option {
	return option{
		name: name, kind: form.TextSingle, label: label,
		get: func(o *Options) []string {
			if *at(o) == "" {
				return nil
			}
			return []string{*at(o)}
		},
		set: func(o *Options, v []string, _ int) bool { *at(o) = text(v); return len(*at(o)) <= most },
	}
}

// options are all that can be configured.
var options = []option{
	line("title", "Title", maxTitle, func(o *Options) *string { return &o.Title }),
	line("type", "Namespace of the payload", maxType, func(o *Options) *string { return &o.Type }),
	choice("access_model", "Who may see it", func(o *Options) *Access { return &o.Access }, Open, Presence, Roster, Whitelist),
	{
		name: "roster_groups_allowed", kind: form.TextMulti, label: "Groups of the roster that may see it",
		get: func(o *Options) []string { return o.Groups },
		set: func(o *Options, v []string, _ int) bool {
			o.Groups = slices.Compact(slices.Sorted(slices.Values(v)))
			return len(o.Groups) <= maxGroups && !slices.ContainsFunc(o.Groups, func(g string) bool {
				return g == "" || len(g) > maxGroup || strings.Contains(g, "\n")
			})
		},
	},
	flag("persist_items", "Keep items", func(o *Options) *bool { return &o.Persist }),
	{
		name: "max_items", kind: form.TextSingle, label: "Items to keep",
		get: func(o *Options) []string {
			if o.MaxItems == 0 {
				return []string{"max"}
			}
			return []string{strconv.Itoa(o.MaxItems)}
		},
		set: func(o *Options, v []string, most int) bool {
			if text(v) == "max" { // XEP-0060 §5.4, config-node-max
				o.MaxItems = 0
				return true
			}
			n, err := strconv.Atoi(text(v))
			o.MaxItems = n
			return err == nil && n >= 1 && n <= most
		},
	},
	choice("send_last_published_item", "When to send the last item", func(o *Options) *SendLast { return &o.SendLast }, SendNever, SendOnSub, SendOnPresence),
	flag("deliver_notifications", "Tell of items", func(o *Options) *bool { return &o.Notify }),
	flag("deliver_payloads", "… with what is in them", func(o *Options) *bool { return &o.Payloads }),
	flag("notify_delete", "Tell when the node is deleted", func(o *Options) *bool { return &o.NotifyDelete }),
	flag("notify_retract", "Tell when items are retracted", func(o *Options) *bool { return &o.NotifyRetract }),
	fixed("node_type", "leaf"),
	fixed("publish_model", "publishers"),
	fixed("notify_config", "0"),
	fixed("notify_sub", "0"),
	fixed("presence_based_delivery", "0"),
	fixed("subscribe", "1"),
	fixed("purge_offline", "0"),
	fixed("item_expire", "max"),
	fixed("itemreply", "publisher"),
	fixed("notification_type", "headline"),
	fixed("max_payload_size", ""),
}

// fixed is an option that clients name and that has one value here. Another one is
// refused rather than forgotten. With an empty value every one is taken.
func fixed(name, value string) option {
	return option{name: name, set: func(_ *Options, v []string, _ int) bool {
		said := text(v)
		if said == "true" || said == "false" {
			said = map[string]string{"true": "1", "false": "0"}[said]
		}
		return value == "" || said == value
	}}
}

func find(name string) *option {
	for i := range options {
		if prefix+options[i].name == name {
			return &options[i]
		}
	}
	return nil
}

// form is the options as a form of a type.
func (o *Options) form(typ string) *form.Form {
	f := &form.Form{Type: typ}
	for i := range options {
		x := &options[i]
		if x.get == nil {
			continue
		}
		field := form.Field{Var: prefix + x.name, Kind: x.kind, Label: x.label, Values: x.get(o)}
		for _, v := range x.list {
			field.Options = append(field.Options, form.Option{Value: v})
		}
		f.Fields = append(f.Fields, field)
	}
	return f
}

// apply writes what somebody has filled in over the options; most is how many items
// there can be. What nobody knows is refused if strict, and passed over if not.
func (o *Options) apply(a *form.Answers, most int, strict bool) error {
	for _, field := range a.Fields {
		x := find(field.Var)
		switch {
		case x == nil && strict:
			return refuse(stanza.ErrConflict, "precondition-not-met", "nobody knows the option %s", field.Var)
		case x == nil:
		case field.Var == prefix+"access_model" && text(field.Values) == "authorize":
			return refuse(stanza.ErrNotAcceptable, "unsupported-access-model", "nobody can be asked to approve subscribers")
		case !x.set(o, field.Values, most):
			return stanza.Refuse(stanza.ErrNotAcceptable, "%s cannot be %q", field.Var, brief(text(field.Values)))
		}
	}
	return nil
}

// brief is the beginning of what somebody has written.
func brief(s string) string {
	if len(s) > 64 {
		s = strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}

// meets holds preconditions against the options (XEP-0060 §7.1.5).
func (o *Options) meets(a *form.Answers, most int) error {
	want := *o
	if err := want.apply(a, most, true); err != nil {
		return err
	}
	for i := range options {
		x := &options[i]
		if x.get != nil && a.Has(prefix+x.name) && !slices.Equal(x.get(o), x.get(&want)) {
			return refuse(stanza.ErrConflict, "precondition-not-met", "%s%s of the node is %q", prefix, x.name, brief(text(x.get(o))))
		}
	}
	return nil
}

// refuse returns a refusal with a condition of pubsub.
func refuse(base *stanza.Error, condition, format string, args ...any) *stanza.Error {
	e := stanza.Refuse(base, format, args...)
	e.Extra = []byte("<" + condition + " xmlns='" + nsErrors + "'/>")
	return e
}

// unsupported refuses what a pubsub service could do and this one does not.
func unsupported(feature string) *stanza.Error {
	e := *stanza.ErrNotImplemented
	e.Extra = []byte("<unsupported xmlns='" + nsErrors + "' feature='" + feature + "'/>")
	return &e
}

// Configured returns the options of a node that was configured elsewhere. What cannot be
// so here, or is not said, is as usual. Who sees it counts: if nobody here can be let in
// as it says, the node is for members, and the error says so.
func Configured(node string, a *form.Answers, c Config) (o Options, err error) {
	o = defaults(node)
	for _, field := range a.Fields {
		if text(field.Values) == "" {
			continue
		}
		now := o
		wrong := now.apply(&form.Answers{Fields: []form.Answer{field}}, c.WithDefaults().MaxItems, false)
		switch {
		case wrong == nil:
			o = now
		case field.Var == prefix+"access_model":
			o.Access, err = Whitelist, wrong
		case field.Var == prefix+"max_items":
			o.MaxItems = 0
		}
	}
	return o, err
}

// AppendForm appends the options as a form that was filled in.
func (o *Options) AppendForm(dst []byte) []byte { return o.form(typeConfig).AppendSubmit(dst) }
