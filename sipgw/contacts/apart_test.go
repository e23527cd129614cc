package contacts

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/xmpp/stanza"
)

// Beyond a link that may break, nobody is forgotten: what was lost is told again.
func TestApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, service, devices := newStreet(t)
		down := false
		service.parts.Apart, service.parts.Groups = true, nil
		service.parts.Send = func(ctx context.Context, raw []byte) error {
			if down {
				return stanza.ErrRemoteTimeout
			}
			return s.send(ctx, raw)
		}
		service.parts.Room = func(context.Context) error {
			if down {
				return stanza.ErrRemoteTimeout
			}
			return nil
		}
		hears := func(what, ada, dan string) {
			t.Helper()
			synctest.Wait()
			if a, d := strings.Join(s.read("ada@x"), " "), strings.Join(s.read("dan@x"), " "); a != ada || d != dan {
				t.Errorf("%s: they hear %q and %q, and not %q and %q", what, a, d, ada, dan)
			}
		}
		s.level["eve@x"] = presence.Hidden
		run(t, service, func() {
			service.subscribe("dan@x", door)
			hears("nothing is known", "", "type='subscribed' gone")
			s.becomes("idle")
			hears("ready", "", "idle")
			service.probed("ada@x", door) // whose server knows that she has subscribed
			hears("asked by her server", "idle", "")
			service.probed("eve@x", door)
			if got := s.read("eve@x"); strings.Join(got, " ") != "type='unsubscribed'" {
				t.Errorf("from whom it is hidden hears %q", got)
			}
			down = true
			s.becomes("on_call")
			service.Again() // it breaks at once
			hears("lost", "", "")
			down = false
			service.Again()
			hears("told anew", "on_call", "on_call")
			s.becomes("idle")
			hears("and on", "idle", "idle")

			down = true
			if err := devices.Remove(t.Context(), "door"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if !s.kept[Subscriber{"dan@x", door}] {
				t.Error("who does not know yet was forgotten")
			}
			down = false
			service.Again()
			hears("it has gone", "gone type='unsubscribed'", "gone type='unsubscribed'")
			if len(s.kept) != 0 {
				t.Errorf("kept are %v", s.kept)
			}
			if _, err := devices.Add(t.Context(), device.Device{ID: "door", Name: "Door", Class: device.Intercom, User: "door"}); err != nil {
				t.Fatal(err)
			}
			service.probed("ada@x", door)
			s.becomes("on_call")
			synctest.Wait()
			s.read("ada@x")
		})
		service.Leave(t.Context())
		hears("the service leaves", "gone", "")
	})
}
