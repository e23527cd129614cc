package config

import (
	"log/slog"
	"net/netip"
	"time"

	"rollcall/presence"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/server/component"
	"rollcall/sipgw/digest"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/watcher"
	"rollcall/storage/ldap"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

// key is one key of the file.
type key struct {
	path   string             // "c2s.listen"
	live   bool               // a running server takes up a change
	secret bool               // never shown
	hides  func(*Config) bool // nil: always, if it is secret
	read   func(*Config, any) []fault
	show   func(*Config) string
	copy   func(to, from *Config)
}

const (
	live  = true  // takes effect on SIGHUP
	fixed = false // takes effect at the next start
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30

	second = time.Second
	day    = 24 * time.Hour
	years  = 100 * 365 * day
)

// keys are all keys, in the order of default.toml.
var keys = []key{
	of("server.domains", fixed, list(1, domain), func(c *Config) *[]server.Domain { return &c.Server.Domains }),
	of("server.data_dir", fixed, filled, func(c *Config) *string { return &c.DataDir }),
	of("server.admins", live, list(0, account), func(c *Config) *[]jid.Bare { return &c.Server.Admins }),
	of("server.shutdown_deadline", fixed, span(second, time.Hour), func(c *Config) *time.Duration { return &c.Server.ShutdownDeadline }),

	of("log.level", live, oneOf(levels...), func(c *Config) *slog.Level { return &c.Log.Level }),
	of("log.format", fixed, words("text", "json"), func(c *Config) *string { return &c.Log.Format }),

	of("c2s.listen", fixed, list(0, address("5222")), func(c *Config) *[]string { return &c.C2S.Listen }),
	of("c2s.listen_tls", fixed, list(0, address("5223")), func(c *Config) *[]string { return &c.C2S.ListenTLS }),
	of("c2s.require_tls", fixed, boolean, func(c *Config) *bool { return &c.C2S.RequireTLS }),
	of("c2s.plaintext_on_loopback", fixed, boolean, func(c *Config) *bool { return &c.C2S.PlaintextOnLoopback }),

	of("tls.certificates", live, list(0, certificate), func(c *Config) *[]c2s.Certificate { return &c.C2S.Certificates }),
	of("tls.min_version", fixed, oneOf(versions...), func(c *Config) *uint16 { return &c.C2S.MinTLSVersion }),
	of("tls.self_signed", fixed, words("auto", "always", "never"), func(c *Config) *string { return &c.SelfSigned }),

	of("auth.mechanisms", live, list(1, mechanism), func(c *Config) *[]string { return &c.C2S.Auth.Mechanisms }),
	of("auth.iterations", fixed, number(4096, 10_000_000), func(c *Config) *int { return &c.C2S.Auth.Iterations }),
	of("auth.attempts_per_stream", live, number(1, 100), func(c *Config) *int { return &c.C2S.Auth.AttemptsPerStream }),
	of("auth.backoff_after", fixed, number(0, 1000), func(c *Config) *int { return &c.C2S.Auth.BackoffAfter }),
	of("auth.backoff_max", fixed, span(second, day), func(c *Config) *time.Duration { return &c.C2S.Auth.BackoffMax }),

	of("limits.stanza_before_auth", live, size(4*kib, mib), func(c *Config) *int { return &c.C2S.Limits.BeforeAuth.Bytes }),
	// RFC 6120 §13.12: a limit on the size of stanzas is at least 10000 bytes.
	of("limits.stanza", live, size(10_000, 16*mib), func(c *Config) *int { return &c.C2S.Limits.AfterAuth.Bytes }),
	both("limits.depth", number(8, stream.MaxDepth), func(s *c2s.Stanza) *int { return &s.Depth }),
	both("limits.attributes", number(8, stream.MaxAttrs), func(s *c2s.Stanza) *int { return &s.Attributes }),
	both("limits.namespaces", number(8, 1024), func(s *c2s.Stanza) *int { return &s.Namespaces }),
	of("limits.read_rate", live, size(0, gib), func(c *Config) *int { return &c.C2S.Limits.BytesPerSecond }),
	of("limits.read_burst", live, size(16*kib, gib), func(c *Config) *int { return &c.C2S.Limits.BurstBytes }),
	of("limits.connections", live, number(0, 10_000_000), func(c *Config) *int { return &c.C2S.Limits.Connections }),
	of("limits.connections_per_address", live, number(0, 10_000_000), func(c *Config) *int { return &c.C2S.Limits.ConnectionsPerAddress }),
	of("limits.connects_per_minute", live, number(0, 10_000_000), func(c *Config) *int { return &c.C2S.Limits.ConnectsPerMinute }),
	of("limits.exempt_networks", live, list(0, network), func(c *Config) *[]netip.Prefix { return &c.C2S.Limits.ExemptNetworks }),
	of("limits.auth_timeout", live, span(second, time.Hour), func(c *Config) *time.Duration { return &c.C2S.Limits.AuthTimeout }),
	of("limits.sessions_per_account", fixed, number(0, 100_000), func(c *Config) *int { return &c.Server.SessionsPerAccount }),
	of("limits.outbox", fixed, size(64*kib, gib), func(c *Config) *int { return &c.Server.OutboxBytes }),

	of("stream_management.enabled", fixed, boolean, func(c *Config) *bool { return &c.C2S.Management.Enabled }),
	of("stream_management.resume_for", fixed, span(0, day), func(c *Config) *time.Duration { return &c.C2S.Management.ResumeFor }),
	of("stream_management.ack_every", fixed, number(1, 10_000), func(c *Config) *int { return &c.C2S.Management.AckEvery }),
	of("stream_management.max_unacked", fixed, number(10, 1_000_000), func(c *Config) *int { return &c.C2S.Management.MaxUnacked }),

	of("client_state.enabled", fixed, boolean, func(c *Config) *bool { return &c.C2S.ClientState }),

	of("keepalive.idle_ping", fixed, span(0, day), func(c *Config) *time.Duration { return &c.C2S.KeepAlive.IdlePing }),
	of("keepalive.ping_timeout", fixed, span(second, time.Hour), func(c *Config) *time.Duration { return &c.C2S.KeepAlive.PingTimeout }),
	of("keepalive.tcp_user_timeout", fixed, span(0, day), func(c *Config) *time.Duration { return &c.C2S.KeepAlive.TCPUserTimeout }),

	of("roster.max_items", fixed, number(1, 60_000), func(c *Config) *int { return &c.Roster.MaxItems }),
	of("roster.max_groups", fixed, number(1, 10_000), func(c *Config) *int { return &c.Roster.MaxGroups }),
	of("roster.max_name", fixed, size(16, 32*kib), func(c *Config) *int { return &c.Roster.MaxNameBytes }),
	of("roster.max_group_name", fixed, size(16, 32*kib), func(c *Config) *int { return &c.Roster.MaxGroupBytes }),
	of("roster.max_requests", fixed, number(1, 60_000), func(c *Config) *int { return &c.Roster.MaxRequests }),

	of("groups.max_groups", fixed, number(1, 10_000), func(c *Config) *int { return &c.Groups.MaxGroups }),
	of("groups.max_members", fixed, number(1, 100_000), func(c *Config) *int { return &c.Groups.MaxMembers }),

	of("devices.domain", fixed, orNothing(domainName), func(c *Config) *string { return &c.Devices.Domain }),
	of("devices.max_devices", fixed, number(1, 100_000), func(c *Config) *int { return &c.Devices.MaxDevices }),

	of("privacy.max_lists", fixed, number(1, 1000), func(c *Config) *int { return &c.Privacy.MaxLists }),
	of("privacy.max_items", fixed, number(1, 100_000), func(c *Config) *int { return &c.Privacy.MaxItems }),
	of("privacy.max_name", fixed, size(16, 32*kib), func(c *Config) *int { return &c.Privacy.MaxNameBytes }),

	of("offline.max_messages", fixed, number(1, 10_000_000), func(c *Config) *int { return &c.Offline.MaxMessages }),
	of("offline.max_from_strangers", fixed, number(0, 10_000_000), func(c *Config) *int { return &c.Offline.MaxFromStrangers }),
	of("offline.max_age", fixed, orForever(span(time.Minute, years)), func(c *Config) *time.Duration { return &c.Offline.MaxAge }),

	of("archive.enabled", fixed, boolean, func(c *Config) *bool { return &c.ArchiveEnabled }),
	of("archive.retention", fixed, orForever(span(time.Hour, years)), func(c *Config) *time.Duration { return &c.Archive.Retention }),
	of("archive.default", fixed, words("always", "roster", "never"), func(c *Config) *string { return &c.Archive.Default }),
	of("archive.page_max", fixed, number(1, 10_000), func(c *Config) *int { return &c.Archive.PageMax }),

	of("vcard.max_size", fixed, size(kib, 16*mib), func(c *Config) *int { return &c.VCard.MaxBytes }),
	of("vcard.max_photo", fixed, size(kib, 16*mib), func(c *Config) *int { return &c.VCard.MaxPhoto }),

	of("private_xml.max_element", fixed, size(kib, 16*mib), func(c *Config) *int { return &c.Private.MaxElement }),
	of("private_xml.max_account", fixed, size(kib, gib), func(c *Config) *int { return &c.Private.MaxAccount }),

	of("pep.max_nodes", fixed, number(1, 10_000), func(c *Config) *int { return &c.PEP.MaxNodes }),
	of("pep.max_items", fixed, number(1, 10_000), func(c *Config) *int { return &c.PEP.MaxItems }),
	of("pep.max_item", fixed, size(kib, 16*mib), func(c *Config) *int { return &c.PEP.MaxItem }),
	of("pep.max_account", fixed, size(kib, gib), func(c *Config) *int { return &c.PEP.MaxAccount }),
	of("pep.max_subscribers", fixed, number(1, 10_000), func(c *Config) *int { return &c.PEP.MaxSubscribers }),

	of("search.enabled", fixed, boolean, func(c *Config) *bool { return &c.SearchEnabled }),
	of("search.results_max", fixed, number(1, 1000), func(c *Config) *int { return &c.Search.MaxResults }),

	of("presence.language", live, language, func(c *Config) *string { return &c.Presence.Language }),
	of("presence.time_zone", live, zone, func(c *Config) *string { return &c.Presence.Zone }),
	of("presence.settle", fixed, span(0, 10*second), func(c *Config) *time.Duration { return &c.Engine.Settle.Usual }),
	of("presence.settle_released", fixed, span(0, 10*second), func(c *Config) *time.Duration { return &c.Engine.Settle.Released }),
	of("presence.settle_idle", fixed, span(0, 5*time.Minute), func(c *Config) *time.Duration { return &c.Engine.Settle.Idle }),
	of("presence.flaps", fixed, number(0, 1000), func(c *Config) *int { return &c.Engine.Flaps.Changes }),
	of("presence.flaps_within", fixed, span(second, time.Hour), func(c *Config) *time.Duration { return &c.Engine.Flaps.Within }),
	of("presence.flaps_hold", fixed, span(second, time.Hour), func(c *Config) *time.Duration { return &c.Engine.Flaps.Hold }),
	of("presence.barrier", fixed, span(0, 5*time.Minute), func(c *Config) *time.Duration { return &c.Engine.Barrier }),
	of("presence.journal", fixed, orForever(span(time.Hour, years)), func(c *Config) *time.Duration { return &c.Engine.Journal }),
	of("presence.states", live, states, func(c *Config) *[]presence.State { return &c.Presence.States }),
	of("presence.words", live, languages, func(c *Config) *map[string]presence.Words { return &c.Presence.Words }),
	of("presence.roles", live, list(0, role), func(c *Config) *[]presence.RoleHolders { return &c.Presence.Roles }),
	of("presence.audience", live, list(0, audience), func(c *Config) *[]presence.Rule { return &c.Presence.Audience }),

	of("contact.abuse", live, list(0, uri), func(c *Config) *[]string { return &c.Contact.Abuse }),
	of("contact.admin", live, list(0, uri), func(c *Config) *[]string { return &c.Contact.Admin }),
	of("contact.feedback", live, list(0, uri), func(c *Config) *[]string { return &c.Contact.Feedback }),
	of("contact.sales", live, list(0, uri), func(c *Config) *[]string { return &c.Contact.Sales }),
	of("contact.security", live, list(0, uri), func(c *Config) *[]string { return &c.Contact.Security }),
	of("contact.status", live, list(0, uri), func(c *Config) *[]string { return &c.Contact.Status }),
	of("contact.support", live, list(0, uri), func(c *Config) *[]string { return &c.Contact.Support }),

	of("registration.open", live, boolean, func(c *Config) *bool { return &c.Registration.Open }),
	of("registration.per_address_hour", live, number(0, 1_000_000), func(c *Config) *int { return &c.Registration.PerAddressHour }),
	of("registration.min_password", live, number(1, 128), func(c *Config) *int { return &c.Registration.MinPassword }),

	of("components.listen", fixed, list(0, address("5347")), func(c *Config) *[]string { return &c.Components.Listen }),
	partlyHidden(of("components.domains", fixed, list(0, componentDomain), func(c *Config) *[]component.Domain { return &c.Components.Domains }), inlineSecrets),
	of("components.auth_timeout", fixed, span(second, time.Hour), func(c *Config) *time.Duration { return &c.Components.AuthTimeout }),
	of("components.connects_per_minute", fixed, number(0, 10_000_000), func(c *Config) *int { return &c.Components.ConnectsPerMinute }),
	of("components.read_rate", fixed, size(0, gib), func(c *Config) *int { return &c.Components.BytesPerSecond }),
	of("components.read_burst", fixed, size(16*kib, gib), func(c *Config) *int { return &c.Components.BurstBytes }),

	of("floodgate.messages_per_minute", live, number(0, 1_000_000), func(c *Config) *int { return &c.Floodgate.MessagesPerMinute }),
	of("floodgate.addresses_per_hour", live, number(0, 50_000), func(c *Config) *int { return &c.Floodgate.AddressesPerHour }),
	of("floodgate.subscriptions_per_hour", live, number(0, 1_000_000), func(c *Config) *int { return &c.Floodgate.SubscriptionsPerHour }),
	of("floodgate.requests_per_minute", live, number(0, 1_000_000), func(c *Config) *int { return &c.Floodgate.RequestsPerMinute }),
	of("floodgate.presence_per_minute", live, number(0, 1_000_000), func(c *Config) *int { return &c.Floodgate.PresencePerMinute }),
	of("floodgate.contact_messages_per_minute", live, number(0, 1_000_000), func(c *Config) *int { return &c.Floodgate.ContactMessagesPerMinute }),
	of("floodgate.received_per_minute", live, number(0, 1_000_000), func(c *Config) *int { return &c.Floodgate.ReceivedPerMinute }),
	of("floodgate.refusals_per_minute", live, number(0, 1_000_000), func(c *Config) *int { return &c.Floodgate.RefusalsPerMinute }),
	of("floodgate.exempt", live, list(0, account), func(c *Config) *[]jid.Bare { return &c.Floodgate.Exempt }),
	of("directory.urls", fixed, list(0, ldapURL), func(c *Config) *[]string { return &c.LDAP.URLs }),
	of("directory.ca_file", fixed, free, func(c *Config) *string { return &c.LDAP.CAFile }),
	of("directory.starttls", fixed, boolean, func(c *Config) *bool { return &c.LDAP.StartTLS }),
	of("directory.bind_dn", fixed, orNothing(dn), func(c *Config) *string { return &c.LDAP.BindDN }),
	of("directory.bind_password_file", fixed, free, func(c *Config) *string { return &c.LDAP.PasswordFile }),
	hidden(of("directory.bind_password", fixed, free, func(c *Config) *string { return &c.LDAP.Password })),
	of("directory.account_domain", fixed, orNothing(domainName), func(c *Config) *string { return &c.Directory.Domain }),
	of("directory.base_dn", fixed, orNothing(dn), func(c *Config) *string { return &c.LDAP.BaseDN }),
	of("directory.user_filter", fixed, filter(ldap.NamePlaceholder), func(c *Config) *string { return &c.LDAP.UserFilter }),
	of("directory.attributes", fixed, attributes, func(c *Config) *ldap.Attributes { return &c.LDAP.Attributes }),
	of("directory.group_base_dn", fixed, orNothing(dn), func(c *Config) *string { return &c.LDAP.GroupBaseDN }),
	of("directory.group_filter", fixed, orNothing(filter()), func(c *Config) *string { return &c.LDAP.GroupFilter }),
	of("directory.groups", fixed, list(0, filled), func(c *Config) *[]string { return &c.LDAP.Groups }),
	of("directory.group_member_filter", fixed, orNothing(filter(ldap.GroupPlaceholder)), func(c *Config) *string { return &c.LDAP.GroupMemberFilter }),
	of("directory.interval", fixed, span(10*second, 7*day), func(c *Config) *time.Duration { return &c.Directory.Interval }),
	of("directory.remove_after", fixed, orNever(span(time.Minute, years)), func(c *Config) *time.Duration { return &c.Directory.RemoveAfter }),
	of("directory.vanish_percent", fixed, number(0, 100), func(c *Config) *int { return &c.Directory.VanishPercent }),
	of("directory.take_over", fixed, boolean, func(c *Config) *bool { return &c.Directory.TakeOver }),
	of("directory.offer_scram", fixed, boolean, func(c *Config) *bool { return &c.Directory.OfferSCRAM }),
	of("directory.remember_for", fixed, span(0, time.Hour), func(c *Config) *time.Duration { return &c.Directory.RememberFor }),
	of("directory.timeout", fixed, span(100*time.Millisecond, time.Hour), func(c *Config) *time.Duration { return &c.LDAP.Timeout }),
	of("directory.page_size", fixed, number(1, 10_000), func(c *Config) *int { return &c.LDAP.PageSize }),
	of("directory.connections", fixed, number(1, 1000), func(c *Config) *int { return &c.LDAP.Connections }),

	of("sip.listen", fixed, list(0, address("5060")), func(c *Config) *[]string { return &c.SIP.Listen }),
	of("sip.listen_tls", fixed, list(0, address("5061")), func(c *Config) *[]string { return &c.SIP.ListenTLS }),
	of("sip.listen_ws", fixed, list(0, address("5080")), func(c *Config) *[]string { return &c.SIP.ListenWS }),
	of("sip.listen_wss", fixed, list(0, address("5081")), func(c *Config) *[]string { return &c.SIP.ListenWSS }),
	of("sip.advertise", fixed, orNothing(reachable), func(c *Config) *string { return &c.SIP.Advertise }),
	of("sip.rate", live, number(0, 1_000_000), func(c *Config) *int { return &c.SIP.Limits.Rate }),
	of("sip.burst", live, number(1, 1_000_000), func(c *Config) *int { return &c.SIP.Limits.Burst }),
	of("sip.address_rate", live, number(0, 1_000_000), func(c *Config) *int { return &c.SIP.Limits.AddressRate }),
	of("sip.address_burst", live, number(1, 10_000_000), func(c *Config) *int { return &c.SIP.Limits.AddressBurst }),
	of("sip.trusted_networks", live, list(0, network), func(c *Config) *[]netip.Prefix { return &c.SIP.Limits.Trusted }),
	of("sip.max_message", live, size(4*kib, mib), func(c *Config) *int { return &c.SIP.Limits.Message }),
	of("sip.max_headers", live, number(32, 1000), func(c *Config) *int { return &c.SIP.Limits.Headers }),
	of("sip.max_transactions", fixed, number(50, 10_000_000), func(c *Config) *int { return &c.SIP.Limits.Transactions }),
	of("sip.remembered", fixed, number(50, 10_000_000), func(c *Config) *int { return &c.SIP.Limits.Remembered }),
	of("sip.connections", live, number(1, 10_000_000), func(c *Config) *int { return &c.SIP.Limits.Connections }),
	of("sip.connections_per_address", live, number(1, 10_000_000), func(c *Config) *int { return &c.SIP.Limits.ConnectionsPerAddress }),
	of("sip.idle_timeout", live, span(time.Minute, day), func(c *Config) *time.Duration { return &c.SIP.Limits.Idle }),
	of("sip.algorithms", fixed, list(1, oneOf(algorithms...)), func(c *Config) *[]digest.Algorithm { return &c.Digest.Algorithms }),
	of("sip.nonce_life", fixed, span(time.Minute, day), func(c *Config) *time.Duration { return &c.Digest.NonceLife }),
	of("sip.min_expires", fixed, span(10*second, time.Hour), func(c *Config) *time.Duration { return &c.Registrar.MinExpires }),
	of("sip.max_expires", fixed, span(time.Minute, day), func(c *Config) *time.Duration { return &c.Registrar.MaxExpires }),
	of("sip.max_expires_udp", fixed, span(time.Minute, day), func(c *Config) *time.Duration { return &c.Registrar.MaxExpiresUDP }),
	of("sip.max_bindings", fixed, number(1, registrar.MostBindings), func(c *Config) *int { return &c.Registrar.MaxBindings }),
	of("sip.qualify", fixed, span(0, time.Hour), func(c *Config) *time.Duration { return &c.Qualify.Every }),
	of("sip.qualify_critical", fixed, span(0, time.Hour), func(c *Config) *time.Duration { return &c.Qualify.EveryCritical }),
	of("sip.qualify_timeout", fixed, span(second, 32*second), func(c *Config) *time.Duration { return &c.Qualify.Timeout }),
	of("sip.max_publications", fixed, number(1, 1000), func(c *Config) *int { return &c.Publish.MaxPublications }),
	of("sip.max_publication", fixed, size(kib, mib), func(c *Config) *int { return &c.Publish.MaxBody }),
	of("sip.max_calls", fixed, number(1, 1_000_000), func(c *Config) *int { return &c.Calls.MaxCalls }),
	of("sip.max_calls_per_device", fixed, number(1, 1000), func(c *Config) *int { return &c.Calls.MaxPerDevice }),
	of("sip.max_calls_per_pbx", fixed, number(1, 1_000_000), func(c *Config) *int { return &c.Calls.MaxPerPeer }),
	of("sip.max_forks", fixed, number(1, 60), func(c *Config) *int { return &c.Calls.MaxForks }),
	of("sip.ring_for", fixed, span(second, 3*time.Minute), func(c *Config) *time.Duration { return &c.Calls.RingFor }),
	of("sip.max_call_body", fixed, size(kib, mib), func(c *Config) *int { return &c.Calls.MaxBody }),
	of("sip.message_rate", fixed, number(1, 1000), func(c *Config) *int { return &c.Message.Rate }),
	of("sip.message_burst", fixed, number(1, 10_000), func(c *Config) *int { return &c.Message.Burst }),
	of("sip.strict_rfc7572", fixed, boolean, func(c *Config) *bool { return &c.Message.Strict }),
	of("sip.min_subscription", fixed, span(10*second, time.Hour), func(c *Config) *time.Duration { return &c.Notifier.MinExpires }),
	of("sip.max_subscription", fixed, span(time.Minute, 7*day), func(c *Config) *time.Duration { return &c.Notifier.MaxExpires }),
	of("sip.presence_pace", fixed, span(0, time.Hour), func(c *Config) *time.Duration { return &c.Notifier.Pace.Presence }),
	of("sip.dialog_pace", fixed, span(0, time.Hour), func(c *Config) *time.Duration { return &c.Notifier.Pace.Dialog }),
	of("sip.registration_pace", fixed, span(0, time.Hour), func(c *Config) *time.Duration { return &c.Notifier.Pace.Registration }),
	of("sip.waiting_pace", fixed, span(0, time.Hour), func(c *Config) *time.Duration { return &c.Notifier.Pace.Waiting }),
	of("sip.max_subscriptions", fixed, number(1, 10_000_000), func(c *Config) *int { return &c.Notifier.MaxSubscriptions }),
	of("sip.max_subscriptions_of_one", fixed, number(1, 1_000_000), func(c *Config) *int { return &c.Notifier.MaxPerWatcher }),
	of("sip.max_subscriptions_to_one", fixed, number(1, 1_000_000), func(c *Config) *int { return &c.Notifier.MaxPerSubject }),
	of("sip.max_list", fixed, number(1, 1000), func(c *Config) *int { return &c.Notifier.MaxMembers }),
	of("sip.list_datagram", fixed, size(kib, 256*kib), func(c *Config) *int { return &c.Notifier.MaxDatagram }),
	of("sip.lamps_for_people", fixed, boolean, func(c *Config) *bool { return &c.Notifier.LampsForPeople }),
	of("sip.end_subscriptions", fixed, boolean, func(c *Config) *bool { return &c.Notifier.EndOnStop }),
	partlyHidden(of("sip.upstreams", live, list(0, upstream), func(c *Config) *[]watcher.Upstream { return &c.Watcher.Upstreams }), upstreamSecrets),
	of("sip.subscribe_for", live, span(time.Minute, day), func(c *Config) *time.Duration { return &c.Watcher.Expires }),
	of("sip.subscribe_rate", live, number(1, 10_000), func(c *Config) *int { return &c.Watcher.Rate }),
	of("sip.watch_phones", live, boolean, func(c *Config) *bool { return &c.Watcher.Phones }),

	of("sipgw.server", fixed, orNothing(address("5347")), func(c *Config) *string { return &c.Uplink.Server }),
	of("sipgw.secret_file", fixed, free, func(c *Config) *string { return &c.Uplink.SecretFile }),
	hidden(of("sipgw.secret", fixed, free, func(c *Config) *string { return &c.Uplink.Secret })),
	of("sipgw.plaintext", fixed, boolean, func(c *Config) *bool { return &c.Uplink.Plaintext }),
	of("sipgw.retry_max", fixed, span(second, time.Hour), func(c *Config) *time.Duration { return &c.Uplink.RetryMax }),

	of("audit.retention", fixed, orForever(span(time.Hour, years)), func(c *Config) *time.Duration { return &c.AuditRetention }),

	of("storage.driver", fixed, words("sqlite", "postgres"), func(c *Config) *string { return &c.Storage.Driver }),
	of("storage.path", fixed, filled, func(c *Config) *string { return &c.Storage.Path }),
	hidden(of("storage.dsn", fixed, dsn, func(c *Config) *string { return &c.Storage.DSN })),
	of("storage.max_conns", fixed, number(0, 10_000), func(c *Config) *int { return &c.Storage.MaxConns }),
}

// of makes the key at path, whose values are of kind k and go where the last
// argument points.
func of[T any](path string, live bool, k kind[T], field func(*Config) *T) key {
	return key{
		path: path,
		live: live,
		read: func(c *Config, v any) []fault {
			value, faults := k.read(v)
			if len(faults) == 0 {
				*field(c) = value
			}
			return faults
		},
		show: func(c *Config) string { return k.write(*field(c)) },
		copy: func(to, from *Config) { *field(to) = *field(from) },
	}
}

// both makes a limit that is the same before and after authentication.
func both(path string, k kind[int], field func(*c2s.Stanza) *int) key {
	after := of(path, live, k, func(c *Config) *int { return field(&c.C2S.Limits.AfterAuth) })
	read := after.read
	after.read = func(c *Config, v any) []fault {
		faults := read(c, v)
		*field(&c.C2S.Limits.BeforeAuth) = *field(&c.C2S.Limits.AfterAuth)
		return faults
	}
	after.copy = func(to, from *Config) {
		*field(&to.C2S.Limits.BeforeAuth) = *field(&from.C2S.Limits.BeforeAuth)
		*field(&to.C2S.Limits.AfterAuth) = *field(&from.C2S.Limits.AfterAuth)
	}
	return after
}

// hidden makes a key whose value is never shown.
func hidden(k key) key {
	k.secret = true
	return k
}

// partlyHidden makes a key whose value is shown only while it does not hide
// something.
func partlyHidden(k key, hides func(*Config) bool) key {
	k.secret, k.hides = true, hides
	return k
}

// lookup finds a key by its path.
func lookup(path string) (key, bool) {
	for _, k := range keys {
		if k.path == path {
			return k, true
		}
	}
	return key{}, false
}
