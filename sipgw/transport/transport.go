package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what a transport needs.
type Options struct {
	Config Config

	// Network is where the sockets come from; nil is the machine's.
	Network Network

	// Resolver looks up the names that requests of ours go to; nil is the system's.
	Resolver Resolver

	// Certificate is shown where a connection begins with TLS.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// MinTLSVersion is the oldest that is accepted there; 0 is TLS 1.2.
	MinTLSVersion uint16
	// Trust is what connections that we open with TLS go by; nil is the system's.
	Trust *tls.Config
	// AskCertificate says whether who connects with TLS is asked for a certificate, see
	// [Flow.Proves]. Who has none is let in all the same. nil: nobody is asked.
	AskCertificate func() bool

	// Hosts are names that are ours, besides the addresses that we listen at: in
	// Route headers, and as where OPTIONS may end.
	Hosts []string

	// Key signs flow tokens. With another key than before, those in the routes of
	// calls that are up mean nothing any more. Empty: a new one each time.
	Key []byte

	// Software is what we call ourselves, "" is nothing.
	Software string

	Log *slog.Logger
}

// Network makes sockets.
type Network interface {
	// ListenPacket returns a UDP socket at an address.
	ListenPacket(addr string) (PacketConn, error)
	// Listen takes TCP connections at an address.
	Listen(addr string) (net.Listener, error)
	// Dial opens a TCP connection.
	Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
}

// Resolver looks up names: *net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, found []*net.SRV, err error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// PacketConn is what we use of a UDP socket: *net.UDPConn is one.
type PacketConn interface {
	ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error)
	Socket
}

// Socket is what all sockets have.
type Socket interface {
	LocalAddr() net.Addr
	Close() error
}

// Transport carries SIP. Handlers are registered before it runs.
type Transport struct {
	// Fixed once it runs.
	cfg       Config
	network   Network
	resolver  Resolver
	minTLS    uint16
	cert      func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	trust     *tls.Config
	asks      func() bool
	hosts     []string
	key       []byte
	boot      uint64
	software  string
	log       *slog.Logger
	handlers  map[string]Handler
	allow     string
	closedFns []func(Flow)
	udp       []*udpLink
	listeners []*listener

	// Safe.
	limits  atomic.Pointer[Limits]
	server  *server
	client  *client
	gate    *gate
	conns   *conns
	done    chan struct{} // closed when it stops
	stopped atomic.Bool
	ending  sync.RWMutex // held while stopped is set, and by whoever goes by it
	wg      sync.WaitGroup
	nobody  oddities
}

// New makes a transport. Nothing is opened yet.
func New(o Options) (*Transport, error) {
	limits := o.Config.Limits.orDefaults()
	t := &Transport{
		cfg: o.Config, network: o.Network, resolver: o.Resolver, cert: o.Certificate, trust: o.Trust, asks: o.AskCertificate,
		minTLS: max(o.MinTLSVersion, tls.VersionTLS12),
		key:    o.Key, software: o.Software, log: o.Log,
		handlers: map[string]Handler{},
		server:   newServer(limits.Transactions, limits.Remembered),
		client:   newClient(limits.Transactions),
		gate:     newGate(time.Now()),
		done:     make(chan struct{}),
	}
	t.limits.Store(&limits)
	for _, h := range o.Hosts {
		t.hosts = append(t.hosts, strings.ToLower(h))
	}
	if t.network == nil {
		t.network = machine{}
	}
	if t.resolver == nil {
		t.resolver = net.DefaultResolver
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if len(t.cfg.ListenTLS)+len(t.cfg.ListenWSS) > 0 && t.cert == nil {
		return nil, errors.New("SIP over TLS has no certificate")
	}
	t.boot = randomID()
	if len(t.key) == 0 {
		t.key = randomKey()
	}
	t.conns = newConns(t.boot)
	return t, nil
}

// Reload takes over limits, but for that on transactions.
func (t *Transport) Reload(l Limits) {
	l = l.orDefaults()
	t.limits.Store(&l)
}

// Trusts reports whether an address is among those that limits by address do not hold
// for.
func (t *Transport) Trusts(a netip.Addr) bool { return t.limits.Load().trusts(a.Unmap()) }

// Handle has h take the requests of a method: "REGISTER". What no handler takes is
// answered 405; OPTIONS is answered without one. An ACK gets here only if it is for
// a 2xx. A CANCEL gets here only if there is no INVITE that it is for.
func (t *Transport) Handle(method string, h Handler) { t.handlers[method] = h }

// Endpoint is a handler for requests that end here, and are not passed on: those
// that require an extension that is not supported, and copies that came by
// another way, are answered and do not get to h. See [Request.Accept].
func Endpoint(h Handler, supported ...string) Handler {
	return func(r *Request) {
		if r.Accept(supported...) {
			h(r)
		}
	}
}

// OnFlowClosed has f called when a connection has ended, but for those that end
// with the transport. Flows of UDP never do.
func (t *Transport) OnFlowClosed(f func(Flow)) { t.closedFns = append(t.closedFns, f) }

// Listen opens the sockets. It is called by Run unless it was before.
func (t *Transport) Listen() error {
	if len(t.udp)+len(t.listeners) > 0 {
		return nil
	}
	err := t.open()
	if err != nil {
		t.closeListeners()
		t.udp, t.listeners = nil, nil
	}
	return err
}

// Run carries messages until ctx is done; all that it started has ended when it
// returns. What still waits for an answer then fails with [ErrStopped].
func (t *Transport) Run(ctx context.Context) error {
	if err := t.Listen(); err != nil {
		return err
	}
	t.allow = t.methods()
	t.wg.Go(func() { t.server.run(t.done) })
	t.wg.Go(func() { t.watch(ctx) })
	for _, u := range t.udp {
		t.wg.Go(u.read)
	}
	for _, l := range t.listeners {
		t.wg.Go(l.accept)
	}
	<-ctx.Done()
	t.stop()
	t.wg.Wait()
	return nil
}

// spawn runs f beside, as something that the end waits for, unless that has come.
func (t *Transport) spawn(f func()) bool {
	t.ending.RLock()
	defer t.ending.RUnlock()
	if t.stopped.Load() {
		return false
	}
	t.wg.Go(f)
	return true
}

func (t *Transport) stop() {
	t.ending.Lock()
	t.stopped.Store(true)
	t.ending.Unlock()
	close(t.done)
	t.client.close()
	t.closeListeners()
	t.conns.closeAll()
}

// watch looks after idle connections and tells what was refused meanwhile.
func (t *Transport) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			t.conns.reap(now, t.limits.Load().Idle)
			t.tell()
		}
	}
}

const watchEvery = 10 * time.Second

// tell writes a line about what was refused since the last one.
func (t *Transport) tell() {
	if limited, from := t.gate.refusals(); limited > 0 {
		t.log.Warn("SIP requests over the limit were dropped", "count", limited, "last", from)
	}
	if odd, from, why := t.nobody.take(); odd > 0 {
		t.log.Info("what came was not SIP, or bad SIP", "count", odd, "last", from, "why", why)
	}
}

// methods are those that are understood, for Allow.
func (t *Transport) methods() string {
	all := []string{"OPTIONS"}
	for m := range t.handlers {
		if m != "OPTIONS" {
			all = append(all, m)
		}
	}
	if slices.Contains(all, "INVITE") && !slices.Contains(all, "CANCEL") {
		all = append(all, "CANCEL")
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// oddities count what could not be understood, so that the log has one line for
// many of them.
type oddities struct {
	mu   sync.Mutex
	n    int
	from netip.AddrPort
	why  string
}

func (o *oddities) note(from netip.AddrPort, why string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n++
	o.from, o.why = from, why
}

func (o *oddities) take() (n int, from netip.AddrPort, why string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, o.n = o.n, 0
	return n, o.from, o.why
}
