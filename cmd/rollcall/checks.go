package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"rollcall/storage"
	"rollcall/xmpp/sasl"
)

// checkFiles looks at who may read what.
func checkFiles(_ context.Context, p *patient) (out []finding) {
	dir, err := os.Stat(p.cfg.DataDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		out = append(out, finding{note, "files", p.cfg.DataDir + " is not there yet; the server makes it when it starts", ""})
	case err != nil:
		return []finding{{bad, "files", err.Error(), "let the server's user read and write " + p.cfg.DataDir}}
	case !dir.IsDir():
		return []finding{{bad, "files", p.cfg.DataDir + " is not a directory", "set another server.data_dir"}}
	}
	private := []string{p.cfg.DataDir, p.cfg.ControlSocket(), selfSignedPair(p.cfg.TLSDir()).Key, filepath.Join(p.cfg.DataDir, demoFile)}
	if p.cfg.Storage.Driver == storage.SQLite {
		db := p.cfg.DatabasePath()
		private = append(private, db, db+"-wal", db+"-shm")
	}
	for _, c := range p.cfg.C2S.Certificates {
		private = append(private, c.Key)
	}
	if p.cfg.LDAP.PasswordFile != "" {
		private = append(private, p.cfg.LDAP.PasswordFile)
	}
	inline := p.cfg.Storage.DSN + p.cfg.LDAP.Password
	for _, d := range p.cfg.Components.Domains {
		inline += d.Secret
		if d.SecretFile != "" {
			private = append(private, d.SecretFile)
		}
	}
	for _, u := range p.cfg.Watcher.Upstreams {
		inline += u.Secret
		if u.SecretFile != "" {
			private = append(private, u.SecretFile)
		}
	}
	if inline != "" && p.configFile != "" {
		private = append(private, p.configFile)
	}
	wrong := 0
	for _, path := range private {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue // what is missing is for the other checks
		}
		wrong++
		out = append(out, finding{bad, "files", fmt.Sprintf("others can read %s (mode %04o)", path, info.Mode().Perm()), "chmod go= " + path})
	}
	if wrong == 0 {
		out = append(out, finding{good, "files", "keys and data are readable by their owner only", ""})
	}
	return out
}

// checkPorts looks whether the addresses can be had, or are had by this server.
func checkPorts(ctx context.Context, p *patient) (out []finding) {
	for _, address := range slices.Concat(p.cfg.C2S.Listen, p.cfg.C2S.ListenTLS, p.cfg.ComponentAddresses()) {
		out = append(out, checkPort(ctx, p, "tcp", address))
	}
	for _, address := range p.cfg.SIPAddresses() {
		out = append(out, checkPort(ctx, p, "tcp", address))
	}
	for _, address := range p.cfg.SIP.Listen {
		if f := checkPort(ctx, p, "udp", address); f.verdict != good {
			out = append(out, f)
		}
	}
	return out
}

// taken tries to have an address.
func taken(ctx context.Context, network, address string) error {
	var lc net.ListenConfig
	if network == "udp" {
		conn, err := lc.ListenPacket(ctx, network, address)
		if err == nil {
			conn.Close()
		}
		return err
	}
	listener, err := lc.Listen(ctx, network, address)
	if err == nil {
		listener.Close()
	}
	return err
}

func checkPort(ctx context.Context, p *patient, network, address string) finding {
	if p.server != nil && slices.Contains(p.server.Addresses, address) {
		return finding{good, "ports", address + " is this server's", ""}
	}
	err := taken(ctx, network, address)
	switch {
	case err == nil:
		if p.server != nil {
			return finding{bad, "ports", address + " is free, though the server runs", "restart the server: its configuration has changed since it started"}
		}
		return finding{good, "ports", address + " is free", ""}
	case errors.Is(err, syscall.EADDRINUSE):
		return finding{bad, "ports", address + " is taken by another program", "find it with: ss -tulnp; stop it, or set another address in [c2s], [components] or [sip]"}
	case errors.Is(err, fs.ErrPermission):
		return finding{bad, "ports", address + " is not allowed: " + err.Error(), "ports below 1024 need the capability CAP_NET_BIND_SERVICE"}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return finding{bad, "ports", address + " is no address of this machine", "see: ip address; or listen on all with \":PORT\""}
	}
	return finding{bad, "ports", address + ": " + err.Error(), "set another address in [c2s], [components] or [sip]"}
}

// checkCertificates looks whether every domain has a certificate that lasts.
func checkCertificates(_ context.Context, p *patient) (out []finding) {
	pairs := p.cfg.C2S.Certificates
	if p.cfg.NeedsSelfSigned() {
		self := selfSignedPair(p.cfg.TLSDir())
		if _, err := os.Stat(self.Cert); errors.Is(err, fs.ErrNotExist) {
			return []finding{{note, "certificates", "the server makes a self-signed certificate when it starts", ""}}
		}
		pairs = append(pairs, self)
		out = append(out, finding{note, "certificates", "self-signed: clients ask whether to trust it", "for more than trying out, name real ones in tls.certificates"})
	}
	var leaves []*x509.Certificate
	for _, pair := range pairs {
		loaded, err := tls.LoadX509KeyPair(pair.Cert, pair.Key)
		if err != nil {
			out = append(out, finding{bad, "certificates", pair.Cert + ": " + err.Error(), "see that both files are there, readable and belong together"})
			continue
		}
		leaves = append(leaves, loaded.Leaf)
		out = append(out, expiry(pair.Cert, loaded.Leaf, p.now))
	}
	for _, d := range p.cfg.Server.Domains {
		name := asciiDomain(d.Name)
		if !slices.ContainsFunc(leaves, func(c *x509.Certificate) bool { return c.VerifyHostname(name) == nil }) {
			out = append(out, finding{bad, "certificates", "none is for " + d.Name, "get one for that name and add it to tls.certificates"})
		}
	}
	return out
}

// expiry says how long a certificate lasts.
func expiry(file string, leaf *x509.Certificate, now time.Time) finding {
	const soon = 14 * 24 * time.Hour
	until := leaf.NotAfter.Format(time.DateOnly)
	switch {
	case now.Before(leaf.NotBefore):
		return finding{bad, "certificates", file + " is not valid before " + leaf.NotBefore.Format(time.DateTime), "check the clock, or wait"}
	case now.After(leaf.NotAfter):
		return finding{bad, "certificates", file + " expired on " + until, "renew it, then: kill -HUP PID"}
	case now.Add(soon).After(leaf.NotAfter):
		return finding{bad, "certificates", file + " expires soon, on " + until, "renew it, then: kill -HUP PID"}
	}
	return finding{good, "certificates", fmt.Sprintf("%s is valid until %s for %s", file, until, strings.Join(leaf.DNSNames, ", ")), ""}
}

// checkDatabase looks whether the database is there and up to date. It makes
// none.
func checkDatabase(ctx context.Context, p *patient) []finding {
	if p.cfg.Storage.Driver == storage.SQLite {
		if _, err := os.Stat(p.cfg.DatabasePath()); errors.Is(err, fs.ErrNotExist) {
			return []finding{{note, "database", p.cfg.DatabasePath() + " is not there yet; the server makes it when it starts", ""}}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	db, err := openDatabase(ctx, p.cfg)
	if err != nil {
		return []finding{{bad, "database", err.Error(), "see [storage] in the configuration, and whether the database runs"}}
	}
	defer db.Close()
	pending, err := db.Pending(ctx)
	if err != nil {
		return []finding{{bad, "database", err.Error(), "see the message"}}
	}
	if len(pending) > 0 {
		return []finding{{note, "database", fmt.Sprintf("%d migrations are missing; the server applies them when it starts", len(pending)), "to do it now: rollcall migrate"}}
	}
	count, err := db.Accounts().Count(ctx)
	if err != nil {
		return []finding{{bad, "database", err.Error(), "see the message"}}
	}
	if count == 0 {
		return []finding{{note, "database", db.Kind() + " is up to date and has no account", "rollcall account add NAME@" + p.cfg.Server.Domains[0].Name}}
	}
	out := []finding{{good, "database", fmt.Sprintf("%s is up to date and has %d accounts", db.Kind(), count), ""}}
	out = append(out, checkAdmins(ctx, p, db.Accounts())...)
	return append(out, checkKeys(ctx, p, db)...)
}

// checkAdmins looks whether the administrators have accounts that can be used.
func checkAdmins(ctx context.Context, p *patient, accounts *storage.Accounts) (out []finding) {
	for _, who := range p.cfg.Server.Admins {
		a, err := accounts.Lookup(ctx, who)
		switch {
		case errors.Is(err, storage.ErrNoAccount):
			out = append(out, finding{note, "admins", string(who) + " has no account", "rollcall account add " + string(who) + ", or leave it out of server.admins"})
		case err != nil:
			out = append(out, finding{bad, "admins", err.Error(), "see the message"})
		case a.Disabled:
			out = append(out, finding{note, "admins", string(who) + " is disabled", "rollcall account enable " + string(who) + ", or leave it out of server.admins"})
		}
	}
	return out
}

// checkRegistration looks whether strangers can come in, and what they could do.
func checkRegistration(_ context.Context, p *patient) []finding {
	if !p.cfg.Registration.Open {
		return []finding{{good, "registration", "accounts are made by you only", ""}}
	}
	f := finding{note, "registration", "anybody can make an account", ""}
	if g := p.cfg.Floodgate; g.ReceivedPerMinute == 0 || g.MessagesPerMinute == 0 {
		f.what += ", and a crowd of new ones could bury somebody in messages"
		f.todo = `set narrower limits in [floodgate]: see "Limits and abuse" in docs/operating.md`
	}
	return []finding{f}
}

// checkKeys looks whether everybody can log in with every mechanism that is
// offered. Who moved here from another server may have keys of one only.
func checkKeys(ctx context.Context, p *patient, db *storage.DB) (out []finding) {
	for _, h := range sasl.Hashes() {
		if !slices.Contains(p.cfg.C2S.Auth.Mechanisms, h.String()) {
			continue
		}
		n, err := db.Accounts().Lacking(ctx, h)
		switch {
		case err != nil:
			return append(out, finding{bad, "passwords", err.Error(), "see the message"})
		case n > 0:
			out = append(out, finding{bad, "passwords", fmt.Sprintf("%d accounts have no keys of %s, which is offered: clients that choose it cannot log in to them", n, h),
				"take it out of auth.mechanisms until these people have changed their passwords"})
		}
	}
	return out
}

// checkDNS looks whether clients can find the server by its domain.
func checkDNS(ctx context.Context, p *patient) (out []finding) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, d := range p.cfg.Server.Domains {
		if local(d.Name) {
			out = append(out, finding{note, "dns", d.Name + " is not looked up in DNS: skipped", ""})
			continue
		}
		// XEP-0368 §3: clients take the records of both services together.
		out = append(out, checkSRV(ctx, p, d.Name, "xmpp-client", p.cfg.C2S.Listen, "5222"))
		if len(p.cfg.C2S.ListenTLS) > 0 {
			out = append(out, checkSRV(ctx, p, d.Name, "xmpps-client", p.cfg.C2S.ListenTLS, ""))
		}
	}
	return out
}

// checkSRV looks at one kind of record. implied is the port that clients try
// without a record, if they do.
func checkSRV(ctx context.Context, p *patient, domain, service string, addresses []string, implied string) finding {
	name := "_" + service + "._tcp." + domain
	ports := portsOf(addresses)
	_, records, err := p.dns.LookupSRV(ctx, service, "tcp", asciiDomain(domain))
	var missing *net.DNSError
	switch {
	case errors.As(err, &missing) && missing.IsNotFound, err == nil && len(records) == 0:
		f := finding{note, "dns", name + " has no SRV record", fmt.Sprintf("add: %s. 3600 IN SRV 5 0 %s %s.", name, first(ports, "5222"), asciiDomain(domain))}
		if implied == "" || !slices.Contains(ports, implied) {
			return f
		}
		f.what += "; clients try port " + implied + " of " + domain
		return f
	case err != nil:
		return finding{note, "dns", name + " could not be looked up: " + err.Error(), "try again where DNS can be reached"}
	}
	for _, r := range records {
		if !slices.Contains(ports, strconv.Itoa(int(r.Port))) {
			return finding{bad, "dns", fmt.Sprintf("%s points to %s port %d, where this server does not listen", name, r.Target, r.Port), "change the record or [c2s], unless something in front of the server forwards that port"}
		}
	}
	return finding{good, "dns", fmt.Sprintf("%s points to %s port %d", name, records[0].Target, records[0].Port), ""}
}

// local reports whether a domain is one that DNS does not know (RFC 6761).
func local(domain string) bool {
	return domain == "localhost" || strings.HasSuffix(domain, ".localhost") || strings.HasSuffix(domain, ".local") ||
		strings.HasSuffix(domain, ".test") || net.ParseIP(strings.Trim(domain, "[]")) != nil
}

func portsOf(addresses []string) (ports []string) {
	for _, a := range addresses {
		if _, port, err := net.SplitHostPort(a); err == nil {
			ports = append(ports, port)
		}
	}
	return ports
}

func first(list []string, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return list[0]
}
