package config

import (
	"fmt"
	"net"
	"slices"

	"rollcall/server"
	"rollcall/server/component"
	"rollcall/xmpp/stream"
)

// minSecret is how long a component's secret is at least.
const minSecret = 12

// componentDomain is a domain that a component serves, and its secret or the file
// with it.
var componentDomain = kind[component.Domain]{
	read: func(v any) (d component.Domain, faults []fault) {
		t, faults := table(v, "name", "secret", "secret_file")
		if t == nil {
			return d, faults
		}
		name, _ := t["name"].(string)
		var bad []fault
		d.Name, bad = readDomain(name)
		faults = append(faults, under(".name", bad)...)
		for key, field := range map[string]*string{"secret": &d.Secret, "secret_file": &d.SecretFile} {
			if value, given := t[key]; given {
				*field, bad = filled.read(value)
				faults = append(faults, under("."+key, bad)...)
			}
		}
		switch {
		case len(faults) > 0:
		case d.Secret+d.SecretFile == "":
			faults = no(v, "without a secret", `write secret_file = "…"`)
		case d.Secret != "" && d.SecretFile != "":
			faults = no(v, "with a secret and a file for it", "leave one of them out")
		case d.Secret != "" && len(d.Secret) < minSecret:
			faults = no(v, "the secret is short", "write %d characters or more", minSecret)
		}
		return d, faults
	},
	write: func(d component.Domain) string {
		if d.SecretFile != "" {
			return "{ name = " + quote(d.Name) + ", secret_file = " + quote(d.SecretFile) + " }"
		}
		return "{ name = " + quote(d.Name) + ", secret = " + quote(d.Secret) + " }"
	},
}

// inlineSecrets reports whether a component's secret stands in the file itself.
func inlineSecrets(c *Config) bool {
	return slices.ContainsFunc(c.Components.Domains, func(d component.Domain) bool { return d.Secret != "" })
}

// componentRules are the rules between the keys of components and others.
func componentRules(c *Config) (key, what, remedy string) {
	if len(c.Components.Domains) == 0 {
		return "", "", ""
	}
	if len(c.Components.Listen) == 0 {
		return "components.listen", "no component can connect", `write ["127.0.0.1:5347"]`
	}
	for i, d := range c.Components.Domains {
		at := fmt.Sprintf("components.domains[%d]", i)
		if slices.ContainsFunc(c.Server.Domains, func(o server.Domain) bool { return o.Name == d.Name }) {
			return at, "a domain with accounts: it is one of server.domains", "give the component a domain of its own, such as phones." + d.Name
		}
		if slices.IndexFunc(c.Components.Domains, func(o component.Domain) bool { return o.Name == d.Name }) < i {
			return at, "named twice", "leave one of them out"
		}
	}
	for i, a := range c.Components.Listen {
		_, port, _ := net.SplitHostPort(a)
		if port != "0" && (slices.Contains(c.C2S.Listen, a) || slices.Contains(c.C2S.ListenTLS, a)) {
			return fmt.Sprintf("components.listen[%d]", i), "clients connect to the same address", "give one of them another port"
		}
	}
	return "", "", ""
}

// ComponentConfig returns what components need to know of the whole
// configuration.
func (c *Config) ComponentConfig() component.Config {
	limits := func(bytes int) stream.Limits {
		after := c.C2S.Limits.AfterAuth
		return stream.Limits{
			Stanza: bytes, Tag: min(bytes, stream.DefaultLimits.Tag),
			Depth: after.Depth, Attrs: after.Attributes, Namespaces: after.Namespaces,
		}
	}
	out := c.Components
	out.BackoffAfter, out.BackoffMax = c.C2S.Auth.BackoffAfter, c.C2S.Auth.BackoffMax
	out.BeforeAuth, out.AfterAuth = limits(c.C2S.Limits.BeforeAuth.Bytes), limits(c.C2S.Limits.AfterAuth.Bytes)
	out.UserTimeout = c.C2S.KeepAlive.TCPUserTimeout
	return out
}

// ComponentAddresses returns where components connect to: nowhere if there are
// none.
func (c *Config) ComponentAddresses() []string {
	if len(c.Components.Domains) == 0 {
		return nil
	}
	return c.Components.Listen
}

// ComponentNames returns the domains that components serve.
func (c *Config) ComponentNames() []string {
	var names []string
	for _, d := range c.Components.Domains {
		names = append(names, d.Name)
	}
	return names
}
