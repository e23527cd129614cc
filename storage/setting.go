package storage

import (
	"context"
	"fmt"
)

// Setting returns what the server keeps under a name. The first to ask makes
// it, and everybody gets the same from then on.
func (db *DB) Setting(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error) {
	var value []byte
	found, err := db.one(ctx, "setting.get", []any{name}, &value)
	if err != nil || found {
		return value, err
	}
	if value, err = make(); err != nil {
		return nil, fmt.Errorf("storage: make the setting %q: %w", name, err)
	}
	if _, err := db.exec(ctx, "setting.make", name, value); err != nil {
		return nil, err
	}
	_, err = db.one(ctx, "setting.get", []any{name}, &value) // another program may have been first
	return value, err
}
