package device

import (
	"crypto/sha1"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"maps"

	"rollcall/xmpp/stanza"
)

// Identity is what a device says that it is (XEP-0030 §3.1).
type Identity struct{ Category, Type, Name string }

// Identity returns what a device of the class is to clients. All are something
// to speak into, which clients show as a telephone. That goes for a gateway too:
// the category "gateway" is for ways into other networks of chat, and clients put
// those in a place of their own.
func (c Class) Identity() Identity {
	i := Identity{Category: "client", Type: "phone", Name: c.Label()}
	if c == Console {
		i.Type = "pc"
	}
	return i
}

// Identity returns what the device says that it is: its class, by its name.
func (d *Device) Identity() Identity {
	i := d.Class.Identity()
	i.Name = d.Name
	return i
}

// iconFiles are drawn by internal/pictograms.
//
//go:generate go run rollcall/internal/pictograms icons
//go:embed icons/*.png
var iconFiles embed.FS

// icon is the picture of a class.
type icon struct {
	png    []byte
	base64 string
	sha1   string
}

// icons are the pictures of all classes.
var icons = func() map[Class]icon {
	all := map[Class]icon{}
	for c := range maps.Keys(labels) {
		png, err := iconFiles.ReadFile("icons/" + string(c) + ".png")
		if err != nil {
			panic("device: " + err.Error()) // a test reads the same files, so no built program gets here
		}
		sum := sha1.Sum(png)
		all[c] = icon{png, base64.StdEncoding.EncodeToString(png), hex.EncodeToString(sum[:])}
	}
	return all
}()

// Icon returns the picture of the class, a PNG of 64 by 64 pixels and at most 3 KiB,
// which is not to be changed.
func (c Class) Icon() []byte { return icons[c].png }

// IconHash returns the SHA-1 of the picture as presence names it (XEP-0153 §2.1).
func (c Class) IconHash() string { return icons[c].sha1 }

// VCard returns what the device tells about itself (XEP-0054): the whole element.
func (d *Device) VCard() []byte {
	b := append(make([]byte, 0, 3<<10), "<vCard xmlns='vcard-temp'>"...)
	b = stanza.AppendElement(b, "FN", d.Name)
	b = stanza.AppendElement(b, "NICKNAME", d.Name)
	b = stanza.AppendElement(b, "TITLE", d.Class.Label())
	for _, n := range d.Numbers {
		b = append(b, "<TEL><WORK/><VOICE/>"...)
		b = append(stanza.AppendElement(b, "NUMBER", n), "</TEL>"...)
	}
	if d.Site != "" {
		b = append(b, "<ADR><WORK/>"...)
		b = append(stanza.AppendElement(b, "LOCALITY", d.Site), "</ADR>"...)
	}
	b = stanza.AppendElement(b, "JABBERID", string(d.JID))
	b = append(b, "<PHOTO><TYPE>image/png</TYPE><BINVAL>"...)
	b = append(append(b, icons[d.Class].base64...), "</BINVAL></PHOTO>"...)
	return append(b, "</vCard>"...)
}
