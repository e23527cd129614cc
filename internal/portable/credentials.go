package portable

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
	"time"

	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
)

// nsAccount is for what the format has no place for: when the account was made,
// and whether nobody can log in to it.
const nsAccount = "urn:rollcall:account:0"

// properties reads our own element of an account's properties.
func (r *reader) properties(start xml.StartElement) error {
	where := r.doc.place()
	r.a.Parcel.Disabled = attr(start, "disabled") == "true"
	if text := attr(start, "created"); text != "" {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			r.tell(where, "%q is no time", text)
		} else {
			r.a.Parcel.Created = at.UTC().Truncate(time.Microsecond)
		}
	}
	return r.doc.skip()
}

func (x *exporting) properties() error {
	b := append([]byte("<account xmlns='"+nsAccount+"' created='"), stanza.AppendTime(nil, x.parcel.Created)...)
	if x.parcel.Disabled {
		b = append(b, "' disabled='true"...)
	}
	return x.line(append(b, "'/>"...))
}

// password reads the attribute: a password in the clear, or keys as ejabberd
// wrote them before the format had a place for those:
// "scram:storedkey,serverkey,salt,iterations", with the name of a hash before
// them unless it is SHA-1.
func (r *reader) password(text string) {
	if r.without("passwords") || text == "" {
		return
	}
	keys, isKeys := strings.CutPrefix(text, "scram:")
	if !isKeys {
		r.a.Password = text
		return
	}
	parts := strings.Split(keys, ",")
	name := "SCRAM-SHA-1"
	if len(parts) == 5 {
		name = "SCRAM-" + strings.Replace(strings.ToUpper(parts[0]), "SHA", "SHA-", 1)
		parts = parts[1:]
	}
	if len(parts) != 4 {
		r.tell(r.doc.place(), "the keys in the attribute password are not whole; they are left out")
		return
	}
	r.keys(r.doc.place(), name, parts[2], parts[3], parts[0], parts[1])
}

func (r *reader) without(name string) bool {
	for _, w := range r.o.Without {
		if w == name {
			return true
		}
	}
	return false
}

// credentials reads SCRAM credentials (XEP-0227 §4.3).
func (r *reader) credentials(start xml.StartElement) error {
	where := r.doc.place()
	e, err := r.doc.element(start)
	if err != nil {
		return err
	}
	text := func(name string) string { return strings.TrimSpace(e.ChildText(nsSCRAM, name)) }
	r.keys(where, e.Attr("mechanism"), text("salt"), text("iter-count"), text("stored-key"), text("server-key"))
	return nil
}

// keys keeps what verifies a password, if it does.
func (r *reader) keys(where Place, mechanism, salt, count, stored, server string) {
	mechanism = strings.TrimSuffix(mechanism, "-PLUS")
	h, known := sasl.HashOf(mechanism)
	if !known {
		r.tell(where, "there is no mechanism %.50q here; its keys are left out", mechanism)
		return
	}
	k, err := decodeKeys(h, salt, count, stored, server)
	if h == sasl.SHA1 && errors.Is(err, errKeys) {
		// COMPAT(prosody-migrator 0.12): it does not know of password_hash, and
		// calls keys of SHA-256 by the wrong name. Only their length tells.
		h, mechanism = sasl.SHA256, sasl.SHA256.String()
		k, err = decodeKeys(h, salt, count, stored, server)
	}
	if err != nil {
		r.tell(where, "the keys of %s cannot be used: %v; they are left out", mechanism, err)
		return
	}
	if _, twice := r.a.Parcel.Keys[h]; twice {
		r.tell(where, "there are keys of %s already; the second ones are left out", mechanism)
		return
	}
	r.a.key(h, k)
}

var errKeys = errors.New("they do not have the length of the hash")

func decodeKeys(h sasl.Hash, salt, count, stored, server string) (k sasl.Keys, err error) {
	if k.Iterations, err = strconv.Atoi(count); err != nil || k.Iterations < 1 || k.Iterations > sasl.MaxIterations {
		return k, errors.New("the iteration count is none")
	}
	texts := [...]string{salt, stored, server}
	var values [3][]byte
	for i := range texts {
		if values[i], err = base64.StdEncoding.DecodeString(texts[i]); err != nil {
			return k, errors.New("they are no base64")
		}
	}
	// COMPAT(ejabberd 23.01): it encodes what it keeps encoded, so all is
	// encoded twice.
	if len(values[1]) != h.Size() {
		for i := range values {
			if values[i], err = base64.StdEncoding.DecodeString(string(values[i])); err != nil {
				return k, errKeys
			}
		}
	}
	k.Salt, k.StoredKey, k.ServerKey = values[0], values[1], values[2]
	if len(k.StoredKey) != h.Size() || len(k.ServerKey) != h.Size() || len(k.Salt) == 0 {
		return k, errKeys
	}
	return k, nil
}

// credentials writes the keys, the best mechanism last: readers that take only
// one take the first.
func (x *exporting) credentials() error {
	encode := func(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
	hashes := []sasl.Hash{sasl.SHA1, sasl.SHA256, sasl.SHA512}
	if x.ejabberd {
		encode = func(b []byte) string {
			return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(b)))
		}
	}
	for _, h := range hashes {
		k, there := x.parcel.Keys[h]
		if !there {
			continue
		}
		b := []byte("<scram-credentials xmlns='" + nsSCRAM + "'")
		b = append(stanza.AppendAttr(b, "mechanism", h.String()), '>')
		b = stanza.AppendElement(b, "iter-count", strconv.Itoa(k.Iterations))
		b = stanza.AppendElement(b, "salt", encode(k.Salt))
		b = stanza.AppendElement(b, "server-key", encode(k.ServerKey))
		b = stanza.AppendElement(b, "stored-key", encode(k.StoredKey))
		if err := x.line(append(b, "</scram-credentials>"...)); err != nil {
			return err
		}
		if x.ejabberd {
			break // it knows one kind at a time
		}
	}
	return nil
}
