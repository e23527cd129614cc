package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rollcall/config"
	"rollcall/internal/operator"
	"rollcall/presence/device"
	"rollcall/roster"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// demoFile is where the passwords of the demonstration are kept, so that they
// can be shown at the next start too.
const demoFile = "demo-accounts.txt"

// demoPeople are who works at the demonstration.
var demoPeople = []string{"alice", "bob", "carol"}

// demoAccount is one of them.
type demoAccount struct {
	jid      jid.Bare
	password string // "" if it was changed
	fresh    bool   // made by this start
}

// demo makes the people of the demonstration, in each other's contacts, unless
// they are there.
type demo struct {
	file     string
	domain   string
	desk     *operator.Desk
	accounts *storage.Accounts
	book     *roster.Book
	devices  *device.Register
	people   []demoAccount // as run found and made them
}

func newDemo(cfg *config.Config, desk *operator.Desk, a *storage.Accounts, book *roster.Book, devices *device.Register) (*demo, error) {
	if !cfg.OnLoopback() {
		return nil, errors.New("--demo makes accounts whose passwords are shown, and other machines can reach this server; leave out --demo, or listen on 127.0.0.1 only")
	}
	for _, d := range cfg.Server.Domains {
		if !d.Anonymous {
			return &demo{filepath.Join(cfg.DataDir, demoFile), d.Name, desk, a, book, devices, nil}, nil
		}
	}
	return nil, errors.New("--demo needs a domain with accounts; see server.domains in the configuration")
}

// run makes what is missing and returns everybody.
func (d *demo) run(ctx context.Context) ([]demoAccount, error) {
	known, err := d.read()
	if err != nil {
		return nil, err
	}
	people := make([]demoAccount, len(demoPeople))
	for i, name := range demoPeople {
		p := &people[i]
		p.jid = jid.Bare(name + "@" + d.domain)
		p.password = known[p.jid]
		there, err := d.accounts.Exists(ctx, p.jid)
		if err != nil {
			return nil, err
		}
		if there {
			if ok, err := d.valid(ctx, p.jid, p.password); err != nil {
				return nil, err
			} else if !ok {
				p.password = ""
			}
			continue
		}
		p.fresh, p.password = true, generatePassword()
	}
	// The passwords are written before the accounts are made: the other way
	// round a crash between the two would leave accounts nobody can use.
	if err := d.write(people, d.old(known)); err != nil {
		return nil, err
	}
	d.people = people
	for _, p := range people {
		if p.fresh {
			add := operator.NewOrder("account.add", "accountjid", string(p.jid), "password", p.password)
			if _, err := d.desk.Do(ctx, theDemo, add); err != nil {
				return nil, err
			}
		}
	}
	return people, d.introduce(ctx, people)
}

// valid reports whether a password is (still) that of an account.
func (d *demo) valid(ctx context.Context, who jid.Bare, password string) (bool, error) {
	stored, found, err := d.accounts.Keys(ctx, who, sasl.SHA256)
	if err != nil || !found || password == "" {
		return false, err
	}
	keys, err := sasl.Derive(sasl.SHA256, password, stored.Salt, stored.Iterations)
	return err == nil && hmac.Equal(keys.StoredKey, stored.StoredKey), nil
}

// introduce puts new people and the others into each other's contacts, by the
// steps that their clients would take.
func (d *demo) introduce(ctx context.Context, people []demoAccount) error {
	for _, a := range people {
		for _, b := range people {
			if a.jid == b.jid || !a.fresh && !b.fresh {
				continue
			}
			if err := d.follow(ctx, a.jid, b.jid); err != nil {
				return fmt.Errorf("put %s into the contacts of %s: %w", b.jid, a.jid, err)
			}
		}
	}
	return nil
}

// follow lets a see the presence of b.
func (d *demo) follow(ctx context.Context, a, b jid.Bare) error {
	name := strings.ToUpper(b.Local()[:1]) + b.Local()[1:]
	request := fmt.Appendf(nil, "<presence xmlns='jabber:client' from='%s' to='%s' type='subscribe'/>", a, b)
	steps := []func() (roster.Result, error){
		func() (roster.Result, error) {
			return d.book.Set(ctx, a, roster.Edit{Contact: b, Name: name, Groups: []string{"Demonstration"}}, nil)
		},
		func() (roster.Result, error) { return d.book.Outbound(ctx, a, b, roster.Subscribe, nil) },
		func() (roster.Result, error) { return d.book.Inbound(ctx, b, a, roster.Subscribe, request, nil) },
		func() (roster.Result, error) { return d.book.Outbound(ctx, b, a, roster.Subscribed, nil) },
		func() (roster.Result, error) { return d.book.Inbound(ctx, a, b, roster.Subscribed, nil, nil) },
	}
	for _, step := range steps {
		if _, err := step(); err != nil {
			return err
		}
	}
	return nil
}

// read reads the passwords of earlier starts.
func (d *demo) read() (map[jid.Bare]string, error) {
	text, err := os.ReadFile(d.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	known := map[jid.Bare]string{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 {
			known[jid.Bare(fields[0])] = fields[1]
		}
	}
	return known, nil
}

// old returns the devices of which the file has the secrets.
func (d *demo) old(known map[jid.Bare]string) (all []demoDevice) {
	for _, x := range demoDevices {
		who := jid.Bare(x.ID + "@" + d.devices.Domain())
		if secret := known[who]; secret != "" {
			all = append(all, demoDevice{jid: who, name: x.Name, secret: secret})
		}
	}
	return all
}

// write keeps the passwords and secrets that were not changed.
func (d *demo) write(people []demoAccount, devices []demoDevice) error {
	text := "# The accounts and devices of the demonstration, until their passwords are changed.\n"
	for _, p := range people {
		if p.password != "" {
			text += string(p.jid) + " " + p.password + "\n"
		}
	}
	for _, x := range devices {
		if x.secret != "" {
			text += string(x.jid) + " " + x.secret + "\n"
		}
	}
	return writeFile(d.file, []byte(text))
}
