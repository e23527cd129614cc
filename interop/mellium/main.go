// Mellium checks a running server with mellium.im/xmpp as its client: an
// implementation of XMPP that shares no code with the server's streams. It
// reads the same environment as the other interop checks (see ../lib/check.py)
// and prints a PASS or FAIL line for each check.
package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"mellium.im/xmpp/jid"
)

// patience is how long a check may take.
const patience = 30 * time.Second

// A target is the server under test.
type target struct {
	host, port                     string
	tlsPort                        string // empty: direct TLS is not checked
	domain                         string
	addAccount                     string
	roots                          *x509.CertPool
	component                      string // the domain that a component may serve; empty: there is none
	componentPort, componentSecret string
	strict                         bool // what is optional in general has to be offered
}

// targetFromEnv reads the environment.
func targetFromEnv() (*target, error) {
	get := func(key, otherwise string) string {
		if v := os.Getenv(key); v != "" {
			return v
		}
		return otherwise
	}
	t := &target{
		host: get("HOST", "127.0.0.1"), port: get("PORT", "5222"), tlsPort: os.Getenv("TLS_PORT"),
		domain: get("DOMAIN", "localhost"), addAccount: os.Getenv("ADD_ACCOUNT"),
		component: os.Getenv("COMPONENT"), componentPort: os.Getenv("COMPONENT_PORT"), componentSecret: os.Getenv("COMPONENT_SECRET"),
		roots: x509.NewCertPool(), strict: os.Getenv("STRICT") == "1",
	}
	pem, err := os.ReadFile(os.Getenv("CA"))
	if err != nil {
		return nil, fmt.Errorf("CA: %w", err)
	}
	if !t.roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("CA: no certificate in it")
	}
	return t, nil
}

func (t *target) addr() string    { return net.JoinHostPort(t.host, t.port) }
func (t *target) tlsAddr() string { return net.JoinHostPort(t.host, t.tlsPort) }

// account makes an account for one check.
func (t *target) account(ctx context.Context, stem string) (jid.JID, string, error) {
	var salt [16]byte
	rand.Read(salt[:])
	name, password := stem+"-"+hex.EncodeToString(salt[:4]), hex.EncodeToString(salt[4:])
	cmd := exec.CommandContext(ctx, t.addAccount, name)
	cmd.Stdin = strings.NewReader(password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return jid.JID{}, "", fmt.Errorf("cannot add %s: %w: %s", name, err, out)
	}
	who, err := jid.New(name, t.domain, "mellium")
	return who, password, err
}

func main() {
	t, err := targetFromEnv()
	if err != nil {
		fmt.Println("FAIL mellium: start:", err)
		os.Exit(1)
	}
	failed := false
	for _, c := range checks {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := c.run(ctx, t)
		cancel()
		switch {
		case errors.Is(err, errNotOffered) && !t.strict:
			fmt.Printf("     mellium: %s: %v\n", c.name, err)
		case err != nil:
			failed = true
			fmt.Printf("FAIL mellium: %s: %s\n", c.name, strings.Join(strings.Fields(err.Error()), " "))
		default:
			fmt.Println("PASS mellium:", c.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}
