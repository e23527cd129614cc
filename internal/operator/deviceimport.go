package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rollcall/presence/device"
	"rollcall/roster"
	"rollcall/xmpp/jid"
)

func importDevices(ctx context.Context, d *Desk, v values) (Answer, error) {
	if err := d.devices.Load(ctx); err != nil {
		return Answer{}, err
	}
	m := &deviceImport{desk: d, owners: map[string]jid.Bare{}}
	m.list, m.problems = device.ReadList([]byte(strings.Join(v["devices"], "\n")))
	if len(m.problems) == 0 {
		if err := m.check(ctx); err != nil {
			return Answer{}, err
		}
	}
	if len(m.problems) > 0 {
		return Answer{}, m.refusal()
	}
	if dry := v.flag("dry_run"); dry != nil && *dry {
		return Answer{Note: m.count("would import")}, nil
	}
	note := m.count("imported") // before they are known
	kept, err := d.devices.Change(ctx, func(p *device.Picture) ([]device.Device, error) { return m.devices(p), nil })
	if err != nil {
		return Answer{}, deviced(err)
	}
	made, err := d.groups.Place(ctx, m.places(kept)...)
	if err != nil {
		return Answer{}, half("the devices were imported, but not put into groups", grouped(err))
	}
	notes, err := unseen(ctx, d.groups, m.groups(), made)
	if err != nil {
		return Answer{}, err
	}
	bare := 0
	for _, x := range kept {
		if x.Here() && !x.Key.Set() {
			bare++
		}
	}
	if bare > 0 {
		notes = append(notes, fmt.Sprintf("%d of them have no secret and cannot register; give each one: rollcall device secret ID", bare))
	}
	return Answer{Note: strings.Join(append([]string{note}, notes...), "\n")}, nil
}

// deviceImport is a list on its way into the register.
type deviceImport struct {
	desk     *Desk
	list     []device.Entry
	owners   map[string]jid.Bare // by what the list has
	keys     []device.Key        // of those that have a secret
	problems []device.Problem
}

func (m *deviceImport) wrong(line int, err error) {
	text := err.Error()
	var said *Error
	if errors.As(deviced(err), &said) {
		text = said.Text
	}
	m.problems = append(m.problems, device.Problem{Line: line, Text: text})
}

// check finds all that is wrong with the devices of the list.
func (m *deviceImport) check(ctx context.Context) error {
	for i := range m.list {
		e := &m.list[i]
		if _, known := m.owners[e.Owner]; known {
			continue
		}
		who, err := m.desk.owner(ctx, e.Owner)
		var said *Error
		switch {
		case errors.As(err, &said):
			m.wrong(e.Line("owner"), err)
		case err != nil:
			return err
		}
		m.owners[e.Owner] = who
	}
	devices := m.devices(m.desk.devices.Picture())
	at := make(map[string]*device.Entry, len(m.list))
	for i := range m.list {
		at[m.list[i].ID] = &m.list[i]
	}
	var faults device.Faults
	switch err := m.desk.devices.Try(ctx, devices); {
	case errors.As(err, &faults):
		for _, f := range faults {
			m.problems = append(m.problems, device.Problem{Line: at[f.ID].Line(f.Key), Text: f.Text})
		}
	case err != nil:
		m.wrong(1, err)
	}
	kept := make([]*device.Device, len(devices))
	for i := range devices {
		devices[i].JID = jid.Bare(devices[i].ID + "@" + m.desk.devices.Domain())
		devices[i].Name = cmp.Or(devices[i].Name, devices[i].ID)
		kept[i] = &devices[i]
	}
	wrong, err := m.desk.groups.TryPlace(ctx, m.places(kept)...)
	for name, fault := range wrong {
		m.wrong(m.lineOf(name), fault)
	}
	slices.SortStableFunc(m.problems, func(a, b device.Problem) int { return cmp.Compare(a.Line, b.Line) })
	return err
}

// devices returns what the list makes of the devices there are. A secret that
// cannot be one is a problem the first time.
func (m *deviceImport) devices(p *device.Picture) []device.Device {
	first := m.keys == nil
	if first {
		m.keys = make([]device.Key, len(m.list))
	}
	out := make([]device.Device, len(m.list))
	for i := range m.list {
		e, x := &m.list[i], &out[i]
		if known := p.ByID(e.ID); known != nil {
			*x = *known
		}
		if e.Apply(x); e.Says("owner") {
			x.Owner = m.owners[e.Owner]
		}
		if e.Secret == "" {
			continue
		}
		if first {
			var err error
			if _, err = m.desk.newKey(x, e.Secret); err != nil {
				m.wrong(e.Line("secret"), err)
			}
			m.keys[i] = x.Key
		}
		x.Key = m.keys[i]
	}
	return out
}

// places returns where the devices are to be. Of one whose groups the list does
// not have only the name may be another.
func (m *deviceImport) places(kept []*device.Device) []roster.Placement {
	out := make([]roster.Placement, len(kept))
	for i, x := range kept {
		groups := m.list[i].Groups
		out[i] = roster.Placement{Member: roster.Member{JID: x.JID, Name: x.Name}, In: groups, Only: groups != nil}
	}
	return out
}

// groups returns the groups that the list names, in order.
func (m *deviceImport) groups() []string {
	all := map[string]bool{}
	for i := range m.list {
		for _, name := range m.list[i].Groups {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// lineOf returns the first line that names a group.
func (m *deviceImport) lineOf(group string) int {
	for i := range m.list {
		if slices.Contains(m.list[i].Groups, group) {
			return m.list[i].Line("groups")
		}
	}
	return 1
}

// count says how many devices there are in the list.
func (m *deviceImport) count(done string) string {
	fresh := 0
	for i := range m.list {
		if m.desk.devices.Picture().ByID(m.list[i].ID) == nil {
			fresh++
		}
	}
	return fmt.Sprintf("%s %s, %d of them new", done, plural(len(m.list), "device"), fresh)
}

// refusal names every problem with its line.
func (m *deviceImport) refusal() error {
	var b strings.Builder
	fmt.Fprintf(&b, "the list has %s, and nothing was changed", plural(len(m.problems), "problem"))
	for _, p := range m.problems {
		b.WriteString("\n  " + p.String())
	}
	return wrong("%s", b.String())
}

// plural counts things.
func plural(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
