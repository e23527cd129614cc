package device

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"image/png"
	"testing"

	"rollcall/xmpp/stanza"
)

func TestIcons(t *testing.T) {
	seen := map[string]Class{}
	for _, c := range Classes() {
		file := c.Icon()
		img, err := png.Decode(bytes.NewReader(file))
		if err != nil || img.Bounds().Dx() != 64 || img.Bounds().Dy() != 64 || len(file) > 3<<10 {
			t.Errorf("%s: %d bytes, %v", c, len(file), err)
			continue
		}
		sum := sha1.Sum(file)
		if hash := hex.EncodeToString(sum[:]); hash != c.IconHash() || seen[hash] != "" { // XEP-0153 §2.1
			t.Errorf("%s: its hash is %s and not %s, or it looks like %q", c, c.IconHash(), hash, seen[hash])
		}
		seen[c.IconHash()] = c
	}
}

func TestIdentity(t *testing.T) {
	for c, want := range map[Class]string{Phone: "phone", Intercom: "phone", HelpPoint: "phone", Paging: "phone", Console: "pc", Gateway: "phone"} {
		if i := c.Identity(); i.Category != "client" || i.Type != want || i.Name != c.Label() {
			t.Errorf("%s is %+v", c, i)
		}
	}
	d := Device{Name: "Door intercom North", Class: Intercom}
	if got, want := d.Identity(), (Identity{"client", "phone", "Door intercom North"}); got != want {
		t.Errorf("%+v", got)
	}
}

func TestVCard(t *testing.T) {
	d, faults := canonical(Device{ID: "door-12", Name: `Door <"North"> & Gate`, Class: Intercom, Site: "Tunnel km 3.2", Numbers: []string{"+49301", "12"}}, testDomain)
	if faults != nil {
		t.Fatal(faults)
	}
	e, err := stanza.Parse(d.VCard(), stanza.NSClient, nil)
	if err != nil || !e.Is("vcard-temp", "vCard") {
		t.Fatalf("%v: %s", err, d.VCard())
	}
	if got := e.ChildText("vcard-temp", "FN"); got != d.Name {
		t.Errorf("it is called %q", got)
	}
	if got := e.Child("vcard-temp", "ADR").ChildText("vcard-temp", "LOCALITY"); got != d.Site {
		t.Errorf("it is at %q", got)
	}
	photo := e.Child("vcard-temp", "PHOTO")
	file, err := base64.StdEncoding.DecodeString(photo.ChildText("vcard-temp", "BINVAL"))
	if err != nil || !bytes.Equal(file, Intercom.Icon()) || photo.ChildText("vcard-temp", "TYPE") != "image/png" {
		t.Errorf("its picture is another: %v", err)
	}
	numbers, address := 0, e.ChildText("vcard-temp", "JABBERID")
	for _, c := range e.Elements() {
		if c.Is("vcard-temp", "TEL") && c.ChildText("vcard-temp", "NUMBER") == d.Numbers[numbers] {
			numbers++
		}
	}
	if numbers != 2 || address != "door-12@phones.x" || e.ChildText("vcard-temp", "TITLE") != "Door intercom" {
		t.Errorf("%s", d.VCard())
	}
	bare := Device{Name: "x", Class: Phone}
	if e, err := stanza.Parse(bare.VCard(), stanza.NSClient, nil); err != nil || e.Child("vcard-temp", "ADR") != nil || e.Child("vcard-temp", "TEL") != nil {
		t.Errorf("%v: %s", err, bare.VCard())
	}
}
