package badinput

import (
	"slices"
	"strings"

	"rollcall/internal/transcript"
	"rollcall/internal/wire"
)

// Stage is how far a stream has come when the bad input begins.
type Stage int

// The stages.
const (
	Fresh  Stage = iota // nothing was said
	Opened              // the features are there
	Bound               // logged in, with a resource
)

// Ways to end other than a stream error.
const (
	GoesOn = ""        // it is no fault: the stream goes on, with answers if any
	Closes = "a close" // the server closes the stream without an error
	Cut    = "a cut"   // the client cuts the connection
)

// A Case is one stream that goes wrong.
type Case struct {
	Name  string
	Stage Stage
	Send  string
	Times int    // how many times Send is sent; 0 is once
	Drip  bool   // byte by byte
	Want  string // the condition of the stream error, or one of the ways above
}

// Corpus returns all cases.
func Corpus() []Case {
	all := slices.Concat(headers(), beforeLogin(), notXML(), text(), tooMuch(), namespaces(), wrong(), floods())
	// What is wrong with a stanza is wrong before login too.
	for _, c := range slices.Concat(notXML(), text()) {
		c.Name, c.Stage = "before login: "+c.Name, Opened
		all = append(all, c)
	}
	return all
}

const (
	nsStreams = "http://etherx.jabber.org/streams"
	nsSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	billion   = "<!DOCTYPE lol [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
)

// header is the usual header with a part of it replaced.
func header(part, with string) string { return strings.Replace(wire.Header, part, with, 1) }

// headers are streams that begin badly (RFC 6120 §4.9.3).
func headers() []Case {
	const end = nsStreams + "'>"
	return []Case{
		{Name: "no XML", Send: "hello?\r\n", Want: "not-well-formed"},
		{Name: "HTTP", Send: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", Want: "not-well-formed"},
		{Name: "TLS in the clear", Send: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Want: "not-well-formed"},
		{Name: "zero bytes", Send: "\x00\x00\x00\x00", Want: "not-well-formed"},
		{Name: "UTF-16", Send: "\xff\xfe<\x00?\x00x\x00m\x00l\x00", Want: "not-well-formed"},
		{Name: "random bytes", Send: "\x8f\x1b\xe7\x03<\x92\xd1", Want: "not-well-formed"},
		{Name: "a document type", Send: billion + wire.Header, Want: "restricted-xml"},
		{Name: "a comment first", Send: "<!-- hello -->" + wire.Header, Want: "restricted-xml"},
		{Name: "a style sheet", Send: "<?xml-stylesheet href='x'?>" + wire.Header, Want: "restricted-xml"},
		{Name: "two declarations", Send: "<?xml version='1.0'?>" + wire.Header, Want: "not-well-formed"},
		{Name: "a declaration without an end", Send: "<?xml version='1.0' " + strings.Repeat(" ", 300), Want: "not-well-formed"},
		{Name: "Latin-1", Send: header("?>", " encoding='ISO-8859-1'?>"), Want: "unsupported-encoding"},
		{Name: "no such host", Send: header("to='"+transcript.Domain+"'", "to='nowhere.example'"), Want: "host-unknown"},
		{Name: "no host", Send: header("to='"+transcript.Domain+"'", ""), Want: "host-unknown"},
		{Name: "a host that is none", Send: header("to='"+transcript.Domain+"'", "to='@@//\u0000'"), Want: "not-well-formed"},
		{Name: "somebody for a host", Send: header("to='"+transcript.Domain+"'", "to='ada@x/y'"), Want: "host-unknown"},
		{Name: "old version", Send: header("version='1.0' xmlns", "version='0.9' xmlns"), Want: "unsupported-version"},
		{Name: "odd version", Send: header("version='1.0' xmlns", "version='-1.&#48;' xmlns"), Want: "unsupported-version"},
		{Name: "wrong namespace of streams", Send: header(end, "urn:x'>"), Want: "invalid-namespace"},
		{Name: "wrong namespace of stanzas", Send: header("jabber:client", "jabber:nobody"), Want: "invalid-namespace"},
		{Name: "prefix not bound", Send: header("xmlns:stream", "xmlns:flow"), Want: "bad-namespace-prefix"},
		{Name: "no stream", Send: "<message xmlns='jabber:client'><body>hi</body></message>", Want: "bad-format"},
		{Name: "empty stream", Send: header(end, nsStreams+"'/>"), Want: "bad-format"},
		{Name: "endless name", Send: "<stream:" + strings.Repeat("s", 64<<10), Want: "policy-violation"},
		{Name: "endless header", Send: "<stream:stream a='" + strings.Repeat("s", 64<<10), Want: "policy-violation"},
		{Name: "header full of space", Send: "<stream:stream " + strings.Repeat(" ", 64<<10), Want: "policy-violation"},
		{Name: "attributes in the header", Send: header("to=", numbered(1000, "a%='' ")+"to="), Want: "policy-violation"},
		{Name: "namespaces in the header", Send: header("to=", numbered(20, "xmlns:a%='urn:"+strings.Repeat("%", 20)+"' ")+"to="), Want: "policy-violation"},
		{Name: "half a header", Send: wire.Header[:90], Want: Cut},
		{Name: "space before the header", Send: strings.Repeat(" \r\n\t", 64<<10) + wire.Header, Want: GoesOn},
		{Name: "header by drops", Send: wire.Header, Drip: true, Want: GoesOn},
	}
}

// numbered repeats a text, with a number in place of each %.
func numbered(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "%", string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676%26))))
	}
	return b.String()
}

// beforeLogin are streams whose clients do not log in as they should.
func beforeLogin() []Case {
	auth := func(mechanism, text string) string {
		return "<auth xmlns='" + nsSASL + "' mechanism='" + mechanism + "'>" + text + "</auth>"
	}
	return []Case{
		{Name: "a message before login", Stage: Opened, Send: "<message to='ada@x'><body>hi</body></message>", Want: "not-authorized"},
		{Name: "a request before login", Stage: Opened, Send: "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>", Want: "not-authorized"},
		{Name: "anything before login", Stage: Opened, Send: "<x xmlns='urn:x'/>", Want: "not-authorized"},
		{Name: "acks before login", Stage: Opened, Send: "<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>", Times: 50, Want: "policy-violation"},
		{Name: "requests for an account", Stage: Opened, Send: "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>", Times: 31, Want: "policy-violation"},
		{Name: "large SASL", Stage: Opened, Send: auth("PLAIN", strings.Repeat("QUJD", 3000)), Want: GoesOn},
		{Name: "giant SASL", Stage: Opened, Send: auth("PLAIN", strings.Repeat("QUJD", 64<<10)), Want: "policy-violation"},
		{Name: "SASL without an end", Stage: Opened, Send: "<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>" + strings.Repeat("QUJD", 64<<10), Want: "policy-violation"},
		{Name: "SASL that is not base64", Stage: Opened, Send: auth("PLAIN", "***"), Want: GoesOn},
		{Name: "no such mechanism", Stage: Opened, Send: auth(strings.Repeat("X", 5000), ""), Want: GoesOn},
		{Name: "elements in SASL", Stage: Opened, Send: auth("PLAIN", "<a><b/></a>"), Want: GoesOn},
		{Name: "guesses", Stage: Opened, Send: wire.Plain("mallory", "guess"), Times: 10, Want: "policy-violation"},
		{Name: "answers without a question", Stage: Opened, Send: "<response xmlns='" + nsSASL + "'>QUJD</response>", Times: 50, Want: "policy-violation"},
		{Name: "logins that are never finished", Stage: Opened, Send: auth("SCRAM-SHA-256", "biwsbj1hZGEscj1hYmNkZWZnaA=="), Times: 50, Want: "policy-violation"},
		{Name: "a new stream too early", Stage: Opened, Send: wire.Plain("mallory", transcript.Password) + wire.Header, Want: "policy-violation"},
		{Name: "half a login", Stage: Opened, Send: "<auth xmlns='" + nsSASL + "' mechanism='PLAIN'>AGFk", Want: Cut},
		{Name: "too large before login", Stage: Opened, Send: "<x xmlns='urn:x'>" + strings.Repeat("<y/>", 8<<10), Want: "policy-violation"},
	}
}

// notXML are bytes that no XML has (RFC 6120 §4.9.3.13), and constructs that no
// stream has (§11.1).
func notXML() []Case {
	return at(Bound, []Case{
		{Name: "wrong end tag", Send: "<message><body>hi</message>", Want: "not-well-formed"},
		{Name: "end tag of another case", Send: "<message><body>hi</Body></message>", Want: "not-well-formed"},
		{Name: "text between stanzas", Send: "hello", Want: "not-well-formed"},
		{Name: "attribute without quotes", Send: "<message to=ada@x/>", Want: "not-well-formed"},
		{Name: "attribute without value", Send: "<message to/>", Want: "not-well-formed"},
		{Name: "attribute twice", Send: "<message to='ada@x' to='bob@x'/>", Want: "not-well-formed"},
		{Name: "attributes without space", Send: "<message to='ada@x'id='1'/>", Want: "not-well-formed"},
		{Name: "tag in a value", Send: "<message to='<b>'/>", Want: "not-well-formed"},
		{Name: "name that begins with a digit", Send: "<1message/>", Want: "not-well-formed"},
		{Name: "space before a name", Send: "< message/>", Want: "not-well-formed"},
		{Name: "slash in a tag", Send: "<message / >", Want: "not-well-formed"},
		{Name: "ampersand", Send: "<message><body>a && b</body></message>", Want: "restricted-xml"},
		{Name: "entity", Send: "<message><body>&nbsp;</body></message>", Want: "restricted-xml"},
		{Name: "entity in a value", Send: "<message id='&lol;'/>", Want: "restricted-xml"},
		{Name: "endless entity", Send: "<message><body>&" + strings.Repeat("a", 1<<16), Want: "restricted-xml"},
		{Name: "comment", Send: "<message><!-- psst --></message>", Want: "restricted-xml"},
		{Name: "processing instruction", Send: "<message><?php echo ?></message>", Want: "restricted-xml"},
		{Name: "document type", Send: billion, Want: "restricted-xml"},
		{Name: "document type inside", Send: "<message>" + billion + "</message>", Want: "restricted-xml"},
		{Name: "CDATA between stanzas", Send: "<![CDATA[hello]]>", Want: "restricted-xml"},
		{Name: "declaration inside", Send: "<?xml version='1.0'?><message/>", Want: "restricted-xml"},
		{Name: "half a stanza", Send: "<message to='ada@x'><body>I was about to", Want: Cut},
		{Name: "half a tag", Send: "<message to='ada@x' id='", Want: Cut},
		{Name: "half a character", Send: "<message><body>\xe2\x82", Want: Cut},
	})
}

func at(stage Stage, all []Case) []Case {
	for i := range all {
		all[i].Stage = stage
	}
	return all
}

// text are characters that XML cannot carry, in all places.
func text() []Case {
	var all []Case
	for name, c := range map[string]string{
		"overlong":           "\xc0\xaf",
		"overlong zero":      "\xc0\x80",
		"surrogate":          "\xed\xa0\x80",
		"beyond Unicode":     "\xf4\x90\x80\x80",
		"lone continuation":  "\x80",
		"five bytes":         "\xf8\x88\x80\x80\x80",
		"cut short":          "\xe2\x82",
		"not a character":    "\xef\xbf\xbf",
		"zero":               "\x00",
		"escape":             "\x1b[2J",
		"zero, escaped":      "&#0;",
		"surrogate, escaped": "&#xD800;",
		"too high, escaped":  "&#x110000;",
		"overflow, escaped":  "&#99999999",
		"no number":          "&#;",
	} {
		escaped := c[0] == '&'
		for place, in := range map[string][2]string{
			"text": {"<message><body>", "</body></message>"}, "a value": {"<message id='", "'/>"},
			"CDATA": {"<message><body><![CDATA[", "]]></body></message>"}, "a name": {"<a", " xmlns='urn:a'/>"},
		} {
			if escaped && (place == "CDATA" || place == "a name") {
				continue
			}
			if c == "&#99999999" {
				c += ";"
			}
			all = append(all, Case{Name: name + " in " + place, Stage: Bound, Send: in[0] + c + in[1], Want: "not-well-formed"})
		}
	}
	return append(all, Case{Name: "end of CDATA in text", Stage: Bound, Send: "<message><body>a]]>b</body></message>", Want: "not-well-formed"})
}
