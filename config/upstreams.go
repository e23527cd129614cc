package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rollcall/presence"
	"rollcall/sipgw/rich"
	"rollcall/sipgw/transport"
	"rollcall/sipgw/watcher"
	"rollcall/xmpp/jid"
)

// upstreamKeys are those of a PBX.
var upstreamKeys = []string{
	"name", "host", "transport", "proxy", "user", "secret", "secret_file", "packages", "line", "busy_is_call", "notes", "calls_from", "certificate",
}

// upstream is a PBX that devices are registered at.
var upstream = kind[watcher.Upstream]{
	read: func(v any) (u watcher.Upstream, faults []fault) {
		t, faults := table(v, upstreamKeys...)
		if t == nil {
			return u, faults
		}
		u = watcher.Upstream{Packages: []string{"dialog"}, Exchange: true}
		get := func(key string, read func(any) []fault) {
			if value, given := t[key]; given {
				faults = append(faults, under("."+key, read(value))...)
			}
		}
		get("name", into(upstreamName, &u.Name))
		get("host", into(sipHost, &u.Host))
		get("transport", into(words("udp", "tcp", "tls"), &u.Transport))
		get("proxy", into(sipURI, &u.Proxy))
		get("user", into(filled, &u.User))
		get("secret", into(filled, &u.Secret))
		get("secret_file", into(filled, &u.SecretFile))
		get("packages", into(list(1, words(watcher.PackageNames()...)), &u.Packages))
		get("line", into(linePattern, &u.Line))
		get("busy_is_call", into(boolean, &u.Exchange))
		get("notes", into(notes, &u.Notes))
		get("calls_from", into(list(1, network), &u.CallsFrom))
		get("certificate", into(hostName, &u.Certificate))
		if len(faults) == 0 {
			faults = wholeUpstream(&u, v)
		}
		return u, faults
	},
	write: writeUpstream,
}

// into reads a value of a kind to where it goes.
func into[T any](k kind[T], to *T) func(any) []fault {
	return func(v any) []fault {
		value, faults := k.read(v)
		if len(faults) == 0 {
			*to = value
		}
		return faults
	}
}

// wholeUpstream looks at what has to go together.
func wholeUpstream(u *watcher.Upstream, v any) []fault {
	switch {
	case u.Name == "":
		return no(v, "without a name", `write name = "hq"; devices call it so`)
	case u.Host == "":
		return no(v, "without a host", `write host = "pbx.example.org"`)
	case u.Secret != "" && u.SecretFile != "":
		return no(v, "with a secret and a file for it", "leave one of them out")
	case u.User == "" && u.Secret+u.SecretFile != "":
		return no(v, "with a secret and without a user", `write user = "…"`)
	case u.User != "" && u.Secret+u.SecretFile == "":
		return no(v, "with a user and without a secret", `write secret_file = "…"`)
	case u.Certificate == "" && slices.ContainsFunc(u.CallsFrom, func(p netip.Prefix) bool { return p.Bits() == 0 }):
		return no(v, "with calls from everywhere", "write the addresses of the PBX into calls_from, or the name in its certificate beside it")
	}
	return nil
}

func writeUpstream(u watcher.Upstream) string {
	var parts []string
	text := func(key, s, usual string) {
		if s != usual {
			parts = append(parts, key+" = "+quote(s))
		}
	}
	text("name", u.Name, "")
	text("host", u.Host, "")
	text("transport", u.Transport, "")
	text("proxy", u.Proxy, "")
	text("user", u.User, "")
	text("secret", u.Secret, "")
	text("secret_file", u.SecretFile, "")
	if !slices.Equal(u.Packages, []string{"dialog"}) {
		parts = append(parts, "packages = "+list(1, words(watcher.PackageNames()...)).write(u.Packages))
	}
	text("line", u.Line, "")
	if !u.Exchange {
		parts = append(parts, "busy_is_call = false")
	}
	if u.Notes != nil {
		parts = append(parts, "notes = "+notes.write(u.Notes))
	}
	if len(u.CallsFrom) > 0 {
		parts = append(parts, "calls_from = "+list(1, network).write(u.CallsFrom))
	}
	text("certificate", u.Certificate, "")
	return "{ " + strings.Join(parts, ", ") + " }"
}

// upstreamName is what devices call a PBX.
var upstreamName = text(`"hq"`, func(s string) (string, string, string) {
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.' || r == '_')
	}
	if s == "" || len(s) > 64 || strings.ContainsFunc(s, odd) {
		return "", "no name for a PBX", `write letters, digits, dots and hyphens, such as "hq"`
	}
	return s, "", ""
})

// sipHost is a host with or without a port.
var sipHost = text(`"pbx.example.org"`, func(s string) (string, string, string) {
	u, err := transport.ParseURI("sip:" + s)
	if err != nil || u.User != "" || u.Params != "" || u.Headers != "" || len(s) > 255 {
		return "", "not a host", `write "pbx.example.org", or "192.0.2.17:5080"`
	}
	return s, "", ""
})

// hostName is a name that a certificate may be for.
var hostName = text(`"pbx.example.org"`, func(s string) (string, string, string) {
	if d, err := jid.Domain(s); err == nil && len(d) <= 253 && !strings.ContainsAny(d, ":[]*") {
		return d, "", ""
	}
	return "", "not the name of a host", `write "pbx.example.org"`
})

// sipURI is where requests go first.
var sipURI = text(`"sip:192.0.2.17"`, func(s string) (string, string, string) {
	u, err := transport.ParseURI(s)
	if err != nil || !u.IsSIP() || u.Headers != "" {
		return "", "not a SIP URI", `write "sip:192.0.2.17", or "sip:proxy.example.org;transport=tcp"`
	}
	return s, "", ""
})

// linePattern is what a PBX calls a device.
var linePattern = text(`"{user}"`, func(s string) (string, string, string) {
	if !strings.Contains(s, "{user}") && !strings.Contains(s, "{number}") {
		return "", "the same for all devices", `write it with {user} or {number}, such as "ext-{user}"`
	}
	rest := strings.NewReplacer("{user}", "", "{number}", "").Replace(s)
	if strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("{}<>@:\"", r) }) {
		return "", "with characters that are not for names", `write something like "ext-{user}"`
	}
	return s, "", ""
})

// notes are true, false, or a table of notes and the states that they stand for, which
// adds to those that are built in.
var notes = kind[map[string]string]{
	read: func(v any) (map[string]string, []fault) {
		if on, is := v.(bool); is {
			if on {
				return maps.Clone(rich.MachineNotes), nil
			}
			return nil, nil
		}
		t, is := v.(map[string]any)
		if !is {
			return nil, no(v, "neither true, false nor a table", `write true, or { "out to lunch" = "lunch" }`)
		}
		all := maps.Clone(rich.MachineNotes)
		var faults []fault
		for note, state := range t {
			s, is := state.(string)
			if !is || s == "" || strings.Trim(note, "* ") == "" {
				faults = append(faults, fault{"." + note, "no state for a note", `write "lunch", or another state of people`, state})
				continue
			}
			all[strings.ToLower(note)] = s
		}
		return all, faults
	},
	write: func(m map[string]string) string {
		if m == nil {
			return "false"
		}
		var own []string
		for note, state := range m {
			if rich.MachineNotes[note] != state {
				own = append(own, quote(note)+" = "+quote(state))
			}
		}
		if len(own) == 0 {
			return strconv.FormatBool(true)
		}
		slices.Sort(own)
		return "{ " + strings.Join(own, ", ") + " }"
	},
}

// upstreamSecrets reports whether the secret of a PBX stands in the file itself.
func upstreamSecrets(c *Config) bool {
	return slices.ContainsFunc(c.Watcher.Upstreams, func(u watcher.Upstream) bool { return u.Secret != "" })
}

// upstreamRules are the rules between PBXs, and other keys.
func upstreamRules(c *Config) (key, what, remedy string) {
	all := c.Watcher.Upstreams
	if len(all) > 0 && len(sipPlaces(c)) == 0 {
		return "sip.listen", "empty, so that no PBX can tell anything", `write ["192.0.2.5:5060"]`
	}
	for i, u := range all {
		at := fmt.Sprintf("sip.upstreams[%d]", i)
		if slices.IndexFunc(all, func(o watcher.Upstream) bool { return o.Name == u.Name }) < i {
			return at, "there is another one named " + u.Name, "give one of them another name"
		}
		for _, note := range slices.Sorted(maps.Keys(u.Notes)) {
			if s := u.Notes[note]; !c.personal(s) {
				return at + ".notes." + note, "there is no state " + s, "write one of people, such as \"lunch\""
			}
		}
	}
	return "", "", ""
}

// personal reports whether there is such a state of people.
func (c *Config) personal(id string) bool {
	_, known := presence.DefaultCatalogue().Lookup(presence.Person, id)
	return known || slices.ContainsFunc(c.Presence.States, func(s presence.State) bool { return s.Kind == presence.Person && s.ID == id })
}
