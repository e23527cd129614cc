package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/presence/device"
)

func newDevices(db *DB) *device.Register {
	return device.NewRegister(db.Devices(), device.Config{Domain: "phones.x"})
}

// sameDevices compares a register with what the database has.
func sameDevices(ctx context.Context, r *device.Register, db *DB) error {
	fresh := newDevices(db)
	if err := fresh.Load(ctx); err != nil {
		return err
	}
	want, got := slices.Collect(r.Picture().All()), slices.Collect(fresh.Picture().All())
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("in memory (-) and in the database (+):\n%s", diff)
	}
	return nil
}

// What devices are after each change is what the database has.
func TestDevicesAreKept(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, r := t.Context(), newDevices(db)
		newAccount(t, db, "ada@x")
		newAccount(t, db, "bob@x")
		key, err := device.NewKey("d12", "phones.x", "a-good-secret")
		if err != nil {
			t.Fatal(err)
		}
		set := func(id string, edit func(*device.Device)) error {
			_, err := r.Set(ctx, id, func(d *device.Device) error { edit(d); return nil })
			return err
		}
		add := func(d device.Device) error { _, err := r.Add(ctx, d); return err }
		for i, err := range []error{
			add(device.Device{ID: "2001", Name: `Ada "Desk" \ 🐝`, Site: "HQ", Owner: "ada@x", Numbers: []string{"+493012345", "2001"}}),
			add(device.Device{ID: "door-12", Class: device.Intercom, User: "d12", Key: key, Critical: true, Shared: true, Disabled: true}),
			add(device.Device{ID: "zoë", User: "zoe", Upstream: "sip:pbx.x", Owner: "ada@x"}),
			set("2001", func(d *device.Device) { d.Owner, d.Numbers, d.Name = "bob@x", nil, "Bob" }),
			set("zoë", func(d *device.Device) { d.Owner = "" }),
			sameDevices(ctx, r, db),
			r.Remove(ctx, "door-12"),
			sameDevices(ctx, r, db),
		} {
			if err != nil {
				t.Errorf("step %d: %v", i, err)
			}
		}
	})
}

// Changes are made all or not at all.
func TestDevicesAreWhole(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		a := &device.Device{ID: "a", Name: "a", Class: device.Phone, User: "a"}
		if err := db.Devices().SaveDevices(ctx, []*device.Device{a}, nil); err != nil {
			t.Fatal(err)
		}
		b := &device.Device{ID: "b", Name: "b", Class: device.Phone, User: "b", Owner: "nobody@x"}
		if err := db.Devices().SaveDevices(ctx, []*device.Device{b}, []string{"a"}); !errors.Is(err, device.ErrNoOwner) {
			t.Errorf("somebody without an account has a device: %v", err)
		}
		list, err := db.Devices().LoadDevices(ctx)
		if err != nil || len(list) != 1 || list[0].ID != "a" {
			t.Errorf("there are %+v, %v", list, err)
		}
	})
}

// An account that is removed has no devices; whoever gets its name next has none
// either.
func TestRemovedAccountHasNoDevices(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, r := t.Context(), newDevices(db)
		newAccount(t, db, "ada@x")
		if _, err := r.Add(ctx, device.Device{ID: "a", Owner: "ada@x"}); err != nil {
			t.Fatal(err)
		}
		if err := db.Accounts().Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		r.AccountRemoved("ada@x")
		newAccount(t, db, "ada@x")
		if err := sameDevices(ctx, r, db); err != nil {
			t.Error(err)
		}
		if d := r.Picture().ByID("a"); d == nil || d.Owner != "" {
			t.Errorf("it is %+v", d)
		}
	})
}

// Many are written in one go.
func TestManyDevices(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, r := t.Context(), newDevices(db)
		newAccount(t, db, "ada@x")
		for round := range 2 {
			_, err := r.Change(ctx, func(*device.Picture) (list []device.Device, err error) {
				for i := range 300 {
					list = append(list, device.Device{ID: fmt.Sprint("d", i), Name: fmt.Sprint(round), Owner: "ada@x"})
				}
				return list, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := sameDevices(ctx, r, db); err != nil || len(r.Picture().OwnedBy("ada@x")) != 300 {
			t.Errorf("%v", err)
		}
	})
}
