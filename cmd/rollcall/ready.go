package main

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"rollcall/server/c2s"
	"rollcall/sipgw/transport"
)

// ready says that the server is up, and where.
func (p *program) ready(listeners []listener) {
	for _, l := range listeners {
		if l.component {
			p.log.Info("listening for components", "addr", l.Addr().String())
			continue
		}
		p.log.Info("listening", "addr", l.Addr().String(), "direct_tls", l.direct)
	}
	listeningForSIP(p.log, p.parts.Gateway.Transport)
	p.log.Info("ready", "version", version)
	if p.people != nil {
		p.invite(p.out, listeners)
	}
}

// listeningForSIP says where phones can register.
func listeningForSIP(log *slog.Logger, t *transport.Transport) {
	for _, kind := range []transport.Kind{transport.UDP, transport.TCP, transport.TLS, transport.WS, transport.WSS} {
		for _, at := range t.Addrs(kind) {
			log.Info("listening for SIP", "addr", at.String(), "transport", kind.String())
		}
	}
}

// invite tells a person what to type into a client.
func (p *program) invite(w io.Writer, listeners []listener) {
	var b strings.Builder
	b.WriteString("\nRollcall is ready. Add one of these accounts to a chat client on this machine:\n\n")
	for _, person := range p.people {
		password := person.password
		if password == "" {
			password = "(you have changed it)"
		}
		fmt.Fprintf(&b, "    address  %-18s password  %s\n", person.jid, password)
	}
	b.WriteByte('\n')
	for _, l := range listeners {
		if l.component {
			continue
		}
		host, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			continue
		}
		how := "STARTTLS (the usual)"
		if l.direct {
			how = "TLS from the start"
		}
		fmt.Fprintf(&b, "    server   %-18s port      %s, %s\n", host, port, how)
	}
	p.ring(&b)
	if p.cfg.NeedsSelfSigned() {
		b.WriteString("\nThe certificate is self-signed, so the client will ask: trust it.\n")
		if print := fingerprint(selfSignedPair(p.cfg.TLSDir())); print != "" {
			fmt.Fprintf(&b, "Its SHA-256 is %s\n", print)
		}
	}
	fmt.Fprintf(&b, "\nThe passwords are in %s too. Stop with Ctrl-C.\n\n", filepath.Join(p.cfg.DataDir, demoFile))
	io.WriteString(w, b.String()) // who closed standard output does not want it
}

// ring tells a person how to try the devices of the demonstration.
func (p *program) ring(b *strings.Builder) {
	at := p.parts.Gateway.Transport.Addrs(transport.UDP)
	if len(p.phones) == 0 || len(at) == 0 {
		return
	}
	b.WriteString("\nAll of them have two devices among their contacts. Have a telephone program on this machine be one of them:\n\n")
	for _, x := range p.phones {
		secret := x.secret
		if secret == "" {
			secret = "(you have changed it)"
		}
		fmt.Fprintf(b, "    SIP user %-18s secret    %s   (%s)\n", x.jid.Local(), secret, x.name)
	}
	fmt.Fprintf(b, "\n    SIP domain %s, server %s\n", p.phones[0].jid.Domain(), at[0])
	for _, x := range p.phones[:1] {
		if x.secret == "" {
			continue
		}
		fmt.Fprintf(b, "\n    baresip -e '/uanew <sip:%s@%s>;auth_pass=%s;outbound=\"sip:%s\"'\n", x.jid.Local(), x.jid.Domain(), x.secret, at[0])
	}
	b.WriteString("\nA call from it to sip:door, say, and Alice's contacts see that she is on the phone.\n")
}

// fingerprint is what clients show of a certificate.
func fingerprint(files c2s.Certificate) string {
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(pair.Certificate[0])
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}
