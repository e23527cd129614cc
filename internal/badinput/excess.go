package badinput

import "strings"

// tooMuch is more than the limits allow, and just as much as they do.
func tooMuch() []Case {
	const open, end = "<message to='ada@x/nobody' type='headline'>", "</message>"
	nested := func(n int) string { return open + strings.Repeat("<a>", n) + strings.Repeat("</a>", n) + end }
	return at(Bound, []Case{
		{Name: "20,000 nested elements", Send: nested(20000), Want: "policy-violation"},
		{Name: "one too deep", Send: nested(64), Want: "policy-violation"},
		{Name: "as deep as it goes", Send: nested(63), Want: GoesOn},
		{Name: "too large", Send: open + "<body>" + strings.Repeat("la ", 100<<10) + "</body>" + end, Want: "policy-violation"},
		{Name: "without an end", Send: open + "<body>" + strings.Repeat("la ", 1<<20), Want: "policy-violation"},
		{Name: "large", Send: open + "<body>" + strings.Repeat("la ", 80<<10) + "</body>" + end, Want: GoesOn},
		{Name: "many children", Send: open + strings.Repeat("<a/>", 50<<10) + end, Want: GoesOn},
		{Name: "many large ones", Send: open + strings.Repeat("<a/>", 50<<10) + end, Times: 20, Want: GoesOn},
		{Name: "long tag", Send: "<message id='" + strings.Repeat("1", 20<<10) + "'/>", Want: "policy-violation"},
		{Name: "tag without an end", Send: "<message id='" + strings.Repeat("1", 1<<20), Want: "policy-violation"},
		{Name: "name without an end", Send: "<" + strings.Repeat("m", 1<<20), Want: "policy-violation"},
		{Name: "end tag full of space", Send: "<message></message" + strings.Repeat(" ", 1<<20), Want: "policy-violation"},
		{Name: "end of the stream without an end", Send: "</" + strings.Repeat("s", 1<<20), Want: "policy-violation"},
		{Name: "attributes", Send: "<message " + numbered(1000, "a%='' ") + "/>", Want: "policy-violation"},
		{Name: "attributes as many as allowed", Send: "<message type='error' " + numbered(31, "a%='' ") + "/>", Want: GoesOn},
		{Name: "CDATA without an end", Send: open + "<body><![CDATA[" + strings.Repeat("]]", 1<<20), Want: "policy-violation"},
		{Name: "CDATA in thousands", Send: open + "<body>" + strings.Repeat("<![CDATA[a]]>", 15<<10) + "</body>" + end, Want: GoesOn},
		{Name: "CDATA by drops", Send: open + "<body><![CDATA[" + strings.Repeat("]]", 2<<10) + "]]></body>" + end, Drip: true, Want: GoesOn},
		{Name: "references in thousands", Send: open + "<body>" + strings.Repeat("&#x41;&lt;", 20<<10) + "</body>" + end, Want: GoesOn},
		{Name: "space", Send: strings.Repeat(" \n\t\r", 16<<10), Times: 64, Want: GoesOn},
		{Name: "space in a stanza", Send: open + strings.Repeat(" \n\t\r", 1<<20), Want: "policy-violation"},
		{Name: "a stanza by drops", Send: open + "<body>é€\U0001F600 &amp;</body>" + end, Drip: true, Times: 20, Want: GoesOn},
		{Name: "a long tag by drops", Send: "<message type='error' id='" + strings.Repeat("1", 12<<10) + "'/>", Drip: true, Want: GoesOn},
	})
}

// namespaces are tricks with prefixes (Namespaces in XML 1.0).
func namespaces() []Case {
	return at(Bound, []Case{
		{Name: "element prefix not bound", Send: "<message><a:b/></message>", Want: "bad-namespace-prefix"},
		{Name: "attribute prefix not bound", Send: "<message a:b='c'/>", Want: "bad-namespace-prefix"},
		{Name: "prefix bound by a brother", Send: "<message><c xmlns:a='u'/><a:b/></message>", Want: "bad-namespace-prefix"},
		{Name: "prefix bound by a child", Send: "<message><a:b><c xmlns:a='u'/></a:b></message>", Want: "bad-namespace-prefix"},
		{Name: "prefix unbound", Send: "<message xmlns:a='u'><b xmlns:a=''/></message>", Want: "bad-namespace-prefix"},
		{Name: "xml bound to another", Send: "<message xmlns:xml='urn:x'/>", Want: "bad-namespace-prefix"},
		{Name: "xmlns bound", Send: "<message xmlns:xmlns='urn:x'/>", Want: "bad-namespace-prefix"},
		{Name: "another bound to xml", Send: "<message xmlns:a='http://www.w3.org/XML/1998/namespace'/>", Want: "bad-namespace-prefix"},
		{Name: "colon twice", Send: "<message xmlns:a='u'><a:b:c/></message>", Want: "not-well-formed"},
		{Name: "colon first", Send: "<:message/>", Want: "not-well-formed"},
		{Name: "colon last", Send: "<message xmlns:a='u'><a:/></message>", Want: "not-well-formed"},
		{Name: "same attribute by two prefixes", Send: "<message xmlns:a='u' xmlns:b='u' a:c='1' b:c='2'/>", Want: "not-well-formed"},
		{Name: "hundreds of namespaces", Send: "<message " + numbered(31, "xmlns:a%='u' ") + "><b " + numbered(31, "xmlns:b%='u' ") + "/></message>", Want: "policy-violation"},
		{Name: "stanzas of servers", Send: "<message xmlns='jabber:server' to='ada@x'/>", Want: "invalid-namespace"},
		{Name: "stanzas of nobody", Send: "<message xmlns='urn:x' to='ada@x'/>", Want: "unsupported-stanza-type"},
		{Name: "no namespace", Send: "<message xmlns='' to='ada@x'/>", Want: "unsupported-stanza-type"},
		{Name: "stream error of a client", Send: "<stream:error><x/></stream:error>", Want: "unsupported-stanza-type"},
		{Name: "a stanza with a prefix", Send: "<a:message xmlns:a='jabber:client' type='error' xmlns='urn:x'><b/></a:message>", Want: GoesOn},
		{Name: "xmlns everywhere", Send: "<message type='error'>" + strings.Repeat("<a xmlns='urn:a'><b xmlns=''/></a>", 3000) + "</message>", Want: GoesOn},
	})
}

// wrong is XML that means nothing, or something that is not allowed.
func wrong() []Case {
	bind := "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
	return at(Bound, []Case{
		{Name: "somebody else's address", Send: "<message from='ada@x/desk' to='bob@x'/>", Want: "invalid-from"},
		{Name: "an address that is none", Send: "<message from='@' to='bob@x'/>", Want: "invalid-from"},
		{Name: "an element that is none", Send: "<shout xmlns='jabber:client'/>", Want: "unsupported-stanza-type"},
		{Name: "login once more", Send: "<auth xmlns='" + nsSASL + "' mechanism='PLAIN'/>", Want: "policy-violation"},
		{Name: "TLS once more", Send: "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", Want: "policy-violation"},
		{Name: "another resource", Send: bind, Want: GoesOn},
		{Name: "ack of nothing", Send: "<a xmlns='urn:xmpp:sm:3' h='5'/>", Want: "unsupported-stanza-type"},
		{Name: "ack of the future", Send: "<enable xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='5000'/>", Want: "undefined-condition"},
		{Name: "ack that is no number", Send: "<enable xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='-1'/>", Want: "bad-format"},
		{Name: "the end, and then more", Send: "</stream:stream><message to='ada@x'/>\x00\xff", Want: Closes},
		{Name: "a header inside", Send: "<stream:stream xmlns:stream='" + nsStreams + "'><message/></stream:stream>", Want: "unsupported-stanza-type"},
		{Name: "nobody's address", Send: "<message to='@/'/><presence to='a@b@c'/><iq id='1' type='get' to='" + strings.Repeat("a", 3000) + "@x'><a/></iq>", Want: GoesOn},
		{Name: "requests that are none", Send: "<iq/><iq id='1'/><iq type='get' id='2'/><iq type='huh' id='3'><a/></iq><iq type='set' id='4'><a/><b/></iq>", Want: GoesOn},
		{Name: "answers to nothing", Send: "<iq type='result' id='1'/><iq type='error' id='2'><error/></iq><iq type='result' id='3' to='ada@x/desk'/>", Want: GoesOn},
		{Name: "presence that is none", Send: "<presence type='huh'/><presence><priority>1000</priority></presence><presence><priority>x</priority></presence>", Want: GoesOn},
		{Name: "queries with nonsense", Send: nonsense(), Want: GoesOn},
	})
}

// nonsense has a request for each feature, and nothing right in it.
func nonsense() string {
	var b strings.Builder
	for _, space := range []string{
		"jabber:iq:roster", "vcard-temp", "urn:xmpp:mam:2", "urn:xmpp:carbons:2", "jabber:iq:register", "urn:xmpp:ping", "urn:xmpp:time",
		"jabber:iq:version", "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items", "jabber:iq:last", "jabber:iq:private", "jabber:iq:search",
	} {
		for _, name := range []string{"query", "vCard", "prefs", "metadata", "enable", "ping", "time"} {
			for _, kind := range []string{"get", "set"} {
				for _, inner := range []string{
					"", "<item jid='@@'/>", "<item/><item/>", "<x xmlns='jabber:x:data' type='huh'><field/></x>",
					"<set xmlns='http://jabber.org/protocol/rsm'><max>-1</max><before>x</before><after>y</after><index>z</index></set>",
					"<username>a b</username><password/>", "<PHOTO><BINVAL>***</BINVAL></PHOTO>", "<first>%*_</first><x xmlns='jabber:x:data' type='submit'/>", strings.Repeat("<group>g</group>", 100),
				} {
					for _, to := range []string{"", " to='x'"} {
						b.WriteString("<iq type='" + kind + "' id='n'" + to + "><" + name + " xmlns='" + space + "' node='?' ver='?'>" + inner + "</" + name + "></iq>")
					}
				}
			}
		}
	}
	return b.String()
}

// picture sets a vCard with a picture.
func picture(data string) string {
	return "<iq type='set' id='1'><vCard xmlns='vcard-temp'><PHOTO><BINVAL>" + data + "</BINVAL></PHOTO></vCard></iq>"
}

// floods are small things, very many of them.
func floods() []Case {
	return at(Bound, []Case{
		{Name: "empty messages", Send: "<message/>", Times: 20000, Want: GoesOn},
		{Name: "messages to nobody", Send: "<message to='nobody@x'><body>hi</body></message>", Times: 5000, Want: GoesOn},
		{Name: "messages to oneself", Send: "<message to='mallory@x' type='headline'><body>hi</body></message>", Times: 2000, Want: GoesOn},
		{Name: "requests", Send: "<iq type='get' id='1' to='x'><ping xmlns='urn:xmpp:ping'/></iq>", Times: 5000, Want: GoesOn},
		{Name: "requests of all kinds", Send: "<iq type='get' id='1'><a xmlns='urn:a'/></iq>", Times: 5000, Want: GoesOn},
		{Name: "coming and going", Send: "<presence/><presence type='unavailable'/>", Times: 1000, Want: GoesOn},
		{Name: "searches", Send: "<iq type='set' id='1' to='x'><query xmlns='jabber:iq:search'><nick>a</nick></query></iq>", Times: 1000, Want: GoesOn},
		{Name: "pictures", Send: "<presence><x xmlns='vcard-temp:x:update'/></presence>" + picture("YQ==") + picture("Yg=="), Times: 30, Want: GoesOn},
		{Name: "settings", Send: "<iq type='set' id='1'><query xmlns='jabber:iq:private'>" + numbered(50, "<a xmlns='urn:%'>1</a>") + "</query></iq>", Times: 20, Want: GoesOn},
		{Name: "presence to strangers", Send: "<presence to='ada@x'/>", Times: 5000, Want: GoesOn},
		{Name: "questions about acks", Send: "<enable xmlns='urn:xmpp:sm:3'/>" + strings.Repeat("<r xmlns='urn:xmpp:sm:3'/>", 5000), Want: GoesOn},
		{Name: "acks turned on again and again", Send: "<enable xmlns='urn:xmpp:sm:3' resume='true'/>", Times: 2000, Want: GoesOn},
		{Name: "looking and looking away", Send: "<inactive xmlns='urn:xmpp:csi:0'/><active xmlns='urn:xmpp:csi:0'/>", Times: 10000, Want: GoesOn},
		{Name: "wishes to be a contact", Send: "<presence to='ada@x' type='subscribe'/><presence to='ada@x' type='unsubscribe'/>", Times: 20, Want: GoesOn},
	})
}
