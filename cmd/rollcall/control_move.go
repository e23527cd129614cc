package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"time"

	"rollcall/internal/operator"
	"rollcall/internal/portable"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// Accounts that move in come through the control socket one parcel at a time;
// those that move out go all in one answer of many parts, an account in each.

const (
	// importRequest is a parcel at most: the largest element that is read, in the
	// encoding of JSON, and what may be beside it.
	importRequest = 256 << 20

	partAccount = "Rollcall-Account"
	partEnd     = "Rollcall-End"
)

// errElsewhere is said by a gateway that runs without the server.
var errElsewhere = errors.New("only the SIP gateway is running here; accounts are at another server")

// take takes a parcel in.
func (c *control) take(w http.ResponseWriter, r *http.Request) {
	var d portable.Delivery
	var receipt storage.Receipt
	if c.mover == nil {
		c.answer(w, nil, errElsewhere)
		return
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, importRequest)).Decode(&d)
	if err == nil {
		receipt, err = c.mover.Take(r.Context(), by(r), &d)
	}
	c.answer(w, receipt, err)
}

// export writes accounts.
func (c *control) export(w http.ResponseWriter, r *http.Request) {
	var wanted operator.Wanted
	if c.mover == nil {
		c.answer(w, nil, errElsewhere)
		return
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, importRequest)).Decode(&wanted); err != nil {
		c.answer(w, nil, err)
		return
	}
	out := &unhurried{w: w, control: http.NewResponseController(w)}
	parts := multipart.NewWriter(out)
	err := c.mover.Export(r.Context(), by(r), wanted, func(who jid.Bare) (io.Writer, error) {
		if !out.begun {
			w.Header().Set("Content-Type", "multipart/mixed; boundary="+parts.Boundary())
		}
		return parts.CreatePart(textproto.MIMEHeader{partAccount: {url.PathEscape(string(who))}})
	})
	if err != nil && !out.begun {
		c.answer(w, nil, err)
		return
	}
	if err != nil {
		// Whoever reads sees that it is not whole.
		c.log.Warn("an export broke off", "err", err)
		panic(http.ErrAbortHandler)
	}
	if !out.begun { // there is no account
		w.Header().Set("Content-Type", "multipart/mixed; boundary="+parts.Boundary())
	}
	if _, err = parts.CreatePart(textproto.MIMEHeader{partEnd: {"yes"}}); err == nil {
		err = parts.Close()
	}
	if err != nil {
		c.log.Debug("the control socket was closed early", "err", err)
	}
}

// unhurried writes an answer that may take longer than others, as long as it is
// read.
type unhurried struct {
	w       io.Writer
	control *http.ResponseController
	begun   bool
}

// Write implements io.Writer.
func (u *unhurried) Write(b []byte) (int, error) {
	u.begun = true
	if err := u.control.SetWriteDeadline(time.Now().Add(controlDeadline)); err != nil {
		return 0, err
	}
	return u.w.Write(b)
}

// Take implements mover.
func (r *remote) Take(ctx context.Context, d *portable.Delivery) (receipt storage.Receipt, err error) {
	return receipt, r.do(ctx, http.MethodPost, "/import", d, &receipt)
}

var errBrokeOff = errors.New("the export broke off; see the server's log")

// Export implements mover.
func (r *remote) Export(ctx context.Context, w operator.Wanted, to func(jid.Bare) (io.Writer, error)) error {
	return r.ask(ctx, http.MethodPost, "/export", w, func(response *http.Response) error {
		_, params, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
		if err != nil {
			return errBrokeOff
		}
		parts := multipart.NewReader(response.Body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil {
				return errBrokeOff
			}
			if part.Header.Get(partEnd) != "" {
				return nil
			}
			who, err := url.PathUnescape(part.Header.Get(partAccount))
			if err != nil {
				return errBrokeOff
			}
			out, err := to(jid.Bare(who))
			if err != nil {
				return err
			}
			if _, err := io.Copy(out, part); err != nil {
				return errors.Join(errBrokeOff, err)
			}
		}
	})
}
