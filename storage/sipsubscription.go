package storage

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"rollcall/sipgw/notifier"
	"rollcall/sipgw/transport"
)

// SIPSubscriptions keeps what phones have subscribed to: a [notifier.Store].
type SIPSubscriptions struct{ db *DB }

// SIPSubscriptions returns the store of that.
func (db *DB) SIPSubscriptions() *SIPSubscriptions { return &SIPSubscriptions{db} }

// LoadSubscriptions implements [notifier.Store].
func (s *SIPSubscriptions) LoadSubscriptions(ctx context.Context) (all []*notifier.Saved, err error) {
	err = s.db.each(ctx, "sipsubscription.list", nil, func(rows *sql.Rows) error {
		var v notifier.Saved
		var id, pace int64
		var kind uint8
		var routes, remote, local string
		err := rows.Scan(&id, (*micros)(&v.Expires), &v.CSeq, &v.Version, &v.Theirs, &v.User, &v.Entity, &v.Event, &v.EventID, &pace,
			&v.Type, &v.Profile, &v.Lang, &v.Phone, &v.CallID, &v.LocalTag, &v.RemoteTag, &v.From, &v.To, &v.Target, &routes,
			&kind, &remote, &local)
		if err != nil {
			return err
		}
		v.ID, v.Pace, v.Flow.Kind = uint64(id), time.Duration(pace)*time.Microsecond, transport.Kind(kind)
		if routes != "" {
			v.Routes = strings.Split(routes, "\n")
		}
		if v.Flow.Remote, err = parseAddrPort(remote); err != nil {
			return err
		}
		v.Flow.Local, err = parseAddrPort(local)
		all = append(all, &v)
		return err
	})
	return all, err
}

// SaveSubscriptions implements [notifier.Store].
func (s *SIPSubscriptions) SaveSubscriptions(ctx context.Context, put []*notifier.Saved, gone []uint64) error {
	return s.db.tx(ctx, "save what phones have subscribed to", func(t *tx) error {
		const width = 24
		args := make([]any, 0, width*len(put))
		for _, v := range put {
			args = append(args, int64(v.ID), v.Expires.UnixMicro(), int64(v.CSeq), int64(v.Version), int64(v.Theirs),
				v.User, v.Entity, v.Event, v.EventID, v.Pace.Microseconds(), v.Type, v.Profile, v.Lang, v.Phone,
				v.CallID, v.LocalTag, v.RemoteTag, v.From, v.To, v.Target, strings.Join(v.Routes, "\n"),
				int64(v.Flow.Kind), formatAddrPort(v.Flow.Remote), formatAddrPort(v.Flow.Local))
		}
		if err := t.insert(ctx, "sipsubscription.put", width, args); err != nil {
			return err
		}
		return dropAll(ctx, t, "sipsubscription.drop", gone)
	})
}
