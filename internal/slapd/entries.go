package slapd

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	lib "github.com/go-ldap/ldap/v3"
)

// configuration is a slapd.conf. Only the service's own account may read, and it
// is given 50 entries at most for a search, however many pages there are.
func configuration(dir string) string {
	return strings.NewReplacer("DIR", dir, "SUFFIX", Suffix, "ADMIN", admin, "SECRET", adminPassword, "SERVICE", Service).Replace(`
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
# A little of Active Directory. What Debian has of its schema cannot be searched.
attributetype ( 1.1.1.1 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.1.1.2 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.1.1.3 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.1.1.4 NAME 'company' SUP name SINGLE-VALUE )
attributetype ( 1.1.1.5 NAME 'department' SUP name SINGLE-VALUE )
objectclass ( 1.1.2.1 NAME 'user' SUP inetOrgPerson STRUCTURAL MUST sAMAccountName MAY ( userAccountControl $ objectGUID $ company $ department ) )
objectclass ( 1.1.2.2 NAME 'computer' SUP user STRUCTURAL )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile DIR/pid
TLSCertificateFile DIR/server.crt
TLSCertificateKeyFile DIR/server.key
TLSVerifyClient never
database mdb
suffix "SUFFIX"
rootdn "ADMIN"
rootpw "SECRET"
directory DIR/db
maxsize 67108864
envflags nosync
index objectClass,uid,cn,member eq
overlay memberof
limits dn.exact="SERVICE" size.soft=50 size.hard=50 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="SERVICE" read by * none
`)
}

// fill makes the entries that every server has.
func (s *Server) fill() {
	s.t.Helper()
	s.Add(Suffix, map[string][]string{"objectClass": {"dcObject", "organization"}, "dc": {"example"}, "o": {"Example"}})
	s.Add(People, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"people"}})
	s.Add(Groups, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"groups"}})
	s.Add(Service, map[string][]string{
		"objectClass": {"applicationProcess", "simpleSecurityObject"}, "cn": {"rollcall"}, "userPassword": {ServicePassword},
	})
}

// Add adds an entry.
func (s *Server) Add(dn string, attributes map[string][]string) {
	s.t.Helper()
	r := lib.NewAddRequest(dn, nil)
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if len(attributes[name]) > 0 {
			r.Attribute(name, attributes[name])
		}
	}
	s.must(s.ldap.Add(r))
}

// AddPerson adds somebody with the password [Password] below [People] and returns
// the DN. More attributes replace those that everybody has.
func (s *Server) AddPerson(uid string, more map[string][]string) string {
	s.t.Helper()
	all := map[string][]string{
		"objectClass": {"inetOrgPerson"}, "uid": {uid}, "cn": {uid}, "sn": {uid}, "userPassword": {Password},
	}
	maps.Copy(all, more)
	dn := fmt.Sprintf("uid=%s,%s", lib.EscapeDN(uid), People)
	s.Add(dn, all)
	return dn
}

// AddGroup adds a groupOfNames and returns its DN.
func (s *Server) AddGroup(cn string, members ...string) string {
	s.t.Helper()
	dn := fmt.Sprintf("cn=%s,%s", lib.EscapeDN(cn), Groups)
	s.Add(dn, map[string][]string{"objectClass": {"groupOfNames"}, "cn": {cn}, "member": members})
	return dn
}

// Set replaces the values of an attribute.
func (s *Server) Set(dn, attribute string, values ...string) {
	s.t.Helper()
	r := lib.NewModifyRequest(dn, nil)
	r.Replace(attribute, values)
	s.must(s.ldap.Modify(r))
}

// Remove removes an entry.
func (s *Server) Remove(dn string) {
	s.t.Helper()
	s.must(s.ldap.Del(lib.NewDelRequest(dn, nil)))
}
