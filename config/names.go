package config

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/xmpp/jid"
)

// domain is a name, or a table with more about it.
var domain = kind[server.Domain]{
	read: func(v any) (d server.Domain, faults []fault) {
		if name, ok := v.(string); ok {
			d.Name, faults = readDomain(name)
			return d, faults
		}
		t, faults := table(v, "name", "anonymous")
		if t == nil {
			return d, no(v, "not a domain", `write "example.org"`)
		}
		if a, given := t["anonymous"]; given {
			var bad []fault
			d.Anonymous, bad = boolean.read(a)
			faults = append(faults, under(".anonymous", bad)...)
		}
		name, _ := t["name"].(string)
		var bad []fault
		d.Name, bad = readDomain(name)
		return d, append(faults, under(".name", bad)...)
	},
	write: func(d server.Domain) string {
		if d.Anonymous {
			return "{ name = " + quote(d.Name) + ", anonymous = true }"
		}
		return quote(d.Name)
	},
}

// under moves faults to a part of the value.
func under(at string, faults []fault) []fault {
	for i := range faults {
		faults[i].at = at + faults[i].at
	}
	return faults
}

func readDomain(s string) (string, []fault) {
	d, err := jid.Domain(s)
	switch {
	case s == "":
		return "", no(s, "a domain without a name", `write "example.org"`)
	case strings.ContainsAny(s, "@/"):
		j, err := jid.Parse(s)
		if err == nil {
			return "", no(s, "an address, not a domain", "write %q", j.Domain())
		}
		return "", no(s, "not a domain", `write "example.org"`)
	case err != nil:
		return "", no(s, "not a domain", `write a name such as "example.org"`)
	}
	return d, nil
}

// account is the bare JID of a person.
var account = kind[jid.Bare]{
	write: func(b jid.Bare) string { return quote(string(b)) },
	read: func(v any) (jid.Bare, []fault) {
		s, _ := v.(string)
		j, err := jid.Parse(s)
		switch {
		case err != nil || j.Local() == "":
			return "", no(v, "not the address of a person", `write "alice@example.org"`)
		case j.IsFull():
			return "", no(v, "has a resource", "write %q", string(j.Bare()))
		}
		return j.Bare(), nil
	},
}

// network is a range of addresses, or one address.
var network = kind[netip.Prefix]{
	write: func(p netip.Prefix) string {
		if p.IsSingleIP() {
			return quote(p.Addr().String())
		}
		return quote(p.String())
	},
	read: func(v any) (netip.Prefix, []fault) {
		s, _ := v.(string)
		if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
			a = a.Unmap()
			return netip.PrefixFrom(a, a.BitLen()), nil
		}
		p, err := netip.ParsePrefix(s)
		switch {
		case err != nil || p.Addr().Is4In6():
			return p, no(v, "not a network", `write "192.0.2.0/24" or "2001:db8::/32"`)
		case p != p.Masked():
			return p, no(v, "an address within a network", "write %q for all of it, or %q", p.Masked().String(), p.Addr().String())
		}
		return p, nil
	},
}

// address is where to listen: "host:port" or ":port".
func address(port string) kind[string] {
	return text(quote("127.0.0.1:"+port), func(s string) (string, string, string) {
		host, p, err := net.SplitHostPort(s)
		if err != nil {
			return "", "not an address", "write " + quote(likelyAddress(s, port))
		}
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || strconv.FormatUint(n, 10) != p {
			return "", "the port is not a number up to 65535", "write " + quote(net.JoinHostPort(host, port))
		}
		if host == "" {
			return s, "", ""
		}
		if _, err := netip.ParseAddr(host); err != nil {
			if _, err := jid.Domain(host); err != nil {
				return "", "not an address", "write " + quote("127.0.0.1:"+p)
			}
		}
		return s, "", ""
	})
}

// likelyAddress guesses what was meant by something that is not host:port.
func likelyAddress(s, port string) string {
	if _, err := strconv.ParseUint(s, 10, 16); err == nil {
		return "127.0.0.1:" + s
	}
	if ip, err := netip.ParseAddr(s); err == nil {
		return net.JoinHostPort(ip.String(), port)
	}
	return "127.0.0.1:" + port
}

func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// certificate is a pair of files.
var certificate = kind[c2s.Certificate]{
	read: func(v any) (c c2s.Certificate, faults []fault) {
		t, faults := table(v, "cert", "key")
		if t == nil {
			return c, faults
		}
		for name, file := range map[string]*string{"cert": &c.Cert, "key": &c.Key} {
			if t[name] == nil {
				faults = append(faults, no(v, name+" is missing", "write { cert = \"….crt\", key = \"….key\" }")...)
				continue
			}
			var bad []fault
			*file, bad = filled.read(t[name])
			faults = append(faults, under("."+name, bad)...)
		}
		return c, faults
	},
	write: func(c c2s.Certificate) string {
		return "{ cert = " + quote(c.Cert) + ", key = " + quote(c.Key) + " }"
	},
}

// mechanism is a SASL mechanism to offer.
var mechanism = text(`"SCRAM-SHA-256"`, func(s string) (string, string, string) {
	known := []string{"SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}
	switch {
	case slices.Contains(known, s):
		return s, "", ""
	case strings.HasSuffix(s, "-PLUS"):
		return "", "offered by itself wherever it can be", "write " + quote(strings.TrimSuffix(s, "-PLUS"))
	case strings.EqualFold(s, "ANONYMOUS"):
		return "", "belongs to a domain", `write { name = "guest.example.org", anonymous = true } in server.domains`
	}
	return "", "unknown mechanism", suggest(strings.ToUpper(s), known)
})

// dsn says how to reach PostgreSQL. The driver has the last word; this finds
// what cannot be one.
var dsn = text(`"postgres://…"`, func(s string) (string, string, string) {
	uri := strings.HasPrefix(s, "postgres://") || strings.HasPrefix(s, "postgresql://")
	if s == "" || uri || strings.Contains(s, "=") {
		return s, "", ""
	}
	return "", "not a PostgreSQL address", `write "postgres://user@host/database" or "host=… dbname=…"`
})
