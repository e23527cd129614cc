-- Writes what prosody-migrator cannot put into XEP-0227 files: messages that
-- wait for people who are away, and whom people have blocked. For Prosody 0.12;
-- see docs/migrating.md.
--
--   prosodyctl mod_export_rest example.org /var/lib/prosody/rest.xml
--
-- A list of those who are blocked becomes the default privacy list, as XEP-0191
-- §5 has it. The file can be read by its owner only.

module:set_global();

local dt = require "util.datetime";
local st = require "util.stanza";
local pposix = require "util.pposix";
local sm = require "core.storagemanager";
local um = require "core.usermanager";
local make_host = require "util.startup".make_host;

local function offline(host, user, element)
	local found = sm.open(host, "offline", "archive"):find(user);
	if not found then return; end
	local messages = st.stanza("offline-messages");
	for _, message, when in found do
		message = st.clone(message);
		message.attr.xmlns = "jabber:client";
		message:tag("delay", { xmlns = "urn:xmpp:delay", from = host, stamp = dt.datetime(when) }):up();
		messages:add_child(message);
	end
	if messages.tags[1] then element:add_child(messages); end
end

local function blocked(host, user, element)
	local list = sm.open(host, "blocklist", "keyval"):get(user);
	local addresses = {};
	for address in pairs(list or {}) do
		if address then table.insert(addresses, address); end
	end
	if not addresses[1] then return; end
	table.sort(addresses);
	local query = st.stanza("query", { xmlns = "jabber:iq:privacy" });
	query:tag("default", { name = "blocked" }):up():tag("list", { name = "blocked" });
	for order, address in ipairs(addresses) do
		query:tag("item", { type = "jid", value = address, action = "deny", order = ("%d"):format(order) }):up();
	end
	query:tag("item", { action = "allow", order = ("%d"):format(#addresses + 1) }):up();
	query:reset();
	element:add_child(query);
end

function module.command(arg)
	local host, file = arg[1], arg[2];
	if not host or not file or arg[3] then
		return "usage: prosodyctl mod_export_rest HOST FILE";
	end
	prosody.hosts[host] = prosody.hosts[host] or make_host(host);
	sm.initialize_host(host);
	um.initialize_host(host);
	pposix.umask("077");
	os.remove(file);
	local out = assert(io.open(file, "w"));
	out:write("<server-data xmlns='urn:xmpp:pie:0'>\n", tostring(st.stanza("host", { jid = host })):gsub("/>$", ">"), "\n");
	local names = {};
	for user in um.users(host) do table.insert(names, user); end
	table.sort(names);
	for _, user in ipairs(names) do
		local element = st.stanza("user", { name = user });
		offline(host, user, element);
		blocked(host, user, element);
		if element.tags[1] then out:write(tostring(element), "\n"); end
	end
	out:write("</host>\n</server-data>\n");
	assert(out:close());
	return 0;
end
