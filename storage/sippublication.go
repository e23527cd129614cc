package storage

import (
	"context"
	"database/sql"

	"rollcall/sipgw/publish"
)

// SIPPublications keeps what phones have published of themselves: a
// [publish.Store].
type SIPPublications struct{ db *DB }

// SIPPublications returns the store of that.
func (db *DB) SIPPublications() *SIPPublications { return &SIPPublications{db} }

// LoadPublications implements [publish.Store].
func (s *SIPPublications) LoadPublications(ctx context.Context) (all []*publish.Publication, err error) {
	err = s.db.each(ctx, "sippublication.list", nil, func(rows *sql.Rows) error {
		var p publish.Publication
		var id int64
		err := rows.Scan(&id, &p.Resource, &p.Event, &p.ETag, &p.Publisher, &p.ContentType, &p.Body,
			(*micros)(&p.Since), (*micros)(&p.Expires))
		p.ID = uint64(id)
		all = append(all, &p)
		return err
	})
	return all, err
}

// SavePublications implements [publish.Store].
func (s *SIPPublications) SavePublications(ctx context.Context, put []*publish.Publication, gone []uint64) error {
	return s.db.tx(ctx, "save what phones have published", func(t *tx) error {
		const width = 9
		args := make([]any, 0, width*len(put))
		for _, p := range put {
			args = append(args, int64(p.ID), p.Resource, p.Event, p.ETag, p.Publisher, p.ContentType, p.Body,
				p.Since.UnixMicro(), p.Expires.UnixMicro())
		}
		if err := t.insert(ctx, "sippublication.put", width, args); err != nil {
			return err
		}
		return dropAll(ctx, t, "sippublication.drop", gone)
	})
}
