package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rollcall/storage/ldap"
)

// checkDirectory looks whether the directory of people can be reached and read, if
// there is one.
func checkDirectory(ctx context.Context, p *patient) (out []finding) {
	domain := p.cfg.DirectoryDomain()
	if domain == "" {
		return nil
	}
	client, err := ldap.New(p.cfg.LDAP, domain)
	if err != nil {
		return []finding{{bad, "directory", err.Error(), "see [directory] in the configuration, and run this as the server's own user"}}
	}
	reachable := false
	for _, server := range client.Servers() {
		if err := client.Try(ctx, server); err != nil {
			out = append(out, finding{bad, "directory", err.Error(), cure(err)})
			continue
		}
		reachable = true
		out = append(out, finding{good, "directory", server + " answers and lets the server in", ""})
	}
	if !reachable {
		return out
	}
	found, err := client.Read(ctx)
	switch {
	case err != nil:
		return append(out, finding{bad, "directory", err.Error(), cure(err)})
	case len(found.People) == 0:
		return append(out, finding{bad, "directory", "nobody is found there below " + p.cfg.LDAP.BaseDN,
			"see directory.base_dn and user_filter, and whether the server's account may read people"})
	}
	out = append(out, finding{good, "directory", fmt.Sprintf("%d people and %d groups are found there", len(found.People), len(found.Groups)), ""})
	if n := found.Unnamed; n > 0 {
		out = append(out, finding{note, "directory", fmt.Sprintf("%d entries have no name that an address can be made of", n),
			"see the attribute login in directory.attributes; names with blanks or @ cannot be addresses"})
	}
	if names := found.Doubtful; len(names) > 0 {
		out = append(out, finding{note, "directory", "several entries have these names, so that nobody has them: " + strings.Join(names, ", "),
			"leave all but one out by directory.user_filter"})
	}
	if p.cfg.LDAP.GroupFilter != "" && len(found.Groups) == 0 {
		out = append(out, finding{note, "directory", "no group is found", "see directory.group_base_dn, group_filter and groups"})
	}
	return out
}

// cure says what to do about an error of the directory.
func cure(err error) string {
	switch {
	case errors.Is(err, ldap.ErrConnect):
		return "see directory.urls, whether the directory runs, and what is between"
	case errors.Is(err, ldap.ErrTLS):
		return "see directory.ca_file, and whether the certificate is for the name in directory.urls"
	case errors.Is(err, ldap.ErrBind):
		return "see directory.bind_dn and its password"
	}
	return "see directory.base_dn and the filters, and whether the server's account may read there"
}
