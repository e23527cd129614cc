package config

import (
	"fmt"
	"slices"
	"strings"

	"rollcall/server"
	"rollcall/storage/ldap"
	"rollcall/xmpp/sasl"
)

// free is any string.
var free = text(`"…"`, func(s string) (string, string, string) { return s, "", "" })

// orNothing is the empty string as well.
func orNothing(k kind[string]) kind[string] {
	return kind[string]{
		write: k.write,
		read: func(v any) (string, []fault) {
			if v == "" {
				return "", nil
			}
			return k.read(v)
		},
	}
}

// ldapURL is a server of a directory.
var ldapURL = text(`"ldaps://ldap.example.org"`, func(s string) (string, string, string) {
	if err := ldap.CheckURL(s); err != nil {
		return "", err.Error(), `write "ldaps://ldap.example.org", with a port if it is another than 636`
	}
	return s, "", ""
})

// dn is a distinguished name.
var dn = text(`"dc=example,dc=org"`, func(s string) (string, string, string) {
	if err := ldap.CheckDN(s); err != nil {
		return "", err.Error(), `write it as in "ou=people,dc=example,dc=org"`
	}
	return s, "", ""
})

// domainName is a domain without more about it.
var domainName = kind[string]{
	write: quote,
	read: func(v any) (string, []fault) {
		s, ok := v.(string)
		if !ok {
			return "", no(v, "not a string", `write "example.org"`)
		}
		return readDomain(s)
	},
}

// filter is a search filter with placeholders.
func filter(placeholders ...string) kind[string] {
	example := "(objectClass=groupOfNames)"
	if len(placeholders) > 0 {
		example = map[string]string{
			ldap.NamePlaceholder: "(uid={name})", ldap.GroupPlaceholder: "(memberOf={group})",
		}[placeholders[0]]
	}
	return text(quote(example), func(s string) (string, string, string) {
		if err := ldap.CheckFilter(s, placeholders...); err != nil {
			return "", err.Error(), "write something like " + quote(example)
		}
		return s, "", ""
	})
}

// attributeNames are the names in the table of attributes, in order, and where
// their values go.
func attributeNames(a *ldap.Attributes) (names []string, fields []*string) {
	names = []string{
		"login", "id", "name", "given", "family", "mail", "phone", "title", "org", "unit", "group_title", "member",
	}
	fields = []*string{
		&a.Login, &a.ID, &a.Name, &a.Given, &a.Family, &a.Mail, &a.Phone, &a.Title, &a.Org, &a.Unit, &a.GroupTitle, &a.Member,
	}
	return names, fields
}

// usualAttributes are those of what a table does not name.
var usualAttributes = ldap.Attributes{
	Login: "uid", ID: "entryUUID", Name: "displayName", Given: "givenName", Family: "sn", Mail: "mail",
	Phone: "telephoneNumber", Title: "title", Org: "o", Unit: "ou", GroupTitle: "cn", Member: "member",
}

// attributes is a table of the names of attributes. What it leaves out is as usual.
var attributes = kind[ldap.Attributes]{
	read: func(v any) (ldap.Attributes, []fault) {
		a := usualAttributes
		names, fields := attributeNames(&a)
		t, faults := table(v, names...)
		for i, name := range names {
			value, given := t[name]
			if !given {
				continue
			}
			s, ok := value.(string)
			switch {
			case !ok || strings.ContainsFunc(s, notInAttribute):
				faults = append(faults, fault{"." + name, "not the name of an attribute", "write " + quote(*fields[i]) + `, say, or "" to leave it out`, value})
			case s == "" && fields[i] == &a.Login:
				faults = append(faults, fault{".login", "empty", "name the attribute with the login name", value})
			default:
				*fields[i] = s
			}
		}
		return a, faults
	},
	write: func(a ldap.Attributes) string {
		names, fields := attributeNames(&a)
		parts := make([]string, len(names))
		for i := range names {
			parts[i] = names[i] + " = " + quote(*fields[i])
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	},
}

// notInAttribute reports whether a name of an attribute has no such character (RFC
// 4512 §2.5).
func notInAttribute(r rune) bool {
	return r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// directoryRules are the rules between the keys of a directory. They hold only if
// there is one.
func directoryRules(c *Config) (key, what, remedy string) {
	if len(c.LDAP.URLs) == 0 {
		return "", "", ""
	}
	l := &c.LDAP
	name := c.DirectoryDomain()
	ours := func(d server.Domain) bool { return d.Name == name && !d.Anonymous }
	switch {
	case l.BaseDN == "":
		return "directory.base_dn", "empty, and there is a directory", `write where people are, such as "ou=people,dc=example,dc=org"`
	case l.InTheClear() != "":
		return "directory.starttls", "off, and passwords would be sent in the clear to " + l.InTheClear(), "leave it on, or use ldaps://"
	case l.BindDN == "" && l.Password+l.PasswordFile != "":
		return "directory.bind_dn", "empty, and there is a password for it", "write the DN of the account that the server searches with"
	case l.BindDN != "" && l.Password+l.PasswordFile == "":
		return "directory.bind_password_file", "empty, and there is a bind_dn", "write the name of a file with its password"
	case l.Password != "" && l.PasswordFile != "":
		return "directory.bind_password_file", "set, and bind_password is too", "leave one of them out"
	case !slices.ContainsFunc(c.Server.Domains, ours):
		return "directory.account_domain", "not a domain with accounts of this server", "write one of server.domains"
	case !slices.Contains(c.C2S.Auth.Mechanisms, sasl.Plain):
		return "auth.mechanisms", "without PLAIN nobody from the directory can log in", fmt.Sprintf("add %q", sasl.Plain)
	case l.GroupFilter == "" && (l.GroupMemberFilter != "" || len(l.Groups) > 0):
		return "directory.group_filter", "empty, so that no group is found", `write "(objectClass=groupOfNames)", or what finds your groups`
	}
	return "", "", ""
}
