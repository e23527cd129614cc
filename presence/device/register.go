package device

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// ErrNoOwner says that somebody whom a device is assigned to has no account.
var ErrNoOwner = errors.New("device: the owner has no account")

// Store keeps devices. Addresses are not kept: the register knows the domain.
type Store interface {
	// LoadDevices reads all devices.
	LoadDevices(ctx context.Context) ([]Device, error)

	// SaveDevices writes devices, new or known, and removes others by their ids:
	// all of it or nothing. The error is [ErrNoOwner] if an owner has no account.
	SaveDevices(ctx context.Context, put []*Device, remove []string) error
}

// Register has all devices. Who asks for a change gets it when it is stored, in
// force, and told to those who listen. Changes are made one after another. Errors
// know their condition, and say in words what is wrong.
type Register struct {
	store Store  // fixed
	cfg   Config // fixed

	listeners []func(before, now *Device) // fixed before use
	now       atomic.Pointer[Picture]     // safe

	mu     sync.Mutex // held while a change is made; guards what is below
	loaded bool
}

// NewRegister returns the register of the devices in a store. It is empty until
// [Register.Load], or what asks for it first, has read them.
func NewRegister(store Store, cfg Config) *Register {
	r := &Register{store: store, cfg: cfg.WithDefaults()}
	r.now.Store(newPicture(cfg.Domain))
	return r
}

// OnChanged has listen called for each device that is different, after the change
// is in force and in the order of changes: before is nil for one that is new, now
// for one that is gone. It must not block, nor change the register. It is to be set
// before the register is used; devices that are read at the start are new as well.
func (r *Register) OnChanged(listen func(before, now *Device)) {
	r.listeners = append(r.listeners, listen)
}

// Picture returns the devices as they are now. It takes no lock.
func (r *Register) Picture() *Picture { return r.now.Load() }

// Domain is what stands after the @ of the devices' addresses, and their realm.
func (r *Register) Domain() string { return r.cfg.Domain }

// Load reads the devices and puts them in force. It is done once.
func (r *Register) Load(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.load(ctx)
}

// load reads the devices if need be. The caller holds mu.
func (r *Register) load(ctx context.Context) error {
	if r.loaded {
		return nil
	}
	list, err := r.store.LoadDevices(ctx)
	if err != nil {
		return fmt.Errorf("device: load the devices: %w", err)
	}
	put := make([]*Device, len(list))
	for i := range list {
		list[i].JID = jid.Bare(list[i].ID + "@" + r.cfg.Domain)
		put[i] = &list[i]
	}
	r.loaded = true
	ids := slices.Concat(idsOf(r.Picture().all), idsOf(put))
	slices.Sort(ids)
	r.enforce(newPicture(r.cfg.Domain).with(put, nil), slices.Compact(ids))
	return nil
}

// enforce puts a picture in force and tells what is different about the devices with
// the ids. The caller holds mu.
func (r *Register) enforce(now *Picture, ids []string) {
	before := r.now.Swap(now)
	for _, id := range ids {
		was, is := before.byID[id], now.byID[id]
		if was == is || was != nil && is != nil && was.equal(is) {
			continue
		}
		for _, listen := range r.listeners {
			listen(was, is)
		}
	}
}

// idsOf returns the ids of devices.
func idsOf(list []*Device) []string {
	ids := make([]string, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	return ids
}

// Add adds a device. It returns it as it is kept.
func (r *Register) Add(ctx context.Context, d Device) (*Device, error) {
	done, err := r.Change(ctx, func(p *Picture) ([]Device, error) {
		if id, err := ID(d.ID); err == nil && p.ByID(id) != nil {
			return nil, stanza.Refuse(stanza.ErrConflict, "the device %s exists already", id)
		}
		return []Device{d}, nil
	})
	if err != nil {
		return nil, err
	}
	return done[0], nil
}

// Set changes a device by what edit does to a copy of it. It returns it as it is
// kept. A secret is good for one SIP user: with another one it is gone, unless it
// has been changed too.
func (r *Register) Set(ctx context.Context, id string, edit func(*Device) error) (*Device, error) {
	done, err := r.Change(ctx, func(p *Picture) ([]Device, error) {
		known := p.ByID(id)
		if known == nil {
			return nil, noDevice(id)
		}
		d := *known
		d.Numbers = slices.Clone(d.Numbers)
		if err := edit(&d); err != nil {
			return nil, err
		}
		d.ID = id
		return []Device{d}, nil
	})
	if err != nil {
		return nil, err
	}
	return done[0], nil
}

func noDevice(id string) error {
	return stanza.Refuse(stanza.ErrItemNotFound, "there is no device %s", shorten(id))
}

// Remove removes devices, all of which there must be.
func (r *Register) Remove(ctx context.Context, ids ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.load(ctx); err != nil {
		return err
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for _, id := range ids {
		if r.Picture().ByID(id) == nil {
			return noDevice(id)
		}
	}
	return r.save(ctx, nil, ids)
}

// Change makes devices what decide says, given how they all are: each is added, or
// replaced if there is one of its id, all of them or none. It returns them as they
// are kept, in that order. What is wrong with them is [Faults].
func (r *Register) Change(ctx context.Context, decide func(*Picture) ([]Device, error)) ([]*Device, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	list, err := decide(r.Picture())
	if err != nil {
		return nil, err
	}
	put, err := r.settle(list)
	if err != nil {
		return nil, err
	}
	return put, r.save(ctx, put, nil)
}

// Try returns what would be wrong with devices if they were put into the register.
func (r *Register) Try(ctx context.Context, list []Device) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.load(ctx); err != nil {
		return err
	}
	_, err := r.settle(list)
	return err
}

// save stores a change and puts it in force. The caller holds mu.
func (r *Register) save(ctx context.Context, put []*Device, remove []string) error {
	if len(put)+len(remove) == 0 {
		return nil
	}
	if err := r.store.SaveDevices(ctx, put, remove); err != nil {
		if errors.Is(err, ErrNoOwner) {
			return stanza.Refuse(stanza.ErrItemNotFound, "somebody whom a device is assigned to has no account")
		}
		r.loaded = false // it may have been written nevertheless
		return fmt.Errorf("device: save devices: %w", err)
	}
	r.enforce(r.Picture().with(put, remove), slices.Concat(remove, idsOf(put)))
	return nil
}

// AccountRemoved hears that an account is no more. The store has taken its devices
// from it, lest whoever gets the name next has them.
func (r *Register) AccountRemoved(who jid.Bare) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var put []*Device
	for _, d := range r.Picture().OwnedBy(who) {
		fresh := *d
		fresh.Owner = ""
		put = append(put, &fresh)
	}
	if len(put) > 0 {
		r.enforce(r.Picture().with(put, nil), idsOf(put))
	}
}
