package ldap

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	lib "github.com/go-ldap/ldap/v3"

	"rollcall/server"
)

// Config says where the directory is and what in it are people and groups. The
// config package has checked every value before it gets here.
type Config struct {
	// URLs are the servers of one directory, ldaps://host or ldap://host, each with a
	// port or without. The first one that answers is used. No URL: no directory.
	URLs []string

	// CAFile is a PEM file with the authorities to trust; "" trusts those of the
	// system. StartTLS encrypts ldap:// (RFC 4511 §4.14); without it there must be
	// nothing but this machine.
	CAFile   string
	StartTLS bool

	// BindDN is who searches, and Password, or what is in PasswordFile, proves it. ""
	// searches as nobody.
	BindDN       string
	Password     string
	PasswordFile string

	// BaseDN is below which people are, and UserFilter finds one of them: {name}
	// stands for the localpart of the address.
	BaseDN     string
	UserFilter string
	Attributes Attributes

	// GroupFilter finds groups below GroupBaseDN, which is BaseDN if it is "". No
	// filter: no groups. Groups are the titles of those that are wanted; none: all.
	GroupBaseDN string
	GroupFilter string
	Groups      []string

	// GroupMemberFilter finds the people of a group whose DN is {group}. "" takes
	// them from the attribute of the group.
	GroupMemberFilter string

	Timeout     time.Duration // of one request, or of one login
	PageSize    int           // entries that are asked for at once (RFC 2696)
	Connections int           // logins that are checked at a time
}

// Attributes name what is read. "" is not read.
type Attributes struct {
	Login, ID           string
	Name, Given, Family string
	Mail, Phone         string
	Title, Org, Unit    string
	GroupTitle, Member  string
}

// The placeholders in filters.
const (
	NamePlaceholder  = "{name}"
	GroupPlaceholder = "{group}"
)

// CheckFilter says what is wrong with a filter in which placeholders must stand.
func CheckFilter(filter string, placeholders ...string) error {
	rest := filter
	for _, p := range placeholders {
		if !strings.Contains(filter, p) {
			return fmt.Errorf("it has no %s", p)
		}
		rest = strings.ReplaceAll(rest, p, "x")
	}
	if strings.ContainsAny(rest, "{}") {
		return errors.New("there is something else in braces")
	}
	if _, err := lib.CompileFilter(rest); err != nil {
		return errors.New("it is no LDAP filter (RFC 4515)")
	}
	return nil
}

// CheckDN says what is wrong with a distinguished name.
func CheckDN(dn string) error {
	if d, err := lib.ParseDN(dn); err != nil || len(d.RDNs) == 0 {
		return errors.New("it is no distinguished name (RFC 4514)")
	}
	return nil
}

// CheckURL says what is wrong with the URL of a server.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Host == "", u.Hostname() == "":
		return errors.New("it is no URL")
	case u.Scheme != "ldap" && u.Scheme != "ldaps":
		return errors.New("it begins with neither ldaps:// nor ldap://")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.User != nil, u.Fragment != "":
		return errors.New("there is more than a host and a port in it")
	}
	return nil
}

// InTheClear returns the first URL that leads to another machine without
// encryption, or "".
func (c *Config) InTheClear() string {
	for _, s := range c.URLs {
		u, err := url.Parse(s)
		if err == nil && u.Scheme == "ldap" && !c.StartTLS && !loopback(u.Hostname()) {
			return s
		}
	}
	return ""
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// address returns where to connect to.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldap": "389", "ldaps": "636"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// password returns what proves the service's own account. The file is read each
// time, so that the password can be changed while the server runs.
func (c *Config) password() (string, error) {
	if c.PasswordFile == "" {
		return c.Password, nil
	}
	password, err := server.Secret(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("the password: %w", err)
	}
	return password, nil
}
