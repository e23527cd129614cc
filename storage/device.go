package storage

import (
	"context"
	"database/sql"
	"strings"

	"rollcall/presence/device"
	"rollcall/xmpp/jid"
)

// Devices is a [device.Store].
type Devices struct{ db *DB }

// Devices returns the store of devices.
func (db *DB) Devices() *Devices { return &Devices{db} }

// LoadDevices implements [device.Store].
func (s *Devices) LoadDevices(ctx context.Context) (all []device.Device, err error) {
	err = s.db.each(ctx, "device.list", nil, func(rows *sql.Rows) error {
		var d device.Device
		var numbers string
		err := rows.Scan(&d.ID, &d.Name, &d.Class, &d.Site, &d.Critical, &d.Shared, &d.Disabled, &d.Upstream, &d.User, &numbers,
			&d.Key.Realm, &d.Key.MD5, &d.Key.SHA256, &d.Owner)
		if err != nil {
			return err
		}
		d.Numbers = strings.Fields(numbers)
		all = append(all, d)
		return nil
	})
	return all, err
}

// SaveDevices implements [device.Store].
func (s *Devices) SaveDevices(ctx context.Context, put []*device.Device, remove []string) error {
	return s.db.tx(ctx, "save devices", func(t *tx) error {
		for _, id := range remove {
			if _, err := t.exec(ctx, "device.drop", id); err != nil {
				return err
			}
		}
		const width = 13
		args := make([]any, 0, width*len(put))
		for _, d := range put {
			args = append(args, d.ID, d.Name, string(d.Class), d.Site, flag(d.Critical), flag(d.Shared), flag(d.Disabled),
				d.Upstream, d.User, strings.Join(d.Numbers, " "), d.Key.Realm, d.Key.MD5, d.Key.SHA256)
		}
		if err := t.insert(ctx, "device.put", width, args); err != nil {
			return err
		}
		return assign(ctx, t, put)
	})
}

// assign writes whose the devices are.
func assign(ctx context.Context, t *tx, put []*device.Device) error {
	accounts := map[jid.Bare]int64{}
	var args []any
	for _, d := range put {
		if d.Owner == "" {
			if _, err := t.exec(ctx, "device.unassign", d.ID); err != nil {
				return err
			}
			continue
		}
		id, known := accounts[d.Owner]
		if !known {
			found, err := t.one(ctx, "account.id", []any{string(d.Owner)}, &id)
			if err == nil && !found {
				err = device.ErrNoOwner
			}
			if err != nil {
				return err
			}
			accounts[d.Owner] = id
		}
		args = append(args, d.ID, id)
	}
	return t.insert(ctx, "device.assign", 2, args)
}
