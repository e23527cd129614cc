package storage

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"rollcall/sipgw/call"
)

// SIPDialogs keeps the calls that are up: a [call.Store].
type SIPDialogs struct{ db *DB }

// SIPDialogs returns the store of that.
func (db *DB) SIPDialogs() *SIPDialogs { return &SIPDialogs{db} }

// LoadDialogs implements [call.Store].
func (s *SIPDialogs) LoadDialogs(ctx context.Context) (all []*call.Dialog, err error) {
	err = s.db.each(ctx, "sipdialog.list", nil, func(rows *sql.Rows) error {
		var d call.Dialog
		var e call.End
		var id, binding, session, side, held int64
		var routes, remote, local string
		err := rows.Scan(&id, &d.CallID, (*micros)(&d.Began), (*micros)(&d.Answered), &session, (*micros)(&d.Refreshed),
			&side, &e.Device, &e.AOR, &binding, &e.Row, &e.Header, &e.Identity, &e.Display, &e.Contact, &routes, &e.CSeq, &held,
			(*micros)(&e.Since), &e.Flow.Transport, &remote, &local)
		if err != nil {
			return err
		}
		d.ID, d.Session = uint64(id), time.Duration(session)*time.Microsecond
		e.Binding, e.Held = uint64(binding), held == 1
		if routes != "" {
			e.Routes = strings.Split(routes, "\n")
		}
		if e.Flow.Remote, err = parseAddrPort(remote); err != nil {
			return err
		}
		if e.Flow.Local, err = parseAddrPort(local); err != nil {
			return err
		}
		if n := len(all); n == 0 || all[n-1].ID != d.ID {
			all = append(all, &d)
		}
		all[len(all)-1].Ends[side&1] = e
		return nil
	})
	return all, err
}

// SaveDialogs implements [call.Store].
func (s *SIPDialogs) SaveDialogs(ctx context.Context, put []*call.Dialog, gone []uint64) error {
	return s.db.tx(ctx, "save the calls that are up", func(t *tx) error {
		const width, endWidth = 6, 17
		dialogs, ends := make([]any, 0, width*len(put)), make([]any, 0, 2*endWidth*len(put))
		for _, d := range put {
			dialogs = append(dialogs, int64(d.ID), d.CallID, d.Began.UnixMicro(), d.Answered.UnixMicro(), d.Session.Microseconds(), d.Refreshed.UnixMicro())
			for side, e := range d.Ends {
				held := int64(0)
				if e.Held {
					held = 1
				}
				ends = append(ends, int64(d.ID), int64(side), e.Device, e.AOR, int64(e.Binding), e.Row, e.Header, e.Identity, e.Display,
					e.Contact, strings.Join(e.Routes, "\n"), int64(e.CSeq), held, e.Since.UnixMicro(),
					int64(e.Flow.Transport), formatAddrPort(e.Flow.Remote), formatAddrPort(e.Flow.Local))
			}
		}
		if err := t.insert(ctx, "sipdialog.put", width, dialogs); err != nil {
			return err
		}
		if err := t.insert(ctx, "sipdialog.put_end", endWidth, ends); err != nil {
			return err
		}
		return dropAll(ctx, t, "sipdialog.drop", gone)
	})
}
