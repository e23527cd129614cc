package server

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

// ErrDisabled says that an account is disabled: nobody can log in to it.
var ErrDisabled = errors.New("server: the account is disabled")

// Admit says whether an account may have a session; see [Options]. The account is
// the caller's own, to be bound.
func (srv *Server) Admit(ctx context.Context, a *Account) error {
	if srv.admit == nil || a.ID == 0 { // visitors have no account that could be barred
		return nil
	}
	era := srv.bars.Load() // before looking
	if err := srv.admit(ctx, a); err != nil {
		return err
	}
	a.admitted = era + 1
	return nil
}

// admitted reports whether Admit has let an account in, and none was barred
// since.
func (srv *Server) admitted(a *Account) bool { return a.admitted == srv.bars.Load()+1 }

// Bar ends the sessions of an account that nobody may have any more, also those
// that wait to be resumed. Whoever bars an account has it so in the database first:
// then a session that is bound meanwhile either is found here, or finds that it is
// to look again.
func (srv *Server) Bar(j jid.Bare, why *stream.Fault) {
	srv.bars.Add(1)
	if a := srv.dir.lookup(j); a != nil {
		for _, s := range a.Sessions() {
			s.HangUp(why)
		}
	}
}

// Peer is what is known of the other end of a connection.
type Peer struct {
	Addr      netip.Addr // invalid if there is none, as on a pipe
	TLS       uint16     // the version (tls.VersionTLS13); 0 without
	Mechanism string     // of SASL
}

// Known is implemented by connections that know their other end.
type Known interface{ Peer() Peer }

// SessionInfo is what there is to know of a session from outside.
type SessionInfo struct {
	Began     time.Time
	Heard     time.Time // when the client was last heard of
	Peer      Peer      // of the last connection, if there is none now
	Inactive  bool      // nobody looks, the client says (XEP-0352)
	Waiting   bool      // to be resumed: there is no connection
	Resumable bool      // it would wait if the connection broke
}

// Info returns what there is to know of the session now.
func (s *Session) Info() SessionInfo {
	st := SessionInfo{Began: time.Unix(s.began, 0), Heard: time.Unix(s.LastHeard(), 0), Inactive: s.Inactive()}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Waiting, st.Resumable = s.life == hibernating, s.keep > 0
	if p := s.peer(); p != nil {
		st.Peer = *p
	}
	return st
}

// Began returns when the session was bound.
func (s *Session) Began() time.Time { return time.Unix(s.began, 0) }

// peer returns the other end of the connection, or of the one before. The
// caller holds mu.
func (s *Session) peer() *Peer {
	if s.conn == nil {
		return s.last
	}
	k, ok := s.conn.(Known)
	if !ok {
		return nil
	}
	p := k.Peer()
	return &p
}
