package operator

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

// sessionOperations are about who is connected (XEP-0133 §4.5).
var sessionOperations = []Operation{
	{
		Name: "session.list", Title: "List who is connected", Reads: true, Live: true,
		Fields: []Field{{Name: "accountjid", Label: "Only the clients of this account", Kind: Person}, howMany, fromWhere},
		run:    listSessions,
	},
	{
		Name: "session.kill", Title: "Disconnect clients", Node: adminNode + "end-user-session", Live: true,
		Hint:   "The address of an account stands for all of its clients. They can log in again.",
		Fields: []Field{{Name: "accountjids", Label: "The addresses of the clients or accounts", Kind: Clients, Required: true}},
		run:    killSessions,
	},
}

var errKilled = &stream.Fault{Condition: mellium.UndefinedCondition, Text: "an administrator has ended this session"}

// killSessions ends sessions: that of a full address, or all of an account.
func killSessions(_ context.Context, d *Desk, v values) (Answer, error) {
	n := 0
	for _, text := range v["accountjids"] {
		j, err := jid.Parse(text)
		if err != nil {
			return Answer{}, err // it was one before
		}
		all := d.sessions(j.Bare())
		if j.IsFull() {
			all = slices.DeleteFunc(slices.Clone(all), func(s *server.Session) bool { return s.JID != j })
		}
		if j.IsFull() && len(all) == 0 {
			return Answer{}, after(n, "ended", &Error{Reason: NoSession, Text: "nobody is connected as " + text, Subject: j.Bare()})
		}
		cutOff(all, errKilled)
		n += len(all)
	}
	return Answer{Note: fmt.Sprintf("ended %d of the sessions", n)}, nil
}

// listSessions lists sessions in the order of their addresses.
func listSessions(_ context.Context, d *Desk, v values) (Answer, error) {
	var all []*server.Session
	if who := v.person("accountjid"); who != "" {
		all = slices.Clone(d.sessions(who))
	} else {
		d.live.Server.EachSession(func(s *server.Session) { all = append(all, s) })
	}
	from, limit := v.one("after"), v.limit()
	all = slices.DeleteFunc(all, func(s *server.Session) bool { return s.JID.String() <= from })
	slices.SortFunc(all, func(a, b *server.Session) int { return cmp.Compare(a.JID.String(), b.JID.String()) })
	a := Answer{Header: []string{"client", "from", "since", "encryption", "login", "silent for", "state"}}
	now := time.Now()
	for _, s := range all[:min(limit, len(all))] {
		a.Rows = append(a.Rows, describe(s, now))
	}
	if len(all) > limit {
		a.Next = all[limit-1].JID.String()
	}
	return a, nil
}

// describe is a row about a session.
func describe(s *server.Session, now time.Time) []string {
	info := s.Info()
	from, encryption, login := "-", "none", "-"
	if info.Peer.Addr.IsValid() {
		from = info.Peer.Addr.String()
	}
	if info.Peer.TLS != 0 {
		encryption = tls.VersionName(info.Peer.TLS)
	}
	if info.Peer.Mechanism != "" {
		login = info.Peer.Mechanism
	}
	return []string{
		s.JID.String(), from, minute(info.Began), encryption, login,
		max(now.Sub(info.Heard), 0).Round(time.Second).String(), strings.Join(traits(s, &info), ", "),
	}
}

// traits says in words what a session is.
func traits(s *server.Session, info *server.SessionInfo) (out []string) {
	v := s.Availability()
	switch {
	case v == nil:
		out = append(out, "not available")
	case v.Show == "":
		out = append(out, "available")
	default:
		out = append(out, v.Show)
	}
	if info.Inactive {
		out = append(out, "nobody looks")
	}
	switch {
	case info.Waiting:
		out = append(out, "connection lost, waits to be resumed")
	case info.Resumable:
		out = append(out, "resumable")
	}
	return out
}
