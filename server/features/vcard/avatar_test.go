package vcard

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// scan reads what a client could send, or nil.
func scan(raw string) *stanza.Stanza {
	l := stream.Limits{Stanza: 1 << 18, Tag: 1 << 14, Depth: 64, Attrs: 32, Namespaces: 32}
	sc := stream.New(l)
	sc.Reset(l, stanza.NSClient, []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}, {Prefix: "v", URI: nsUpdate}})
	st, err := sc.Whole([]byte(raw))
	if err != nil {
		return nil
	}
	return st
}

func TestPhoto(t *testing.T) {
	const hash, size = "a9993e364706816aba3e25717850c26c9cd0d89d", 3 // of "abc", FIPS 180
	abc := base64.StdEncoding.EncodeToString([]byte("abc"))
	for inner, want := range map[string]string{
		"":             "",
		"<FN>abc</FN>": "",
		"<PHOTO><BINVAL>" + abc + "</BINVAL></PHOTO>":                                                   hash,
		"<PHOTO><TYPE>image/png</TYPE><BINVAL>\n " + abc[:2] + "\r\n\t" + abc[2:] + "</BINVAL></PHOTO>": hash,
		"<PHOTO><BINVAL/></PHOTO>":                                                     "",
		"<PHOTO><BINVAL>!</BINVAL></PHOTO>":                                            "",
		"<PHOTO><BINVAL>YWJj=YWJj</BINVAL></PHOTO>":                                    "",
		"<PHOTO><EXTVAL>http://x/</EXTVAL></PHOTO>":                                    "",
		"<PHOTO><EXTVAL>x</EXTVAL></PHOTO><PHOTO><BINVAL>" + abc + "</BINVAL></PHOTO>": hash,
		"<LOGO><BINVAL>" + abc + "</BINVAL></LOGO>":                                    "",
		"<PHOTO xmlns='urn:o'><BINVAL>" + abc + "</BINVAL></PHOTO>":                    "",
	} {
		card, err := stanza.Parse([]byte("<vCard xmlns='vcard-temp'>"+inner+"</vCard>"), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, n := Photo(card); got != want || want != "" && n != size || want == "" && n != 0 {
			t.Errorf("%s: %q, %d", inner, got, n)
		}
	}
	for _, padded := range []string{"YQ==", "YQ", "YQ="} {
		if got := string(decode(padded)); got != "a" {
			t.Errorf("%s is %q", padded, got)
		}
	}
}

// FuzzMarked: whatever somebody says about a picture, afterwards it is said once
// and rightly, and all else is as it was.
func FuzzMarked(f *testing.F) {
	for _, raw := range []string{
		"<presence/>", "<presence><x xmlns='vcard-temp:x:update'/></presence>", "<presence><show>away</show></presence>",
		"<presence><x xmlns='vcard-temp:x:update'><photo>abc</photo></x><v:x><v:photo/></v:x></presence>",
		"<presence xmlns:a='b' a:c='d'><v:x><v:photo>01</v:photo></v:x><status>&lt;</status></presence>",
		"<presence><x xmlns='vcard-temp:x:update'><photo><![CDATA[1]]></photo></x></presence>",
	} {
		f.Add(raw, "01b87fcd030b72895ff8e88db57ec525450f000d")
		f.Add(raw, "")
	}
	f.Fuzz(func(t *testing.T, raw, hash string) {
		st := scan(raw)
		if st == nil || st.Kind != stanza.Presence || strings.Trim(hash, "0123456789abcdef") != "" {
			return
		}
		if marked(st, "a@x/y", "", picture{}) != nil {
			t.Fatal("something was said about nothing")
		}
		out := marked(st, "a@x/y", "b@x", picture{true, hash})
		if out == nil {
			if got, named := said(st); !named || !strings.EqualFold(got, hash) {
				t.Fatalf("%q says %q, %v, and that was left", raw, got, named)
			}
			return
		}
		now := scan(string(out))
		if now == nil {
			t.Fatalf("%q became %q", raw, out)
		}
		if got, named := said(now); !named || got != hash || string(now.From) != "a@x/y" || string(now.To) != "b@x" {
			t.Fatalf("%q became %q", raw, out)
		}
		if before, after := others(st), others(now); before != after {
			t.Fatalf("of %q was left %q, of what was %q", raw, after, before)
		}
	})
}

// others is what a presence says beside the picture.
func others(st *stanza.Stanza) string {
	e, err := st.Element()
	if err != nil {
		return err.Error()
	}
	var all []byte
	for _, c := range e.Elements() {
		if !c.Is(nsUpdate, "x") {
			all = c.AppendXML(all, "")
		}
	}
	return string(all)
}

// shelf is a place for one vCard's picture.
type shelf struct {
	hash   string
	asked  int
	broken error
}

func (s *shelf) Get(context.Context, jid.Bare) ([]byte, bool, error) { return nil, false, s.broken }
func (s *shelf) Set(context.Context, jid.Bare, []byte) error         { return s.broken }
func (s *shelf) Photo(context.Context, int64) (string, bool, error) {
	s.asked++
	return s.hash, s.hash != "", s.broken
}

type deaf struct{}

func (deaf) Write(b []byte) (int, error) { return len(b), nil }
func (deaf) Close() error                { return nil }
func (deaf) Abort()                      {}
func (deaf) HangUp(*stream.Fault)        {}

// told is who would be told of a changed presence.
type told []string

func (t *told) Amend(s *server.Session, _ func(*stanza.Stanza) []byte) {
	*t = append(*t, s.JID.String())
}

func (*shelf) Lookup(context.Context, jid.Bare) (int64, bool, error) { return 1, true, nil }

// The store is asked once for all sessions of an account; nothing is left of it
// when they have ended.
func TestAskedOnce(t *testing.T) {
	s, heard := &shelf{hash: "01"}, new(told)
	f := New(s, heard, Config{})
	srv := server.New(t.Context(), server.Options{
		Config: server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 1 << 20}, Accounts: s, Features: []server.Feature{f},
	})
	var all []*server.Session
	for n := range 3 {
		one, err := srv.Bind(t.Context(), server.NewAccount("ada@x", 1), fmt.Sprint(n), deaf{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
		for range 2 {
			if err := srv.Handle(t.Context(), one, scan("<presence/>")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.asked != 1 || len(f.gallery.all) != 1 {
		t.Errorf("asked %d times, %d are remembered", s.asked, len(f.gallery.all))
	}
	// Somebody changes the picture while a presence is on its way.
	if _, changed, err := all[0].Get(f.slot).(*worn).change(t.Context(), picture{true, "02"}, f, func() error { return nil }); !changed || err != nil {
		t.Errorf("%v, %v", changed, err)
	}
	f.Published(all[1])
	f.Published(all[1])
	if fmt.Sprint(*heard) != "[ada@x/1]" {
		t.Errorf("told anew: %v", *heard)
	}
	for _, one := range all {
		one.Release()
		one.End(t.Context())
	}
	if len(f.gallery.all) != 0 {
		t.Errorf("%d are left", len(f.gallery.all))
	}
}

// Of somebody who never had a vCard nothing is kept but that, until the last
// session has ended, and a presence that is on its way when the first one is set
// is told anew.
func TestNone(t *testing.T) {
	s, heard := &shelf{}, new(told)
	f := New(s, heard, Config{})
	srv := server.New(t.Context(), server.Options{
		Config: server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 1 << 20}, Accounts: s, Features: []server.Feature{f},
	})
	var all []*server.Session
	for n := range 2 {
		one, err := srv.Bind(t.Context(), server.NewAccount("ada@x", 1), fmt.Sprint(n), deaf{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
		if err := srv.Handle(t.Context(), one, scan("<presence/>")); err != nil {
			t.Fatal(err)
		}
		f.Published(one)
	}
	if s.asked != 1 || len(f.gallery.all) != 0 || len(f.gallery.none) != 1 || all[0].Get(f.slot) != nil || len(*heard) != 0 {
		t.Errorf("asked %d times, remembered %v and %v, told %v", s.asked, f.gallery.all, f.gallery.none, *heard)
	}
	a := f.gallery.open(all[0].Account)
	if _, changed, err := a.change(t.Context(), picture{true, "02"}, f, func() error { return nil }); !changed || err != nil {
		t.Errorf("%v, %v", changed, err)
	}
	f.Published(all[1])
	if fmt.Sprint(*heard) != "[ada@x/1]" || len(f.gallery.none) != 0 {
		t.Errorf("told anew: %v", *heard)
	}
	f.gallery.close("ada@x", a)
	all[1].Release()
	all[1].End(t.Context())
	if _, err := f.gallery.open(all[0].Account).now(t.Context(), f); err != nil || len(f.gallery.none) != 1 {
		t.Errorf("%v, %v", err, f.gallery.none)
	}
	all[0].Release()
	all[0].End(t.Context())
	if len(f.gallery.none) != 0 {
		t.Error("who has left is remembered")
	}
}

// Whoever has seen in the store that there is no vCard can say so, unless there may
// be one by now.
func TestSeen(t *testing.T) {
	s := &shelf{}
	f := New(s, new(told), Config{})
	ada := server.NewAccount("ada@x", 1)
	f.Seen(1, false, f.Era())
	if f.gallery.openUnlessNone(ada) != nil {
		t.Error("what was seen is not known")
	}
	f.Seen(1, true, f.Era())
	a := f.gallery.openUnlessNone(ada)
	if a == nil {
		t.Fatal("there is one, and it is not known")
	}
	era, during := f.Era(), uint64(0)
	// Somebody logs in while the first picture is being set: that they have none is
	// what they say, so they are to say it anew.
	_, changed, err := a.change(t.Context(), picture{true, "01"}, f, func() error {
		during = f.Era()
		f.Seen(1, false, during)
		return nil
	})
	if !changed || err != nil {
		t.Errorf("%v, %v", changed, err)
	}
	for _, old := range []uint64{era, during} {
		if f.Seen(1, false, old); len(f.gallery.none) != 0 {
			t.Error("what was seen before the change counts")
		}
	}
}

// When it is not known what was saved the store is asked again.
func TestChangeFails(t *testing.T) {
	s := &shelf{hash: "01"}
	f := New(s, new(told), Config{})
	a := f.gallery.open(server.NewAccount("ada@x", 1))
	if now, err := a.now(t.Context(), f); err != nil || now.hash != "01" {
		t.Fatalf("%+v, %v", now, err)
	}
	away := errors.New("away")
	if _, changed, err := a.change(t.Context(), picture{true, "02"}, f, func() error { return away }); changed || err != away {
		t.Errorf("%v, %v", changed, err)
	}
	s.hash = "02"
	if now, err := a.now(t.Context(), f); err != nil || now.hash != "02" || s.asked != 2 {
		t.Errorf("%+v, %v", now, err)
	}
	s.broken = away
	if _, err := new(avatar).now(t.Context(), f); err != away {
		t.Errorf("%v", err)
	}
}
