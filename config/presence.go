package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"rollcall/presence"
	"rollcall/xmpp/jid"
)

// zone is the name of a time zone.
var zone = text(`"Europe/Berlin"`, func(s string) (string, string, string) {
	if _, err := presence.LoadZone(s); err != nil || s == "" {
		return "", "not a time zone that this machine knows", `write "local", "UTC" or a name such as "Europe/Berlin"`
	}
	return s, "", ""
})

// language is a tag of a language.
var language = text(`"de"`, func(s string) (string, string, string) {
	if !presence.IsLanguage(s) {
		return "", "not a language", `write a tag such as "de" or "pt-br"`
	}
	return s, "", ""
})

// stateKinds are the kinds of subjects that have states of their own.
var stateKinds = []presence.Kind{presence.Person, presence.Device, presence.Team}

// states are tables of states, by kind and name. What they leave out is as it is
// built in.
var states = kind[[]presence.State]{
	read: func(v any) (list []presence.State, faults []fault) {
		kinds, faults := table(v, kindWords()...)
		for _, k := range stateKinds {
			entries, given := kinds[k.String()]
			if !given {
				continue
			}
			t, ok := entries.(map[string]any)
			if !ok {
				faults = append(faults, under("."+k.String(), no(entries, "not a table", "write { meeting = { rank = 65 } }, say"))...)
				continue
			}
			for _, id := range slices.Sorted(maps.Keys(t)) {
				s, bad := readState(k, id, t[id])
				faults = append(faults, under("."+k.String()+"."+join("", id), bad)...)
				list = append(list, s)
			}
		}
		if len(faults) > 0 {
			return nil, faults
		}
		_, bad := presence.NewCatalogue(presence.Config{States: list})
		for _, f := range bad {
			faults = append(faults, stateFault(kinds, f))
		}
		return list, faults
	},
	write: func(list []presence.State) string {
		kinds := map[string]any{}
		for _, s := range list {
			k := s.Kind.String()
			if kinds[k] == nil {
				kinds[k] = map[string]any{}
			}
			kinds[k].(map[string]any)[s.ID] = s.Edits()
		}
		return inline(kinds)
	},
}

func kindWords() (names []string) {
	for _, k := range stateKinds {
		names = append(names, k.String())
	}
	return names
}

// stateFault is what is wrong with a state among the others, at the part of it that
// is to blame if that is written.
func stateFault(kinds map[string]any, f presence.Fault) fault {
	entries, _ := kinds[f.Kind.String()].(map[string]any)
	out := fault{"." + f.Kind.String() + "." + join("", f.ID), f.What, f.Remedy, entries[f.ID]}
	t, _ := entries[f.ID].(map[string]any)
	if v, written := t[f.Field]; written {
		out.at, out.value = out.at+"."+f.Field, v
	} else if f.Field != "" {
		out.what = f.Field + ": " + out.what
	}
	return out
}

// readState reads one state over what it is built on.
func readState(k presence.Kind, id string, v any) (presence.State, []fault) {
	s, known := presence.Base(k, id)
	t, faults := table(v, presence.FieldNames()...)
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if !slices.Contains(presence.FieldNames(), name) {
			continue // table has said so
		}
		if what, remedy := s.SetField(name, t[name]); what != "" {
			faults = append(faults, fault{"." + name, what, remedy, t[name]})
		}
	}
	for _, name := range []string{"rank", "show"} {
		if t != nil && t[name] == nil && !known {
			faults = append(faults, no(v, "a new state without "+name, "write its %s too, or the name of a state that there is", name)...)
		}
	}
	return s, faults
}

// inline writes a value as TOML in one line. It can be read again.
func inline(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = inline(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		if len(v) == 0 {
			return "{}"
		}
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, join("", name)+" = "+inline(v[name]))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	}
	return fmt.Sprint(v)
}

// languages are tables of words, by language.
var languages = kind[map[string]presence.Words]{
	read: func(v any) (map[string]presence.Words, []fault) {
		t, ok := v.(map[string]any)
		if !ok {
			return nil, no(v, "not a table", `write { fr = { since = "depuis {time}", until = "jusqu'à {time}" } }`)
		}
		out := map[string]presence.Words{}
		var faults []fault
		for _, lang := range slices.Sorted(maps.Keys(t)) {
			at := "." + join("", lang)
			if !presence.IsLanguage(lang) {
				faults = append(faults, fault{at, "not a language", `write a tag such as "fr" or "pt-br"`, t[lang]})
				continue
			}
			w, bad := readWords(t[lang])
			faults = append(faults, under(at, bad)...)
			out[lang] = w
		}
		return out, faults
	},
	write: func(list map[string]presence.Words) string {
		t := map[string]any{}
		for lang, w := range list {
			words := map[string]any{"since": w.Since, "until": w.Until}
			if w.Messages != "" {
				words["messages"] = w.Messages
			}
			t[lang] = words
		}
		return inline(t)
	},
}

// around is text around a time.
var around = text(`"since {time}"`, func(s string) (string, string, string) {
	if strings.Count(s, "{time}") != 1 || len(s) > 60 || strings.ContainsFunc(s, unicode.IsControl) {
		return "", "not words around {time}", `write "since {time}", say`
	}
	return s, "", ""
})

// counted is text around a number.
var counted = text(`"new messages: {count}"`, func(s string) (string, string, string) {
	if strings.Count(s, "{count}") != 1 || len(s) > 60 || strings.ContainsFunc(s, unicode.IsControl) {
		return "", "not words around {count}", `write "new messages: {count}", say`
	}
	return s, "", ""
})

func readWords(v any) (w presence.Words, faults []fault) {
	t, faults := table(v, "since", "until", "messages")
	if t == nil {
		return w, faults
	}
	for name, to := range map[string]*string{"since": &w.Since, "until": &w.Until} {
		var bad []fault
		*to, bad = around.read(t[name])
		if t[name] == nil {
			bad = no(v, name+" is missing", `write { since = "since {time}", until = "until {time}" }`)
			faults = append(faults, bad...)
			continue
		}
		faults = append(faults, under("."+name, bad)...)
	}
	if t["messages"] != nil {
		faults = append(faults, under(".messages", into(counted, &w.Messages)(t["messages"]))...)
	}
	return w, faults
}

// role says who has a role.
var role = kind[presence.RoleHolders]{
	read: func(v any) (r presence.RoleHolders, faults []fault) {
		t, faults := table(v, "role", "accounts", "groups")
		if t == nil {
			return r, faults
		}
		part := func(name string, bad []fault) { faults = append(faults, under("."+name, bad)...) }
		var bad []fault
		if t["role"] == nil {
			faults = append(faults, no(v, "role is missing", `write { role = "dispatcher", groups = ["…"] }`)...)
		} else {
			r.Role, bad = named.read(t["role"])
			part("role", bad)
		}
		if l, given := t["accounts"]; given {
			r.Accounts, bad = list(0, account).read(l)
			part("accounts", bad)
		}
		if l, given := t["groups"]; given {
			r.Groups, bad = list(0, named).read(l)
			part("groups", bad)
		}
		return r, faults
	},
	write: func(r presence.RoleHolders) string {
		return "{ role = " + quote(r.Role) + ", accounts = " + list(0, account).write(r.Accounts) + ", groups = " + list(0, named).write(r.Groups) + " }"
	},
}

// named is the name of a group or a role.
var named = text(`"…"`, func(s string) (string, string, string) {
	if strings.TrimSpace(s) == "" {
		return "", "empty", "write its name"
	}
	return s, "", ""
})

// audience is a rule on who sees how much.
var audience = kind[presence.Rule]{
	read: func(v any) (r presence.Rule, faults []fault) {
		t, faults := table(v, "watchers", "subjects", "level")
		if t == nil {
			return r, faults
		}
		for _, name := range []string{"watchers", "level"} {
			if t[name] == nil {
				return r, append(faults, no(v, name+" is missing", `write { watchers = "staff", subjects = "everybody", level = "status" }`)...)
			}
		}
		var bad []fault
		r.Watchers, bad = readSelector(t["watchers"], `"everybody" or { group = "Night shift" }`, presence.OfKind)
		faults = append(faults, under(".watchers", bad)...)
		if s, given := t["subjects"]; given {
			r.Subjects, bad = readSelector(s, `"everybody" or { kind = "device" }`, presence.Self, presence.SameGroup, presence.SameDomain, presence.Staff, presence.InRole)
			faults = append(faults, under(".subjects", bad)...)
		}
		s, _ := t["level"].(string)
		var known bool
		if r.Level, known = presence.ParseLevel(s); !known {
			faults = append(faults, fault{".level", "not a level", `write "hidden", "basic", "status", "detail" or "full"`, t["level"]})
		}
		return r, faults
	},
	write: func(r presence.Rule) string {
		return "{ watchers = " + writeSelector(r.Watchers) + ", subjects = " + writeSelector(r.Subjects) + ", level = " + quote(r.Level.String()) + " }"
	},
}

func writeSelector(s presence.Selector) string {
	if s.By.Named() {
		return "{ " + s.By.String() + " = " + quote(s.Name) + " }"
	}
	return quote(s.By.String())
}

// readSelector reads a word, or a table of one name.
func readSelector(v any, example string, not ...presence.Selection) (s presence.Selector, faults []fault) {
	word, name := "", any(nil)
	switch v := v.(type) {
	case string:
		word = v
	case map[string]any:
		for word, name = range v {
		}
		if len(v) != 1 {
			word = ""
		}
	}
	by, known := presence.ParseSelection(word)
	if !known || by.Named() != (name != nil) || slices.Contains(not, by) {
		return s, no(v, "nothing to select by here", "write %s", example)
	}
	s.By = by
	if !by.Named() {
		return s, nil
	}
	var bad []fault
	switch by {
	case presence.AtDomain:
		s.Name, bad = domainName.read(name)
	case presence.OneJID:
		var who jid.Bare
		who, bad = account.read(name)
		s.Name = string(who)
	case presence.OfKind:
		s.Name, bad = words("person", "device", "team", "role").read(name)
	default:
		s.Name, bad = named.read(name)
	}
	return s, under("."+word, bad)
}

// presenceRules are the rules between the keys of presence.
func presenceRules(c *Config) (key, what, remedy string) {
	p := &c.Presence
	_, spoken := presence.BuiltIn()
	if _, built := spoken[p.Language]; !built && p.Words[p.Language].Since == "" {
		return "presence.language", "a language that times cannot be told in", "add it to presence.words"
	}
	for i := range p.States {
		for lang := range p.States[i].Label {
			if _, built := spoken[lang]; built || p.Words[lang].Since != "" {
				continue
			}
			at := "presence.states." + p.States[i].Kind.String() + "." + join("", p.States[i].ID) + ".label." + lang
			return at, "a language that times cannot be told in", "add it to presence.words"
		}
	}
	roles := []string{presence.RoleOperator}
	for _, r := range p.Roles {
		roles = append(roles, r.Role)
	}
	for i, r := range p.Audience {
		if r.Watchers.By == presence.InRole && !slices.Contains(roles, r.Watchers.Name) {
			return fmt.Sprintf("presence.audience[%d].watchers.role", i), "nobody has this role", "say in presence.roles who has it"
		}
		all := presence.Selector{}
		if r.Watchers == all && r.Subjects == all && i+1 < len(p.Audience) {
			return fmt.Sprintf("presence.audience[%d]", i), "it fits everybody, so those after it never decide", "write it last"
		}
	}
	return "", "", ""
}
