package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"rollcall/internal/operator"
)

// A running server has a socket in its data directory that only its own user
// can open. Through it the command line asks the server to do what would
// otherwise go behind its back. What is said there is JSON over HTTP.

const (
	controlRequest  = 16 << 20 // bytes of a request at most: a list of the most devices
	controlAnswer   = 4 << 20  // of an answer: a page of the longest addresses
	controlDeadline = 30 * time.Second
)

// status is what a running server says of itself.
type status struct {
	Version   string    `json:"version"`
	PID       int       `json:"pid"`
	Started   time.Time `json:"started"`
	Addresses []string  `json:"addresses"`
}

// control answers the socket.
type control struct {
	desk   *operator.Desk
	mover  *operator.Mover // nil: accounts do not move, since they are at another server
	status status
	log    *slog.Logger
}

// listenControl opens the socket. Another server on the same directory is an
// error; what a killed one left behind is not.
func listenControl(path string) (net.Listener, error) {
	if s, err := (&remote{path}).Status(context.Background()); err == nil {
		return nil, fmt.Errorf("a server is running on %s already (pid %d); stop it, or set another server.data_dir", filepath.Dir(path), s.PID)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove an old control socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	// Until here the directory, which is its owner's only, keeps others out.
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// run answers until ctx is done.
func (c *control) run(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { c.answer(w, c.status, nil) })
	mux.HandleFunc("POST /orders", c.order)
	mux.HandleFunc("POST /import", c.take)
	mux.HandleFunc("POST /export", c.export)
	srv := &http.Server{
		Handler: mux, ReadTimeout: controlDeadline, WriteTimeout: controlDeadline, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelWarn),
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, localUser(uidOf(nc), "control socket"))
		},
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		// Nobody waits long for a command to end when the server stops.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		srv.Shutdown(last)
		srv.Close()
	})
	err := srv.Serve(listener)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// peerKey is where a request's context has who is at the other end.
type peerKey struct{}

// by is who sent a request.
func by(r *http.Request) operator.Actor {
	a, _ := r.Context().Value(peerKey{}).(operator.Actor)
	return a
}

// order carries out what the command line asks for.
func (c *control) order(w http.ResponseWriter, r *http.Request) {
	var o operator.Order
	var a operator.Answer
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, controlRequest)).Decode(&o)
	if err == nil {
		a, err = c.desk.Do(r.Context(), by(r), o)
	}
	c.answer(w, a, err)
}

func (c *control) answer(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		said := new(operator.Error)
		if !errors.As(err, &said) {
			said.Text = err.Error()
		}
		v = said
	}
	if err := json.NewEncoder(w).Encode(v); err != nil {
		c.log.Debug("the control socket was closed early", "err", err)
	}
}

// remote is the desk of a running server, through its socket.
type remote struct{ path string }

// running returns the desk of the server that runs on a socket, or nil if
// there is none.
func running(ctx context.Context, path string) (*remote, error) {
	r := &remote{path}
	_, err := r.Status(ctx)
	switch {
	case err == nil:
		return r, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return nil, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("a server may be running, and only its own user can talk to it: %w; run this as that user", err)
	}
	return nil, fmt.Errorf("the server does not answer at %s: %w", path, err)
}

// Status asks what is running.
func (r *remote) Status(ctx context.Context) (s status, err error) {
	return s, r.do(ctx, http.MethodGet, "/status", nil, &s)
}

// Do implements desk.
func (r *remote) Do(ctx context.Context, o operator.Order) (a operator.Answer, err error) {
	return a, r.do(ctx, http.MethodPost, "/orders", o, &a)
}

func (r *remote) do(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, controlDeadline)
	defer cancel()
	return r.ask(ctx, method, path, in, func(response *http.Response) error {
		if out == nil {
			return nil
		}
		return json.NewDecoder(io.LimitReader(response.Body, controlAnswer)).Decode(out)
	})
}

// ask sends a request and has read read what is answered, unless that is an
// error.
func (r *remote) ask(ctx context.Context, method, path string, in any, read func(*http.Response) error) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://control"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", r.path)
	}}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return read(response)
	}
	said := new(operator.Error)
	if json.NewDecoder(io.LimitReader(response.Body, controlAnswer)).Decode(said) != nil || said.Text == "" {
		said.Text = response.Status
	}
	return said
}
