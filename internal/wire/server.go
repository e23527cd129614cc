package wire

import (
	"context"
	"net"
	"sync"
	"testing"

	"rollcall/internal/transcript"
	"rollcall/internal/transcript/world"
	"rollcall/server/c2s"
)

// A Server is the whole server, on loopback addresses.
type Server struct {
	*world.World
	Plain, Direct string // addresses; Direct begins with TLS

	t         testing.TB
	listeners []net.Listener
	serving   sync.WaitGroup
}

// Serve starts a server, which is stopped when the test ends. The options are
// config lines, as for conversations; accounts get [transcript.Password].
func Serve(t *testing.T, options map[string]string, accounts ...string) *Server {
	t.Helper()
	return serve(t, world.New(t, options).(*world.World), accounts)
}

// ServePhones is Serve for a server that phones reach by the machine's network too, at
// sip.listen.
func ServePhones(t testing.TB, options map[string]string, accounts ...string) *Server {
	t.Helper()
	return serve(t, world.Outside(t, options), accounts)
}

func serve(t testing.TB, w *world.World, accounts []string) *Server {
	t.Helper()
	s := &Server{World: w, t: t}
	t.Cleanup(s.stop)
	for _, name := range accounts {
		if err := s.AddAccount(name, transcript.Password); err != nil {
			t.Fatal(err)
		}
	}
	s.Plain, s.Direct = s.listen(false), s.listen(true)
	return s
}

// Streams returns what serves the connections.
func (s *Server) Streams() *c2s.Server { return s.World.Streams() }

func (s *Server) listen(direct bool) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.listeners = append(s.listeners, ln)
	s.serving.Go(func() {
		if err := s.Streams().Serve(context.Background(), ln, direct); err != nil {
			s.t.Error(err)
		}
	})
	return ln.Addr().String()
}

func (s *Server) stop() {
	for _, ln := range s.listeners {
		ln.Close()
	}
	s.serving.Wait()
	s.Close()
}
