package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// churn is phones and people who never rest, until the program is killed.
type churn struct {
	*house
	rng  *rand.Rand
	done atomic.Int64 // what they have done
	goal atomic.Int64
	met  chan struct{}
	wg   sync.WaitGroup
	tag  string // of what 2034 has published
}

// The restless devices, and whose they are.
var restless = map[string]string{
	"2030": "kim", "2031": "leo", "2032": "max", "2033": "nia", // call each other; the latter two over TCP
	"2034": "ole", // publishes
	"2035": "",    // subscribes, and registers anew all the time
}

// The others, of whom nobody is to be shown anything else than what they are.
var restful = map[string]string{
	"2001": "ada", "2002": "bea", "2005": "dora", "2006": "eve", "2007": "hal", "2020": "eye",
}

// TestPhonesUnderLoad kills the program at moments of chance while phones call,
// publish, subscribe and register. After each restart what is shown comes to what is
// so, and who was in a call all the time was never shown as anything else.
func TestPhonesUnderLoad(t *testing.T) {
	onEach(t, func(t *testing.T, settings string) {
		c := &churn{rng: random(t)}
		c.house = newHouse(t, newPlug(t), settings+"sip.rate = 0\nsip.address_rate = 0\n", []string{"eye", "pip"}, but(restful, restless))
		c.watch("eye")
		c.settle()
		steady := map[string]string{"2001": "dnd", "2002": "dnd", "2005": "free", "2006": "dnd", "2007": "gone", "bea": "dnd", "dora": "dnd", "eve": "dnd", "hal": "gone"}
		lamps := map[string]string{"2001": "busy", "2006": "busy", "bea": "busy", "dora": "busy"}
		c.until(all(c.seen("eye", steady), c.lit("2020", lamps)))
		c.stored(1, len(lamps), 3)
		c.w.forbid(free|gone, "2001", "2002", "2006", "bea", "dora", "eve")
		c.w.forbid(free, "2007", "hal")
		calm := but(steady, map[string]string{"2030": "free", "2031": "free", "2032": "free", "2033": "free", "2034": "free", "2035": "free"})
		rounds := 4
		if testing.Short() {
			rounds = 1
		}
		for round := range rounds {
			n := 20 + c.rng.IntN(200)
			c.round(n)
			c.rise([]string{"eye"})
			for _, name := range []string{"2032", "2033"} {
				c.back(c.phones[name])
			}
			c.publishIdle()
			t.Logf("round %d: killed after %d; all is right again after %v", round, n, c.until(all(c.seen("eye", calm), c.lit("2020", lamps))))
		}
		c.judge()
	})
}

// settle has everybody register, and those who rest do what they do all the time.
func (c *churn) settle() {
	t, p := c.t, c.phones
	t.Helper()
	for name := range but(restful, restless) {
		c.phone(name, name == "2032" || name == "2033").register(3600)
	}
	p["2007"].register(0)
	if err := p["2001"].call(t.Context(), p["2002"]); err != nil {
		t.Fatal(err)
	}
	p["2005"].must(publication("2005", "presence", "", 3600, disturbed("2005")), 200)
	p["2006"].must(publication("2006", "dialog", "", 3600, talking("2006")), 200)
	for _, who := range []string{"2001", "2006"} {
		p["2020"].subscribe("dialog", who)
	}
	for _, who := range []string{"bea", "dora"} {
		p["2020"].subscribe("presence", who)
	}
	c.publishIdle()
}

// round has everybody go on until so much has been done, and kills the program.
func (c *churn) round(n int) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	c.met = make(chan struct{})
	c.goal.Store(c.done.Load() + int64(n))
	c.restless(ctx)
	select {
	case <-c.met:
	case <-c.t.Context().Done():
	}
	c.ending.Store(true)
	c.p.kill()
	cancel()
	c.house.wg.Wait()
	c.wg.Wait()
	c.w.begin()
	for _, name := range []string{"2030", "2031", "2032", "2033"} {
		if c.rng.IntN(2) == 0 {
			c.phones[name].HangUp() // some try to say so
		}
		c.phones[name].Abandon()
	}
}

// restless sets them to work.
func (c *churn) restless(ctx context.Context) {
	p := c.phones
	pair := func(a, b *handset) func() error {
		return func() error {
			if err := a.call(ctx, b); err != nil {
				return err
			}
			c.did()
			return a.hangUp(ctx, b)
		}
	}
	talks := false
	person := c.arrive("pip", "bench", "")
	for _, do := range []func() error{
		pair(p["2030"], p["2031"]),
		pair(p["2032"], p["2033"]),
		func() error {
			talks = !talks
			return c.publish(ctx, talks)
		},
		func() error {
			res, err := p["2035"].ask(ctx, write("SUBSCRIBE sip:2001@%s\nEvent: dialog\nExpires: 600", domain), 200)
			if err == nil && res.Header("Expires") == "" {
				err = fmt.Errorf("a subscription without an end: %s", res.Raw)
			}
			return err
		},
		func() error { _, err := p["2035"].ask(ctx, registration(3600), 200); return err },
		func() error {
			if err := person.say("<presence><show>away</show></presence><presence/>"); err != nil {
				return err
			}
			return person.sync(func(*element) {})
		},
	} {
		c.wg.Go(func() {
			for ctx.Err() == nil {
				if err := do(); err != nil {
					if !c.ending.Load() {
						c.w.fault("%v", err)
					}
					return
				}
				c.did()
			}
		})
	}
}

func (c *churn) did() {
	if c.done.Add(1) == c.goal.Load() {
		close(c.met)
	}
}

// publish says what 2034 does, by the tag that it has; without one, or if that is not
// known, anew.
func (c *churn) publish(ctx context.Context, talks bool) error {
	body := talking("2034")
	if !talks {
		body = `<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:2034@` + domain + `"></dialog-info>`
	}
	res, err := c.phones["2034"].ask(ctx, publication("2034", "dialog", c.tag, 3600, body), 200, 412)
	if err == nil && res.Status == 412 {
		c.tag = ""
		return c.publish(ctx, talks)
	}
	if err == nil {
		c.tag = res.Header("SIP-ETag")
	}
	return err
}

func (c *churn) publishIdle() {
	c.t.Helper()
	if err := c.publish(c.t.Context(), false); err != nil {
		c.t.Fatal(err)
	}
}
