package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/operator"
	"rollcall/internal/portable"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

func accountExportCommand(c *common) *cobra.Command {
	var file, dir, dialect string
	var without []string
	cmd := &cobra.Command{
		Use:   "export [ADDRESS...]",
		Short: "Write accounts to a file that other servers can read",
		Long: `Write accounts, or all of them, in the portable format of XEP-0227: what verifies
their passwords, contacts, vCards, messages that wait, archives. A file that is
made can be read by its owner only. With --directory each account gets a file of
its own, named as Prosody looks for it.

What it holds is secret: who has it can try passwords, and reads what people
wrote.`,
		Example: `  rollcall account export --output accounts.xml
  rollcall account export ada@example.org bob@example.org --without archive
  rollcall account export --directory /root/for-prosody
  rollcall account export --output accounts.xml --for ejabberd`,
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted := operator.Wanted{Without: without, Ejabberd: dialect == "ejabberd"}
			if dialect != "" && !wanted.Ejabberd {
				return fmt.Errorf("nobody knows what is special about %q; there is: --for ejabberd", dialect)
			}
			for _, arg := range args {
				who, err := person(cmd, arg)
				if err != nil {
					return err
				}
				wanted.Accounts = append(wanted.Accounts, who)
			}
			out, err := openExport(cmd, file, dir)
			if err != nil {
				return err
			}
			err = c.withMover(cmd.Context(), func(m mover) error { return m.Export(cmd.Context(), wanted, out.account) })
			if err := errors.Join(err, out.close(err == nil)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "exported %d accounts. What verifies their passwords is among it: keep it from others.\n", out.count)
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "the `file` to write; without it standard output")
	cmd.Flags().StringVar(&dir, "directory", "", "write a file for each account into this `directory`")
	cmd.Flags().StringSliceVar(&without, "without", nil, "leave out `sections`: "+strings.Join(portable.Sections(), ", "))
	cmd.Flags().StringVar(&dialect, "for", "", "write keys as this `server` reads them: ejabberd")
	cmd.MarkFlagsMutuallyExclusive("output", "directory")
	return cmd
}

// mover is where accounts are carried in and out: in the database itself, or by
// the server that is running on it.
type mover interface {
	portable.Taker
	Export(ctx context.Context, w operator.Wanted, to func(jid.Bare) (io.Writer, error)) error
}

// directMover carries accounts in and out of the database. Nobody else is there.
type directMover struct{ *operator.Mover }

// Take implements mover.
func (m directMover) Take(ctx context.Context, d *portable.Delivery) (storage.Receipt, error) {
	return m.Mover.Take(ctx, localUser(os.Getuid(), "command line"), d)
}

// Export implements mover.
func (m directMover) Export(ctx context.Context, w operator.Wanted, to func(jid.Bare) (io.Writer, error)) error {
	return m.Mover.Export(ctx, localUser(os.Getuid(), "command line"), w, to)
}

// exported is where an export goes: one file or many, or standard output.
type exported struct {
	stdout io.Writer // nil if it goes to files
	path   string    // of the one file
	dir    string    // for the many

	count int
	open  *os.File
	doc   *portable.Document
}

func openExport(cmd *cobra.Command, file, dir string) (*exported, error) {
	x := &exported{path: file, dir: dir}
	var err error
	switch {
	case dir != "":
		return x, os.MkdirAll(dir, 0o700)
	case file != "":
		err = x.create(file + ".new")
	default:
		x.stdout = cmd.OutOrStdout()
		x.doc = portable.NewDocument(x.stdout)
		if f, ok := x.stdout.(*os.File); ok {
			warnReadable(cmd.ErrOrStderr(), fmt.Sprintf("/dev/fd/%d", f.Fd()))
		}
	}
	return x, err
}

// create makes a file that only its owner can read.
func (x *exported) create(path string) (err error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if x.open, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return err
	}
	x.doc = portable.NewDocument(x.open)
	return nil
}

// account says where an account's element goes.
func (x *exported) account(who jid.Bare) (io.Writer, error) {
	x.count++
	if x.dir == "" {
		return x.doc.Account(who)
	}
	if err := x.finish(); err != nil {
		return nil, err
	}
	if err := x.create(filepath.Join(x.dir, string(who)+".xml")); err != nil {
		return nil, err
	}
	return x.doc.Account(who)
}

// finish ends the document, and the file if it is in one.
func (x *exported) finish() error {
	if x.doc == nil {
		return nil
	}
	err := x.doc.Close()
	if x.open != nil {
		err = errors.Join(err, x.open.Sync(), x.open.Close())
	}
	x.doc, x.open = nil, nil
	return err
}

// close ends it. What is not whole does not get the name of what is.
func (x *exported) close(whole bool) error {
	switch {
	case !whole && x.open != nil:
		name := x.open.Name()
		return errors.Join(x.open.Close(), os.Remove(name))
	case !whole:
		return nil
	}
	err := x.finish()
	if err == nil && x.path != "" {
		err = os.Rename(x.path+".new", x.path)
	}
	return err
}

// warnReadable says so when others on this machine can read files with secrets.
func warnReadable(w io.Writer, files ...string) {
	count, first, mode := 0, "", os.FileMode(0)
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if count++; count == 1 {
			first, mode = name, info.Mode().Perm()
		}
	}
	switch count {
	case 0:
		return
	case 1:
		fmt.Fprintf(w, "others can read %s (mode %04o)", first, mode)
	default:
		fmt.Fprintf(w, "others can read %d of these files, such as %s (mode %04o)", count, first, mode)
	}
	fmt.Fprintln(w, ", and what verifies passwords is in there; take that away with: chmod go=")
}
