package address

import "rollcall/xmpp/jid"

// Account is the account that the user part of a SIP URI, unescaped, is at a host; false
// if it is none.
func Account(user, host string) (jid.Bare, bool) {
	j, err := jid.Parse(Escape(user) + "@" + host)
	if err != nil || j.Local() == "" {
		return "", false
	}
	return j.Bare(), true
}
