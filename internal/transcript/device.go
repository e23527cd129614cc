package transcript

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A DeviceChange is a line about a device.
type DeviceChange struct {
	ID     string
	Gone   bool
	Name   string // "" as it was
	Class  string
	Owner  string // an account; "nobody" takes it away
	PBX    string // where it is registered, if that is not here
	Set    []string
	Cancel []string // of critical, shared and disabled: what it is no more
}

// Devices is a World that has devices.
type Devices interface {
	// ChangeDevice makes a device what a line says, with [Password]. One that is not
	// there is added.
	ChangeDevice(DeviceChange) error
}

var reDevice = regexp.MustCompile(`\Adevice\s+(\S+)(?:\s+(.+))?\z`)

// parseDevice reads what a line says of a device.
func parseDevice(id, rest string) (action, error) {
	d := DeviceChange{ID: id}
	if rest == "is gone" {
		d.Gone = true
		return deviceLine(d), nil
	}
	for rest != "" {
		word, after, _ := strings.Cut(rest, " ")
		after = strings.TrimSpace(after)
		switch word {
		case "critical", "shared", "disabled":
			d.Set = append(d.Set, word)
		case "not":
			word, after, _ = strings.Cut(after, " ")
			if word != "critical" && word != "shared" && word != "disabled" {
				return nil, fmt.Errorf("nothing that a device can be: %s", word)
			}
			d.Cancel = append(d.Cancel, word)
		case "class":
			d.Class, after, _ = strings.Cut(after, " ")
		case "at":
			d.PBX, after, _ = strings.Cut(after, " ")
		case "of":
			d.Owner, after, _ = strings.Cut(after, " ")
		case "called":
			quoted, err := strconv.QuotedPrefix(after)
			if err != nil {
				return nil, errors.New(`a name stands in quotes: called "Front door"`)
			}
			d.Name, _ = strconv.Unquote(quoted) // it is one
			after = strings.TrimSpace(after[len(quoted):])
		default:
			return nil, fmt.Errorf("nothing that a device can be: %s", word)
		}
		rest = after
	}
	return deviceLine(d), nil
}

// deviceLine is a line about a device.
type deviceLine DeviceChange

func (a deviceLine) act(st *stage) error {
	w, ok := st.open().(Devices)
	if !ok {
		return errors.New("this server has no devices")
	}
	if a.Owner != "" && a.Owner != "nobody" {
		if err := st.account(a.Owner); err != nil {
			return err
		}
	}
	if err := w.ChangeDevice(DeviceChange(a)); err != nil {
		return err
	}
	settle()
	return nil
}
