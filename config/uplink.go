package config

import (
	"errors"
	"os"

	"rollcall/server"
)

// SecretVariable is the environment variable that may have the secret of the SIP gateway,
// where there is none in the file.
const SecretVariable = "ROLLCALL_SIPGW_SECRET"

// uplinkRules are the rules between the keys of the SIP gateway as a component.
func uplinkRules(c *Config) (key, what, remedy string) {
	u := c.Uplink
	switch {
	case u.Server != "" && !isLoopback(u.Server) && !u.Plaintext:
		return "sipgw.server", "on another machine, and the protocol has no encryption: who can read the line sees all messages, and the secret is as good as known",
			"let the gateway run beside that server, or, if the line between them is protected, write plaintext = true"
	case u.Secret != "" && u.SecretFile != "":
		return "sipgw.secret_file", "secret is set too", "leave one of them out"
	case u.Secret != "" && len(u.Secret) < minSecret:
		return "sipgw.secret", "short", "write 12 characters or more"
	}
	return "", "", ""
}

// UplinkSecret reads the secret of the SIP gateway as a component: from its file, from the
// configuration, or from the environment.
func (c *Config) UplinkSecret() (string, error) {
	if c.Uplink.SecretFile != "" {
		return server.Secret(c.Uplink.SecretFile)
	}
	if c.Uplink.Secret != "" {
		return c.Uplink.Secret, nil
	}
	if s := os.Getenv(SecretVariable); s != "" {
		return s, nil
	}
	return "", errors.New("there is none: name a file in sipgw.secret_file, or set " + SecretVariable)
}
