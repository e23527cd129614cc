package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	lib "github.com/go-ldap/ldap/v3"
)

// What a connection may fail at, for those who say what to do about it.
var (
	ErrConnect = errors.New("no connection")
	ErrTLS     = errors.New("no encryption")
	ErrBind    = errors.New("the directory does not let the server in")
	ErrSearch  = errors.New("the search failed")
)

// maxAnswer bounds what may come back for one request, in bytes.
const maxAnswer = 64 << 20

// conn is a connection to a server of the directory. One goroutine at a time uses
// it.
type conn struct {
	*lib.Conn
	raw  *bounded
	used time.Time // when it was last used
}

// dial connects to a server and encrypts. The time of ctx bounds it.
func (c *Client) dial(ctx context.Context, u *url.URL) (*conn, error) {
	trust, err := c.trust(u)
	if err != nil {
		return nil, fmt.Errorf("%w to %s: %w", ErrTLS, u, err)
	}
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", address(u))
	if err != nil {
		return nil, fmt.Errorf("%w to %s: %w", ErrConnect, u, patience(ctx, err))
	}
	raw := &bounded{Conn: nc}
	raw.left.Store(maxAnswer)
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	conn, err := c.open(ctx, u, raw, trust)
	if err == nil && !stop() {
		conn.close()
		err = ctx.Err()
	}
	if err != nil {
		stop()
		raw.Close()
		return nil, fmt.Errorf("%w to %s: %w", ErrTLS, u, patience(ctx, err))
	}
	return conn, nil
}

// open begins to speak LDAP on a new connection.
func (c *Client) open(ctx context.Context, u *url.URL, raw *bounded, trust *tls.Config) (*conn, error) {
	if u.Scheme == "ldaps" {
		secret := tls.Client(raw, trust)
		if err := secret.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		l := lib.NewConn(secret, true)
		l.Start()
		return &conn{Conn: l, raw: raw}, nil
	}
	l := lib.NewConn(raw, false)
	l.Start()
	if c.cfg.StartTLS {
		if err := l.StartTLS(trust); err != nil {
			raw.Close()
			l.Close()
			return nil, err
		}
	}
	return &conn{Conn: l, raw: raw}, nil
}

// trust returns whom to believe to be a server of the directory. The file is read
// each time, so that it can be replaced while the server runs.
func (c *Client) trust(u *url.URL) (*tls.Config, error) {
	cfg := &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	if c.cfg.CAFile == "" {
		return cfg, nil
	}
	text, err := os.ReadFile(c.cfg.CAFile)
	if err != nil {
		return nil, fmt.Errorf("the file with the authorities to trust: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("there is no certificate in %s", c.cfg.CAFile)
	}
	return cfg, nil
}

// do makes one request, which ends with ctx: by breaking the connection, since
// what is half done is of no use to the next one.
func (c *conn) do(ctx context.Context, request func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.raw.left.Store(maxAnswer)
	stop := context.AfterFunc(ctx, func() { c.raw.Close() })
	err := request()
	if !stop() {
		err = patience(ctx, errors.Join(err, ctx.Err()))
	}
	c.used = time.Now()
	return err
}

// close closes the connection without waiting for the other side.
func (c *conn) close() {
	c.raw.Close()
	c.Conn.Close()
}

// patience says that time was up where that is all that is known.
func patience(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errors.New("no answer in time (directory.timeout)")
	}
	return err
}

// answer returns the code with which the directory answered a request, if it is
// such an answer that an error stands for: not a connection that broke.
func answer(err error) (code uint16, answered bool) {
	var e *lib.Error
	if !errors.As(err, &e) || e.ResultCode >= lib.ErrorNetwork {
		return 0, false
	}
	return e.ResultCode, true
}

// bounded is a network connection from which only so much may come.
type bounded struct {
	net.Conn
	left atomic.Int64
}

// Read implements net.Conn.
func (b *bounded) Read(p []byte) (int, error) {
	left := b.left.Load()
	if left <= 0 {
		return 0, fmt.Errorf("the directory sent more than %d bytes: %w", maxAnswer, io.ErrShortBuffer)
	}
	n, err := b.Conn.Read(p[:min(int64(len(p)), left)])
	b.left.Add(-int64(n))
	return n, err
}
