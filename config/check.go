package config

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"rollcall/server"
)

// rule is a rule between keys. It returns the key to name, what is wrong and
// what would be right, or nothing.
type rule func(*Config) (key, what, remedy string)

// rules are all rules between keys.
var rules = []rule{
	func(c *Config) (string, string, string) {
		if len(c.C2S.Listen)+len(c.C2S.ListenTLS) > 0 {
			return "", "", ""
		}
		return "c2s.listen", "nobody can connect: listen_tls is empty too", `write ["127.0.0.1:5222"]`
	},
	func(c *Config) (string, string, string) {
		for i, a := range c.C2S.ListenTLS {
			if _, port, _ := net.SplitHostPort(a); port != "0" && slices.Contains(c.C2S.Listen, a) {
				return fmt.Sprintf("c2s.listen_tls[%d]", i), "c2s.listen has the same address", "give one of them another port"
			}
		}
		return "", "", ""
	},
	func(c *Config) (string, string, string) {
		if len(c.C2S.Certificates) > 0 || c.NeedsSelfSigned() || c.OnLoopback() && c.C2S.PlaintextOnLoopback {
			return "", "", ""
		}
		if c.SelfSigned == "never" {
			return "tls.self_signed", "there is no certificate either", "name one in tls.certificates"
		}
		return "c2s.listen", "other machines can connect and there is no certificate",
			`name one in tls.certificates, or write self_signed = "always" in [tls]`
	},
	func(c *Config) (string, string, string) {
		if c.C2S.Limits.BeforeAuth.Bytes <= c.C2S.Limits.AfterAuth.Bytes {
			return "", "", ""
		}
		return "limits.stanza_before_auth", "larger than limits.stanza", fmt.Sprintf("write %q or less", formatSize(c.C2S.Limits.AfterAuth.Bytes))
	},
	func(c *Config) (string, string, string) {
		if c.Server.OutboxBytes >= c.C2S.Limits.AfterAuth.Bytes {
			return "", "", ""
		}
		return "limits.outbox", "smaller than limits.stanza, so that a large stanza could never be sent",
			fmt.Sprintf("write %q or more", formatSize(c.C2S.Limits.AfterAuth.Bytes))
	},
	func(c *Config) (string, string, string) {
		if c.C2S.Management.AckEvery < c.C2S.Management.MaxUnacked {
			return "", "", ""
		}
		return "stream_management.max_unacked", "not more than ack_every", fmt.Sprintf("write %d or more", c.C2S.Management.AckEvery+1)
	},
	func(c *Config) (string, string, string) {
		if c.Storage.Driver != "postgres" || c.Storage.DSN != "" {
			return "", "", ""
		}
		return "storage.dsn", "empty, and storage.driver is postgres", `write "postgres://user@host/database"`
	},
	func(c *Config) (string, string, string) {
		if c.Private.MaxElement <= c.Private.MaxAccount {
			return "", "", ""
		}
		return "private_xml.max_element", "larger than private_xml.max_account", fmt.Sprintf("write %q or less", formatSize(c.Private.MaxAccount))
	},
	func(c *Config) (string, string, string) {
		if c.PEP.MaxItem <= c.PEP.MaxAccount {
			return "", "", ""
		}
		return "pep.max_item", "larger than pep.max_account", fmt.Sprintf("write %q or less", formatSize(c.PEP.MaxAccount))
	},
	oneDomainEach,
	adminsAreOurs,
	devicesApart,
	componentRules,
	directoryRules,
	presenceRules,
	sipAddressesOnce,
	sipIsReached,
	sipCertificate,
	upstreamRules,
	uplinkRules,
}

// oneDomainEach finds a domain that is served twice, once with and once without
// accounts: the list itself refuses equal entries.
func oneDomainEach(c *Config) (string, string, string) {
	for i, d := range c.Server.Domains {
		same := func(other server.Domain) bool { return other.Name == d.Name }
		if slices.IndexFunc(c.Server.Domains, same) < i {
			return fmt.Sprintf("server.domains[%d]", i), "named twice", "leave one of them out"
		}
	}
	return "", "", ""
}

// devicesApart finds a domain that would have accounts and devices.
func devicesApart(c *Config) (string, string, string) {
	for _, d := range c.Server.Domains {
		if d.Name == c.DeviceDomain() {
			return "devices.domain", d.Name + " is one of server.domains", "write another one, which has no accounts"
		}
	}
	return "", "", ""
}

// adminsAreOurs finds administrators who could never log in.
func adminsAreOurs(c *Config) (string, string, string) {
	var names []string
	for _, d := range c.Server.Domains {
		names = append(names, d.Name)
	}
	for i, a := range c.Server.Admins {
		if !slices.Contains(names, a.Domain()) {
			return fmt.Sprintf("server.admins[%d]", i), "not at a domain of this server", "write an address at " + strings.Join(names, " or ")
		}
	}
	return "", "", ""
}

// check tries the rules between keys.
func (c *Config) check(d *document) (problems []Problem) {
	for _, r := range rules {
		path, what, remedy := r(c)
		if what == "" {
			continue
		}
		p := Problem{Line: d.line(path), Key: path, What: what, Remedy: remedy}
		if k, found := lookup(path); found && !k.secret {
			p.Value = k.show(c)
		}
		problems = append(problems, p)
	}
	return problems
}
