// Package config reads the configuration file and finds every problem in it at
// once.
//
// There is one file. default.toml, which is part of the program, holds every
// key with its default, its unit and its reason: it is the manual, and what a
// user's file is laid over. keys.go has one line for each key, which says where
// its value goes and what it may be. Everything else follows from these two:
// what is unknown, what is wrong and on which line, what `config show` prints,
// and which changes a running server can take up.
//
// The types that are filled in belong to the packages that use them.
package config

import (
	_ "embed"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"rollcall/directory"
	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/roster"
	"rollcall/roster/privacy"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/server/component"
	"rollcall/server/features/addresses"
	"rollcall/server/features/archive"
	"rollcall/server/features/floodgate"
	"rollcall/server/features/offline"
	"rollcall/server/features/pep"
	"rollcall/server/features/privatexml"
	"rollcall/server/features/register"
	"rollcall/server/features/search"
	"rollcall/server/features/vcard"
	"rollcall/sipgw"
	"rollcall/sipgw/call"
	"rollcall/sipgw/digest"
	"rollcall/sipgw/message"
	"rollcall/sipgw/notifier"
	"rollcall/sipgw/publish"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/transport"
	"rollcall/sipgw/uplink"
	"rollcall/sipgw/watcher"
	"rollcall/storage"
	"rollcall/storage/ldap"
)

//go:embed default.toml
var manual []byte

// Manual returns the text of default.toml.
func Manual() string { return string(manual) }

// Config is a whole, checked configuration.
type Config struct {
	// DataDir is where the server keeps its files.
	DataDir string

	// ArchiveEnabled says whether there is an archive at all.
	ArchiveEnabled bool

	// SearchEnabled says whether people can look for one another.
	SearchEnabled bool

	// AuditRetention is how long it is kept who did what; 0 is forever.
	AuditRetention time.Duration

	// SelfSigned is when a certificate may be made: "auto", "always" or "never".
	SelfSigned string

	Log          Log
	Server       server.Config
	C2S          c2s.Config
	Roster       roster.Config
	Groups       roster.GroupConfig
	Devices      device.Config // Domain as written: see [Config.DeviceDomain]
	Privacy      privacy.Config
	Offline      offline.Config
	Archive      archive.Config
	VCard        vcard.Config
	Private      privatexml.Config
	PEP          pep.Config
	Search       search.Config
	Presence     presence.Config
	Engine       presence.EngineConfig
	Contact      addresses.Config
	Registration register.Config
	Components   component.Config // what the other sections say of it is not filled in: see [Config.ComponentConfig]
	Floodgate    floodgate.Config
	Directory    directory.Config // Domain as written: see [Config.DirectoryDomain]
	LDAP         ldap.Config
	SIP          transport.Config
	Digest       digest.Config // without the realm, which is [Config.DeviceDomain]
	Registrar    registrar.Config
	Qualify      registrar.QualifyConfig
	Publish      publish.Config // without times: see [Config.Publications]
	Message      message.Config
	Notifier     notifier.Config
	Calls        call.Config
	Watcher      watcher.Config // the PBXs that are subscribed to
	Uplink       uplink.Config  // of the SIP gateway alone, to a server that is another program
	Storage      storage.Config // Path as written: see [Config.DatabasePath]
}

// Log is what is logged, and how.
type Log struct {
	Level  slog.Level
	Format string // "text" or "json"
}

// Default returns what default.toml says.
func Default() *Config {
	c := new(Config)
	if problems := c.read(manual); len(problems) > 0 {
		// A test reads the same bytes, so no built program gets here.
		panic("config: default.toml: " + problems[0].String())
	}
	return c
}

// Load reads the file at path over the defaults. With an empty path it returns
// the defaults. What is wrong with the file comes as one [*Problems].
func Load(path string) (*Config, error) {
	if path == "" {
		return Default(), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w; write one with: rollcall config show > %s", err, path)
	}
	return Parse(path, text)
}

// Parse reads text over the defaults. The name is for errors.
func Parse(name string, text []byte) (*Config, error) {
	c := Default()
	if problems := c.read(text); len(problems) > 0 {
		return nil, &Problems{File: name, List: problems}
	}
	return c, nil
}

// read lays text over c and returns what is wrong with it, in the order of the
// lines.
func (c *Config) read(text []byte) []Problem {
	doc, problem := parse(text)
	if problem != nil {
		return []Problem{*problem}
	}
	problems := c.fill(doc)
	// A value that could not be read was left as it was, so the rules between
	// keys would be tried on something that nobody wrote.
	if len(problems) == 0 {
		problems = c.check(doc)
	}
	return sorted(problems)
}

// DatabasePath returns where the SQLite file is: Storage.Path from DataDir.
func (c *Config) DatabasePath() string {
	if filepath.IsAbs(c.Storage.Path) {
		return c.Storage.Path
	}
	return filepath.Join(c.DataDir, c.Storage.Path)
}

// DirectoryDomain returns the domain whose accounts come from a directory, or ""
// if none do.
func (c *Config) DirectoryDomain() string {
	if len(c.LDAP.URLs) == 0 {
		return ""
	}
	if c.Directory.Domain != "" {
		return c.Directory.Domain
	}
	return c.AccountDomain()
}

// AccountDomain returns the first domain that has accounts, or "" if none does.
func (c *Config) AccountDomain() string {
	for _, d := range c.Server.Domains {
		if !d.Anonymous {
			return d.Name
		}
	}
	return ""
}

// Publications returns what bounds publications: those of Publish, and the times of
// registrations over connections.
func (c *Config) Publications() publish.Config {
	p := c.Publish
	p.MinExpires, p.MaxExpires = c.Registrar.MinExpires, c.Registrar.MaxExpires
	return p
}

// DeviceDomain returns the domain of the devices.
func (c *Config) DeviceDomain() string {
	if c.Devices.Domain != "" {
		return c.Devices.Domain
	}
	first := c.AccountDomain()
	if first == "" {
		first = c.Server.Domains[0].Name
	}
	return "phones." + first
}

// Gateway returns what the SIP side needs to know of the whole configuration.
func (c *Config) Gateway() sipgw.Config {
	return sipgw.Config{
		Transport: c.SIP, Digest: c.Digest, Registrar: c.Registrar, Qualify: c.Qualify,
		Publish: c.Publications(), Message: c.Message, Notifier: c.Notifier, Calls: c.Calls,
	}
}

// ServesDevices reports whether the domain of the devices is served by this program,
// and not by a component.
func (c *Config) ServesDevices() bool { return !slices.Contains(c.ComponentNames(), c.DeviceDomain()) }

// ControlSocket returns where a running server listens for `rollcall account`.
func (c *Config) ControlSocket() string {
	return filepath.Join(c.DataDir, "control.sock")
}

// TLSDir returns where self-signed certificates are kept.
func (c *Config) TLSDir() string {
	return filepath.Join(c.DataDir, "tls")
}

// NeedsSelfSigned reports whether the server has to make a certificate.
func (c *Config) NeedsSelfSigned() bool {
	if len(c.C2S.Certificates) > 0 {
		return false
	}
	return c.SelfSigned == "always" || c.SelfSigned == "auto" && c.OnLoopback()
}

// OnLoopback reports whether nobody outside of this machine can connect.
func (c *Config) OnLoopback() bool {
	for _, list := range [][]string{c.C2S.Listen, c.C2S.ListenTLS} {
		for _, address := range list {
			if !isLoopback(address) {
				return false
			}
		}
	}
	return true
}
