package ldap

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	lib "github.com/go-ldap/ldap/v3"
)

// idleFor is how long a connection may lie idle. After that the other side, or
// something between, may have dropped it without a word, which would only be found
// out by waiting in vain.
const idleFor = time.Minute

// Client is a directory that is reached by LDAP. It is safe for concurrent use.
type Client struct {
	// Fixed.
	cfg    Config
	domain string
	urls   []*url.URL

	// Safe.
	slots  chan *slot
	good   atomic.Int32 // the URL that answered last
	closed chan struct{}
}

// slot is what one login at a time uses; each connection may be nil.
type slot struct {
	search *conn // bound as the service's own account
	bind   *conn // bound as whoever was there last; nothing but binds are made on it
}

// New returns a client for the people with addresses at a domain. Files that the
// configuration names have to be there. It connects to nothing yet.
func New(cfg Config, domain string) (*Client, error) {
	c := &Client{
		cfg: cfg, domain: domain,
		slots: make(chan *slot, max(cfg.Connections, 1)), closed: make(chan struct{}),
	}
	for _, s := range cfg.URLs {
		u, err := url.Parse(s)
		if err != nil {
			return nil, fmt.Errorf("ldap: %w", err)
		}
		if _, err := c.trust(u); err != nil {
			return nil, fmt.Errorf("ldap: %w", err)
		}
		c.urls = append(c.urls, u)
	}
	if _, err := cfg.password(); err != nil {
		return nil, fmt.Errorf("ldap: %w", err)
	}
	for range cap(c.slots) {
		c.slots <- new(slot)
	}
	return c, nil
}

// Run keeps the client until ctx is done, and closes it then.
func (c *Client) Run(ctx context.Context) error {
	<-ctx.Done()
	close(c.closed)
	for range cap(c.slots) {
		s := <-c.slots // who has it gives it back: its time is bounded
		s.drop()
	}
	return nil
}

func (s *slot) drop() {
	for _, conn := range []**conn{&s.search, &s.bind} {
		discard(conn)
	}
}

func discard(c **conn) {
	if *c != nil {
		(*c).close()
		*c = nil
	}
}

// take waits for a slot.
func (c *Client) take(ctx context.Context) (*slot, error) {
	select {
	case <-c.closed:
		return nil, errors.New("ldap: the server stops")
	default:
	}
	select {
	case s := <-c.slots:
		return s, nil
	case <-c.closed:
		return nil, errors.New("ldap: the server stops")
	case <-ctx.Done():
		return nil, fmt.Errorf("ldap: all connections are in use (directory.connections): %w", ctx.Err())
	}
}

// connect returns a new connection to the first server that answers, beginning
// with the one that did last. All of them together have the time of ctx.
func (c *Client) connect(ctx context.Context) (*conn, error) {
	begin := int(c.good.Load())
	var errs []error
	for i := range c.urls {
		n := (begin + i) % len(c.urls)
		conn, err := c.connectTo(ctx, c.urls[n], len(c.urls)-i)
		if err == nil {
			c.good.Store(int32(n))
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// connectTo connects to one server, in its share of the time that is left.
func (c *Client) connectTo(ctx context.Context, u *url.URL, share int) (*conn, error) {
	if end, bounded := ctx.Deadline(); bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(share))
		defer cancel()
	}
	return c.dial(ctx, u)
}

// login binds a connection as the service's own account.
func (c *Client) login(ctx context.Context, conn *conn) error {
	if c.cfg.BindDN == "" {
		return nil // nobody searches
	}
	password, err := c.cfg.password()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBind, err)
	}
	if err := conn.do(ctx, func() error { return conn.Bind(c.cfg.BindDN, password) }); err != nil {
		return fmt.Errorf("%w as %s: %w", ErrBind, c.cfg.BindDN, err)
	}
	return nil
}

// searcher returns a connection that is bound as the service's own account.
func (c *Client) searcher(ctx context.Context) (*conn, error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.login(ctx, conn); err != nil {
		conn.close()
		return nil, err
	}
	return conn, nil
}

// with calls f with the connection at a place of a slot. It makes one if there is
// none, and once more if the one that is there turns out to be broken.
func (c *Client) with(ctx context.Context, at **conn, dial func(context.Context) (*conn, error), f func(*conn) error) error {
	if *at != nil && ((*at).IsClosing() || time.Since((*at).used) > idleFor) {
		discard(at)
	}
	fresh := *at == nil
	for {
		if *at == nil {
			conn, err := dial(ctx)
			if err != nil {
				return err
			}
			*at = conn
		}
		err := (*at).do(ctx, func() error { return f(*at) })
		if err == nil {
			return nil
		}
		if _, answered := answer(err); answered {
			return err
		}
		discard(at)
		if fresh || ctx.Err() != nil {
			return err
		}
		fresh = true
	}
}

// Servers returns the URLs of the directory's servers.
func (c *Client) Servers() []string { return c.cfg.URLs }

// Try connects to one server and lets the server in as it does for a search. The
// error says at which step it failed.
func (c *Client) Try(ctx context.Context, server string) error {
	u, err := url.Parse(server)
	if err != nil {
		return fmt.Errorf("ldap: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	conn, err := c.dial(ctx, u)
	if err != nil {
		return err
	}
	defer conn.close()
	return c.login(ctx, conn)
}

// request returns a search below a DN.
func request(base, filter string, attributes []string, limit int) *lib.SearchRequest {
	return lib.NewSearchRequest(base, lib.ScopeWholeSubtree, lib.NeverDerefAliases, limit, 0, false, filter, attributes, nil)
}
