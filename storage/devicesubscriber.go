package storage

import (
	"context"
	"database/sql"

	"rollcall/sipgw/contacts"
)

// DeviceSubscribers keeps who has subscribed to devices: a [contacts.Store].
type DeviceSubscribers struct{ db *DB }

// DeviceSubscribers returns the store of that.
func (db *DB) DeviceSubscribers() *DeviceSubscribers { return &DeviceSubscribers{db} }

// LoadSubscribers implements [contacts.Store].
func (s *DeviceSubscribers) LoadSubscribers(ctx context.Context) (all []contacts.Subscriber, err error) {
	err = s.db.each(ctx, "devicesubscriber.list", nil, func(rows *sql.Rows) error {
		var x contacts.Subscriber
		err := rows.Scan(&x.Device, &x.Watcher)
		all = append(all, x)
		return err
	})
	return all, err
}

// SetSubscriber implements [contacts.Store].
func (s *DeviceSubscribers) SetSubscriber(ctx context.Context, x contacts.Subscriber, subscribed bool) error {
	query := "devicesubscriber.drop"
	if subscribed {
		query = "devicesubscriber.add"
	}
	_, err := s.db.exec(ctx, query, string(x.Device), string(x.Watcher))
	return err
}
