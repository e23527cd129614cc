package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rollcall/internal/operator"
	domain "rollcall/presence/device"
)

func deviceCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "device",
		Short: "Enter phones, intercoms and the like, and say whose they are",
		Long: `Enter telephones, door intercoms, help points, paging microphones, consoles and
gateways. Each has an address at the device domain (devices.domain in the
configuration) and is shown to people by shared groups, as a contact like any
other. This works while the server runs: whoever is connected sees a change at
once.`,
		Example: `  rollcall device add 2001 --name "Desk Alice" --site HQ --group staff-phones --visible-to staff
  rollcall device assign 2001 alice
  rollcall device add door-12 --class intercom --name "Door intercom North" --group intercoms
  rollcall device list`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		devicePutCommand(c, "add", "Add a device"), devicePutCommand(c, "set", "Change a device"),
		deviceRemoveCommand(c), deviceListCommand(c), deviceShowCommand(c), deviceSecretCommand(c),
		deviceAssignCommand(c), deviceUnassignCommand(c), deviceExportCommand(c), deviceImportCommand(c),
	)
	return cmd
}

// deviceSecret is where a device's secret comes from, if it is not made up: never
// from the command line, where everybody on the machine could read it.
type deviceSecret struct{ stdin, ask bool }

func (s *deviceSecret) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.stdin, "secret-stdin", false, "read the secret from standard input, one line")
	cmd.Flags().BoolVar(&s.ask, "secret-prompt", false, "ask for the secret at the terminal")
	cmd.MarkFlagsMutuallyExclusive("secret-stdin", "secret-prompt")
}

// read adds the secret to an order; without one it is made up.
func (s *deviceSecret) read(cmd *cobra.Command, o operator.Order) error {
	var text string
	var err error
	switch {
	case s.stdin:
		if text, err = readLine(cmd.InOrStdin()); err == nil && text == "" {
			err = errors.New("the secret is empty; without --secret-stdin one is made up and printed")
		}
	case s.ask:
		fd := int(os.Stdin.Fd())
		if !term.IsTerminal(fd) {
			return fmt.Errorf("there is no terminal to ask at; type: %s --secret-stdin < FILE", cmd.CommandPath())
		}
		text, err = ask(cmd, fd, "Secret: ")
	}
	if text != "" {
		o.Values["secret"] = []string{text}
	}
	return err
}

const secretWords = `A device that registers here gets a secret, which is made up and printed once. It is
not kept: what is kept is good for checking it, and for no other SIP user.`

// devicePutCommand makes `device add` and `device set`.
func devicePutCommand(c *common, name, short string) *cobra.Command {
	var from deviceSecret
	long := secretWords + "\n\n" + `A group that there is not is made. Nobody sees its members until it is visible to
a group of people: see rollcall group visible --help.`
	if name == "set" {
		long = `What is not said stays as it is; "" takes a value away. With another SIP user the
device needs another secret, which is printed once.`
	}
	cmd := &cobra.Command{
		Use: name + " ID", Short: short, Long: long,
		Example: fmt.Sprintf(`  rollcall device %[1]s 2001 --name "Desk Alice" --class phone --site HQ --group staff-phones
  rollcall device %[1]s 2001 --number +493012345 --number 2001`, name),
		Args: wants("the id of one device", "2001"),
	}
	f := cmd.Flags()
	for flag, usage := range map[string]string{
		"name": "its `name`, as people see it", "site": "where it is, in `words`",
		"class": "what it `is`: " + classes(), "upstream": "the `PBX` that it registers at, by a name or a SIP URI; without it the device registers here",
		"user": "its SIP `user`, if that is not its id", "owner": "the `account` of the person that it is assigned to",
	} {
		f.String(flag, "", usage)
	}
	f.String("visible-to", "", "the `group` of people that sees the members of the groups of --group")
	f.StringArray("group", nil, "a shared `group` to put it into, under its name; more than one can be named")
	f.StringArray("number", nil, "a `number` that it is called by: +493012345, or 2001 in the house; more than one can be named")
	if name == "set" {
		f.StringArray("leave", nil, "a shared `group` to take it out of; more than one can be named")
	}
	f.Bool("critical", false, "it stays in sight when it is lost")
	f.Bool("shared", false, "it is nobody's in particular: its calls say nothing about its owner")
	f.Bool("disabled", false, "it may not register")
	from.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := operator.NewOrder("device."+name, "device", args[0])
		if err := deviceValues(cmd, o); err != nil {
			return err
		}
		if err := from.read(cmd, o); err != nil {
			return err
		}
		return c.order(cmd, o)
	}
	return cmd
}

// classes names the classes of devices.
func classes() string {
	var all []string
	for _, c := range domain.Classes() {
		all = append(all, string(c))
	}
	return strings.Join(all, ", ")
}

// deviceValues adds the flags that were given to an order.
func deviceValues(cmd *cobra.Command, o operator.Order) error {
	f := cmd.Flags()
	for flag, field := range map[string]string{
		"name": "name", "site": "site", "class": "class", "upstream": "upstream", "user": "user", "owner": "owner", "visible-to": "visible_to",
	} {
		if f.Changed(flag) {
			s, err := f.GetString(flag)
			if err != nil {
				return err
			}
			if s == "" {
				s = "-"
			}
			o.Values[field] = []string{s}
		}
	}
	for flag, field := range map[string]string{"group": "group", "number": "numbers", "leave": "leave"} {
		if f.Lookup(flag) == nil || !f.Changed(flag) {
			continue
		}
		all, err := f.GetStringArray(flag)
		if err != nil {
			return err
		}
		if len(all) == 1 && all[0] == "" {
			all[0] = "-"
		}
		o.Values[field] = all
	}
	for _, flag := range []string{"critical", "shared", "disabled"} {
		if f.Changed(flag) {
			is, err := f.GetBool(flag)
			if err != nil {
				return err
			}
			o.Values[flag] = []string{strconv.FormatBool(is)}
		}
	}
	return nil
}

func deviceRemoveCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:     "remove ID...",
		Short:   "Remove devices, and take them out of all shared groups",
		Example: "  rollcall device remove 2001 door-12",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return fmt.Errorf("%s wants the ids of devices; type: %s 2001", cmd.Name(), cmd.CommandPath())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o := operator.NewOrder("device.remove")
			o.Values["device"] = args
			return c.order(cmd, o)
		},
	}
}

func deviceListCommand(c *common) *cobra.Command {
	var look table
	var class, site, owner string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the devices",
		Example: `  rollcall device list
  rollcall device list --class intercom
  rollcall device list --owner alice`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.list(cmd, operator.NewOrder("device.list", "class", class, "site", site, "owner", owner), look)
		},
	}
	look.flags(cmd, -1)
	cmd.Flags().StringVar(&class, "class", "", "only those that `are` "+classes())
	cmd.Flags().StringVar(&site, "site", "", "only those at a `place`")
	cmd.Flags().StringVar(&owner, "owner", "", "only those of an `account`; - is those of nobody")
	return cmd
}

func deviceShowCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show what there is to know about a device",
		Example: "  rollcall device show 2001",
		Args:    wants("the id of one device", "2001"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.list(cmd, operator.NewOrder("device.show", "device", args[0]), table{limit: -1})
		},
	}
}

func deviceSecretCommand(c *common) *cobra.Command {
	var from deviceSecret
	cmd := &cobra.Command{
		Use:     "secret ID",
		Short:   "Give a device a new secret; the old one is not good any more",
		Long:    secretWords,
		Example: "  rollcall device secret 2001\n  rollcall device secret 2001 --secret-stdin < secret.txt",
		Args:    wants("the id of one device", "2001"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := operator.NewOrder("device.secret", "device", args[0])
			if err := from.read(cmd, o); err != nil {
				return err
			}
			return c.order(cmd, o)
		},
	}
	from.flags(cmd)
	return cmd
}

func deviceAssignCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "assign ID ACCOUNT",
		Short: "Assign a device to a person, who may have several",
		Long: `Assign a device to a person: that it is in a call is then true of the person too,
unless the device is shared. A person may have several devices. Without a domain
the account is at the first of server.domains that has accounts.`,
		Example: "  rollcall device assign 2001 alice\n  rollcall device assign 2001 alice@example.org",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return fmt.Errorf("%s wants a device and an account; type: %s 2001 alice", cmd.Name(), cmd.CommandPath())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.order(cmd, operator.NewOrder("device.assign", "device", args[0], "owner", args[1]))
		},
	}
}

func deviceUnassignCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:     "unassign ID",
		Short:   "Take a device from the person that it is assigned to",
		Example: "  rollcall device unassign 2001",
		Args:    wants("the id of one device", "2001"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.order(cmd, operator.NewOrder("device.unassign", "device", args[0]))
		},
	}
}

func deviceExportCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "export",
		Short: "Print all devices as a list that can be imported",
		Long: `Print all devices as a list in TOML. It has what secrets are checked against, by
which anybody can register as a device: keep it to yourself.`,
		Example: "  rollcall device export > devices.toml",
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDesk(cmd.Context(), func(d desk) error { return exportList(cmd, d) })
		},
	}
}

// exportList prints all pages of the list.
func exportList(cmd *cobra.Command, d desk) error {
	out := bufio.NewWriter(cmd.OutOrStdout())
	o := operator.NewOrder("device.export")
	for {
		a, err := d.Do(cmd.Context(), o)
		if err != nil {
			return err
		}
		for _, f := range a.Facts {
			for _, line := range f.Values {
				out.WriteString(line + "\n")
			}
		}
		if a.Next == "" {
			return out.Flush()
		}
		o.Values["after"] = []string{a.Next}
	}
}

func deviceImportCommand(c *common) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Add and change devices by a list in TOML",
		Long: `Add and change devices by a list as "rollcall device export" prints it, or from
standard input ("-"). Each device is a table of its own:

  [[device]]
  id = "door-12"
  name = "Door intercom North"
  class = "intercom"
  groups = ["intercoms"]

Of a device that there is already, what the list leaves out stays as it is; devices
that it does not have stay too. Its groups are those of the list, if it has any. In
place of ha1_md5 and ha1_sha256 there may be a secret. Either all of the list is
taken or nothing; every problem is told with its line.`,
		Example: "  rollcall device import --dry-run devices.toml\n  rollcall device import devices.toml",
		Args:    wants("one file", "devices.toml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readList(cmd, args[0])
			if err != nil {
				return err
			}
			o := operator.NewOrder("device.import")
			o.Values["devices"] = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			if dry {
				o.Values["dry_run"] = []string{"true"}
			}
			return c.order(cmd, o)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done, and every problem")
	return cmd
}

// readList reads a list from a file, or from standard input ("-").
func readList(cmd *cobra.Command, name string) (string, error) {
	from := cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer file.Close()
		from = file
	}
	text, err := io.ReadAll(io.LimitReader(from, domain.MaxList+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > domain.MaxList:
		return "", fmt.Errorf("%s has more than %d bytes; import it in parts", name, domain.MaxList)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n"), nil
}
