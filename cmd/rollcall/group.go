package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"rollcall/internal/operator"
)

func groupCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "group",
		Short: "Put people into each other's contacts by shared groups",
		Long: `Shared groups put people into each other's contacts, without anybody asking:
whoever is in a group sees the others in it, with their presence. A group can also
be shown to the members of another group. People cannot remove such contacts, but
can give them names and groups of their own. This works while the server runs:
whoever is connected sees a change at once.`,
		Example: `  rollcall group add sales --title "Sales"
  rollcall group member add sales ada@example.org bob@example.org
  rollcall group add all --title "Everybody" --everybody
  rollcall group visible sales --to support`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		groupPutCommand(c, "add", "Add a group"), groupPutCommand(c, "set", "Change a group"),
		groupRemoveCommand(c), groupListCommand(c), groupMemberCommand(c), groupVisibleCommand(c),
	)
	return cmd
}

// groupPutCommand makes `group add` and `group set`.
func groupPutCommand(c *common, name, short string) *cobra.Command {
	var title string
	var everybody, mutual bool
	cmd := &cobra.Command{
		Use:     name + " GROUP",
		Short:   short,
		Example: fmt.Sprintf("  rollcall group %s sales --title \"Sales and marketing\"", name),
		Args:    wants("the name of one group", "sales"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := operator.NewOrder("group."+name, "group", args[0], "title", title)
			for flag, value := range map[string]bool{"everybody": everybody, "mutual": mutual} {
				if cmd.Flags().Changed(flag) {
					o.Values[flag] = []string{strconv.FormatBool(value)}
				}
			}
			return c.order(cmd, o)
		},
	}
	cmd.Flags().StringVar(&title, "title", "", "what people see as its name")
	cmd.Flags().BoolVar(&everybody, "everybody", false, "all accounts belong to it, those that are added later too")
	cmd.Flags().BoolVar(&mutual, "mutual", true, "its members see one another")
	return cmd
}

func groupRemoveCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:     "remove GROUP",
		Short:   "Remove a group; what people have agreed on themselves stays",
		Example: "  rollcall group remove sales",
		Args:    wants("the name of one group", "sales"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.order(cmd, operator.NewOrder("group.remove", "group", args[0]))
		},
	}
}

func groupListCommand(c *common) *cobra.Command {
	var t table
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the groups",
		Example: "  rollcall group list",
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.list(cmd, operator.NewOrder("group.list"), t)
		},
	}
	t.flags(cmd, -1)
	return cmd
}

func groupMemberCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "member",
		Short: "Say who is in a group",
		Example: `  rollcall group member add sales ada@example.org
  rollcall group member list sales`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var name string
	add := groupMembersCommand(c, "add", "group.join", "Put people into a group")
	add.Flags().StringVar(&name, "name", "", "the name that others see, for one address; without it the address gives one")
	remove := groupMembersCommand(c, "remove", "group.leave", "Take people out of a group")
	var t table
	list := &cobra.Command{
		Use:     "list GROUP",
		Short:   "List who is in a group",
		Example: "  rollcall group member list sales",
		Args:    wants("the name of one group", "sales"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.list(cmd, operator.NewOrder("group.members", "group", args[0]), t)
		},
	}
	t.flags(list, -1)
	cmd.AddCommand(add, remove, list)
	return cmd
}

// groupMembersCommand makes `group member add` and `group member remove`.
func groupMembersCommand(c *common, name, order, short string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " GROUP ADDRESS...",
		Short:   short,
		Example: fmt.Sprintf("  rollcall group member %s sales ada@example.org bob@example.org", name),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) >= 2 {
				return nil
			}
			return fmt.Errorf("%s wants a group and addresses; type: %s sales ada@example.org", cmd.Name(), cmd.CommandPath())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o := operator.NewOrder(order, "group", args[0])
			for _, s := range args[1:] {
				who, err := person(cmd, s)
				if err != nil {
					return err
				}
				o.Values["accountjids"] = append(o.Values["accountjids"], string(who))
			}
			if f := cmd.Flags().Lookup("name"); f != nil && f.Changed {
				o.Values["name"] = []string{f.Value.String()}
			}
			return c.order(cmd, o)
		},
	}
}

func groupVisibleCommand(c *common) *cobra.Command {
	var to string
	var not bool
	cmd := &cobra.Command{
		Use:   "visible GROUP --to OTHER",
		Short: "Show the members of one group to those of another",
		Long: `Show the members of GROUP to the members of OTHER, who need not be seen in turn:
then they are shown to nobody by this.`,
		Example: `  rollcall group visible phones --to staff
  rollcall group visible phones --to staff --not`,
		Args: wants("the name of one group", "phones --to staff"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return fmt.Errorf("visible wants the group that sees them; type: %s %s --to staff", cmd.CommandPath(), args[0])
			}
			return c.order(cmd, operator.NewOrder("group.visible", "group", args[0], "to", to, "visible", strconv.FormatBool(!not)))
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the `group` whose members see them")
	cmd.Flags().BoolVar(&not, "not", false, "do not show them any more")
	return cmd
}
