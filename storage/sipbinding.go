package storage

import (
	"context"
	"database/sql"
	"net/netip"
	"strings"

	"rollcall/sipgw/registrar"
)

// SIPBindings keeps where devices can be reached: a [registrar.Store].
type SIPBindings struct{ db *DB }

// SIPBindings returns the store of that.
func (db *DB) SIPBindings() *SIPBindings { return &SIPBindings{db} }

// LoadBindings implements [registrar.Store].
func (s *SIPBindings) LoadBindings(ctx context.Context) (all []*registrar.Binding, err error) {
	err = s.db.each(ctx, "sipbinding.list", nil, func(rows *sql.Rows) error {
		var b registrar.Binding
		var id int64
		var path, remote, local string
		err := rows.Scan(&id, &b.AOR, &b.Contact, &b.Params, &b.Q, &b.Instance, &b.RegID, &path, &b.CallID, &b.CSeq, &b.UserAgent,
			&b.Flow.Transport, &remote, &local, (*micros)(&b.Created), (*micros)(&b.Refreshed), (*micros)(&b.Expires))
		if err != nil {
			return err
		}
		b.ID = uint64(id)
		if path != "" {
			b.Path = strings.Split(path, "\n")
		}
		if b.Flow.Remote, err = parseAddrPort(remote); err != nil {
			return err
		}
		b.Flow.Local, err = parseAddrPort(local)
		all = append(all, &b)
		return err
	})
	return all, err
}

// SaveBindings implements [registrar.Store].
func (s *SIPBindings) SaveBindings(ctx context.Context, put []*registrar.Binding, gone []uint64) error {
	return s.db.tx(ctx, "save where devices can be reached", func(t *tx) error {
		const width = 17
		args := make([]any, 0, width*len(put))
		for _, b := range put {
			args = append(args, int64(b.ID), b.AOR, b.Contact, b.Params, int64(b.Q), b.Instance, int64(b.RegID),
				strings.Join(b.Path, "\n"), b.CallID, int64(b.CSeq), b.UserAgent,
				int64(b.Flow.Transport), formatAddrPort(b.Flow.Remote), formatAddrPort(b.Flow.Local),
				b.Created.UnixMicro(), b.Refreshed.UnixMicro(), b.Expires.UnixMicro())
		}
		if err := t.insert(ctx, "sipbinding.put", width, args); err != nil {
			return err
		}
		return dropAll(ctx, t, "sipbinding.drop", gone)
	})
}

// dropAll runs a query for each of many IDs.
func dropAll(ctx context.Context, t *tx, query string, ids []uint64) error {
	for _, id := range ids {
		if _, err := t.exec(ctx, query, int64(id)); err != nil {
			return err
		}
	}
	return nil
}

func parseAddrPort(s string) (netip.AddrPort, error) {
	if s == "" {
		return netip.AddrPort{}, nil
	}
	return netip.ParseAddrPort(s)
}

func formatAddrPort(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
