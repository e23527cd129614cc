package storage

import (
	"slices"
	"testing"

	"rollcall/sipgw/contacts"
)

func TestDeviceSubscribers(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s := db.DeviceSubscribers()
		for _, step := range []struct {
			contacts.Subscriber
			subscribed bool
		}{
			{contacts.Subscriber{Watcher: "bob@x", Device: "b@phones.x"}, true},
			{contacts.Subscriber{Watcher: "ada@x", Device: "b@phones.x"}, true},
			{contacts.Subscriber{Watcher: "ada@x", Device: "b@phones.x"}, true},
			{contacts.Subscriber{Watcher: "ada@x", Device: "a@phones.x"}, true},
			{contacts.Subscriber{Watcher: "bob@x", Device: "b@phones.x"}, false},
			{contacts.Subscriber{Watcher: "bob@x", Device: "no@phones.x"}, false},
		} {
			if err := s.SetSubscriber(t.Context(), step.Subscriber, step.subscribed); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.LoadSubscribers(t.Context())
		want := []contacts.Subscriber{{Watcher: "ada@x", Device: "a@phones.x"}, {Watcher: "ada@x", Device: "b@phones.x"}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("kept are %v, %v", got, err)
		}
	})
}
