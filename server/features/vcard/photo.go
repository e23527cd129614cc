package vcard

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"rollcall/xmpp/stanza"
)

// Photo returns the SHA-1 hash of the picture in a vCard in hexadecimal digits
// (XEP-0153 §2.1), and how many bytes the picture has. Without one, or with one
// that is not Base64, the hash is empty: nobody can show that. An address of a
// picture counts for none (§4.5, rule 2).
func Photo(card *stanza.Element) (hash string, size int) {
	for _, photo := range card.Elements() {
		if !photo.Is(namespace, "PHOTO") {
			continue
		}
		if data := decode(photo.ChildText(namespace, "BINVAL")); len(data) > 0 {
			sum := sha1.Sum(data)
			return hex.EncodeToString(sum[:]), len(data)
		}
	}
	return "", 0
}

// decode undoes Base64; what is broken is nothing. Blanks and line breaks in it
// are passed over (XEP-0153 §4.6, rule 5), and so is padding that is missing.
func decode(text string) []byte {
	text = strings.Join(strings.Fields(text), "")
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil
	}
	return data
}
