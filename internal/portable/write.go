package portable

import (
	"bufio"
	"context"
	"io"
	"slices"

	"rollcall/server/features/archive"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Exporter writes accounts.
type Exporter struct {
	Store   *storage.Portable
	IDs     *archive.IDs // as clients know the messages of their archives
	Without []string     // names of sections to leave out

	// Ejabberd has keys written as ejabberd 23.01 reads them, and nobody else
	// does.
	Ejabberd bool
}

// exporting is an account that is being written.
type exporting struct {
	ctx      context.Context
	store    *storage.Portable
	ids      *archive.IDs
	ejabberd bool
	id       storage.AccountID
	parcel   *storage.Parcel
	out      *bufio.Writer
}

// Account writes the element <user/> of an account, to where to says once it is
// known that it is there; it is to stand in a [Document].
func (x *Exporter) Account(ctx context.Context, who jid.Bare, to func(jid.Bare) (io.Writer, error)) error {
	id, parcel, err := x.Store.Get(ctx, who)
	if err != nil {
		return err
	}
	w, err := to(who)
	if err != nil {
		return err
	}
	e := &exporting{ctx: ctx, store: x.Store, ids: x.IDs, ejabberd: x.Ejabberd, id: id, parcel: parcel, out: bufio.NewWriter(w)}
	if err := e.line(append(stanza.AppendAttr([]byte("<user"), "name", who.Local()), '>')); err != nil {
		return err
	}
	for i := range sections {
		s := &sections[i]
		if s.write == nil || slices.Contains(x.Without, s.name) {
			continue
		}
		if err := s.write(e); err != nil {
			return err
		}
	}
	if err := e.line([]byte("</user>")); err != nil {
		return err
	}
	return e.out.Flush()
}

// line writes something and ends the line.
func (x *exporting) line(b []byte) error {
	x.out.Write(b) // an error comes again
	return x.out.WriteByte('\n')
}

func (x *exporting) bytes(b []byte) error {
	_, err := x.out.Write(b)
	return err
}

func (x *exporting) write(s string) { x.out.WriteString(s) }

// Document is a document of accounts that is being written.
type Document struct {
	w    io.Writer
	host string
	head bool
}

// NewDocument returns a document that is written to w.
func NewDocument(w io.Writer) *Document { return &Document{w: w} }

// Account returns where an account's element is to be written. Accounts of one
// domain have to come one after another.
func (d *Document) Account(who jid.Bare) (io.Writer, error) {
	var b []byte
	if !d.head {
		b, d.head = append(b, "<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='"+NS+"'>\n"...), true
	}
	if d.host != who.Domain() {
		b = d.endHost(b)
		d.host = who.Domain()
		b = append(stanza.AppendAttr(append(b, "<host"...), "jid", d.host), ">\n"...)
	}
	_, err := d.w.Write(b)
	return d.w, err
}

func (d *Document) endHost(b []byte) []byte {
	if d.host != "" {
		b = append(b, "</host>\n"...)
	}
	return b
}

// Close ends the document.
func (d *Document) Close() error {
	var b []byte
	if !d.head {
		b = append(b, "<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='"+NS+"'>\n"...)
	}
	_, err := d.w.Write(append(d.endHost(b), "</server-data>\n"...))
	return err
}
