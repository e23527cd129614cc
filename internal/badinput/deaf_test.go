package badinput

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/internal/wire"
)

// A receiver that never reads costs its outbox and no more, however much is sent
// to it. It is cut off, and of all that was sent to it each message is accounted
// for: read from what was under way, stored, or returned to its sender.
func TestDeafReceiver(t *testing.T) {
	const enable = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
	for name, enable := range map[string]string{"plain": "", "XEP-0198": enable} {
		t.Run(name, func(t *testing.T) { deafReceiver(t, enable) })
	}
}

const (
	sent      = 99 << 20 // bytes that are sent to it
	message   = 10 << 10 // of which one message has about so many
	messages  = sent / message
	lastWrite = 4       // messages that go out at once, at most
	waiting   = 500     // offline messages there may be
	most      = 8 << 20 // bytes that all this may cost at any time
)

func deafReceiver(t *testing.T, enable string) {
	s := serve(t, map[string]string{
		"archive.enabled": "false", "offline.max_messages": strconv.Itoa(waiting), "limits.outbox": `"2MiB"`,
	})
	deaf, ada := wire.Dial(t, s.Plain), wire.Dial(t, s.Plain)
	if err := deaf.TCP.SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	deaf.Login("bob", "home")
	if enable != "" {
		deaf.Say(enable)
		deaf.Until("<enabled ")
		deaf.Until(">")
	}
	ada.Login("ada", "desk")
	before, peak := heap(), int64(0)
	filling := strings.Repeat(".", message)
	var returned []int
	for i := range messages {
		ada.Say(fmt.Sprintf("<message to='bob@x' type='chat' id='%d'><body>%s</body></message>", i, filling))
		if i%100 == 99 || i == messages-1 {
			returned = append(returned, numbers(t, answers(ada), "<message type='error' id='(\\d+)'")...)
		}
		if i%1000 == 999 {
			peak = max(peak, heap()-before)
		}
	}
	t.Logf("at most %d KiB, %d messages returned", peak>>10, len(returned))
	if peak > most {
		t.Errorf("it costs %d KiB", peak>>10)
	}
	wire.Within(t, "the receiver is cut off", func() bool { return connections(s) == 1 })
	account(t, s, ada, deaf, returned, enable != "")
}

// account wants each message to be accounted for, once. Without XEP-0198 the last
// few that went out may come again: of a write that failed the server does not
// know how much got through.
func account(t *testing.T, s *wire.Server, ada, deaf *wire.Client, returned []int, managed bool) {
	t.Helper()
	const pattern = "<message [^>]*id='(\\d+)'[^>]*><body>\\.+</body>"
	var read []int
	if !managed {
		read = numbers(t, deaf.Rest(), pattern)
	}
	deaf.TCP.Close()
	bob := wire.Dial(t, s.Plain)
	bob.Authenticate("bob")
	bob.Bind("home")
	bob.Say("<presence/>")
	returned = append(returned, numbers(t, answers(ada), "<message type='error' id='(\\d+)'")...)
	stored := numbers(t, answers(bob), pattern)
	for began := time.Now(); len(read)+len(stored)+len(returned) < messages && time.Since(began) < wire.Patience; {
		stored = append(stored, numbers(t, answers(bob), pattern)...)
		returned = append(returned, numbers(t, answers(ada), "<message type='error' id='(\\d+)'")...)
	}
	count := make([]int, messages)
	for _, list := range [][]int{read, stored, returned} {
		for _, i := range list {
			count[i]++
		}
	}
	t.Logf("%d read, %d stored, %d returned", len(read), len(stored), len(returned))
	for i, n := range count {
		if n != 1 && (n != 2 || i < len(read)-lastWrite) {
			t.Fatalf("message %d of %d is there %d times", i, messages, n)
		}
	}
	if len(stored) == 0 {
		t.Error("nothing was stored")
	}
}

// answers returns all that came up to the answer to a ping.
func answers(c *wire.Client) string {
	c.Say("<iq type='get' id='so-far' to='x'><ping xmlns='urn:xmpp:ping'/></iq>")
	return c.Until("id='so-far'")
}

func numbers(t *testing.T, text, pattern string) (all []int) {
	t.Helper()
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// Clients that ask and never read the answers hold up nobody, and are cut off
// once their outboxes are full.
func TestUnreadAnswers(t *testing.T) {
	s := serve(t, nil)
	chat := begin(t, s)
	before := heap()
	const clients = 8
	request := strings.Repeat("<iq type='get' id='"+strings.Repeat("1", 2000)+"' to='x'><ping xmlns='urn:xmpp:ping'/></iq>", 10)
	var all []*wire.Client
	for i := range clients {
		c := wire.Dial(t, s.Plain)
		c.Authenticate("mallory")
		c.Bind(fmt.Sprintf("r%d", i))
		all = append(all, c)
	}
	for _, c := range all {
		chat.wg.Go(func() {
			for c.TrySay(request) == nil {
			}
		})
	}
	wire.Within(t, "all but the healthy are cut off", func() bool { return connections(s) == 2 })
	slowest, n := chat.end()
	t.Logf("%d messages meanwhile, the slowest took %v", n, slowest)
	if slowest > patience*time.Second {
		t.Errorf("a message took %v", slowest)
	}
	wire.Within(t, "the memory is free", func() bool { return heap() < before+leftover })
}

// Stanzas that are begun and not ended cost what was sent of them, about twice,
// and nothing once their senders are gone.
func TestHalfStanzas(t *testing.T) {
	s := serve(t, nil)
	const clients, size = 100, 250 << 10
	var all []*wire.Client
	for i := range clients {
		c := wire.Dial(t, s.Plain)
		c.Authenticate("mallory")
		c.Bind(fmt.Sprintf("r%d", i))
		c.Ping()
		all = append(all, c)
	}
	before := heap()
	half := "<message><body>" + strings.Repeat(".", size)
	for _, c := range all {
		c.Say(half)
	}
	wire.Within(t, "all is read", func() bool { return heap()-before > clients*size })
	if cost := heap() - before; cost > clients*(2*(256<<10)+(32<<10)) {
		t.Errorf("each costs %d KiB", cost/clients>>10)
	} else {
		t.Logf("each costs %d KiB", cost/clients>>10)
	}
	for _, c := range all {
		c.TCP.Close()
	}
	wire.Within(t, "all are gone", func() bool { return connections(s) == 0 })
	wire.Within(t, "the memory is free", func() bool { return heap() < before+1<<20 })
}
