// Package transcript plays conversations: text files that say what clients
// send, what they then receive, and what they do not. A conversation runs
// against a whole server inside a testing/synctest bubble, so that silence can
// be asserted without waiting and five minutes pass in no time.
//
//	# XEP-0280 §7: what I send from the desk is copied to my phone, and not back
//	ada/desk, ada/phone, bob/home are online
//	phone > <iq type='set' id='1'><enable xmlns='urn:xmpp:carbons:2'/></iq>
//	phone < <iq type='result' id='1'/>
//	desk  > <message to='bob@x' type='chat'><body>tea?</body></message>
//	bob   < <message from='ada@x/desk'><body>tea?</body></message>
//	phone < <message from='ada@x'><sent xmlns='urn:xmpp:carbons:2'>…</sent></message>
//	desk  < nothing
//	after 5m
//	desk  < <r xmlns='urn:xmpp:sm:3'/>
//
// # Lines
//
// A line starts in the first column. Indented lines go on with the one above
// them. Lines whose first visible character is # are comments.
//
// The stage. The domain is "x" ([Domain]) and every password [Password].
//
//	config archive off            handed to the world; before anything else
//	accounts ada, bob             whoever is named elsewhere has one anyway
//	ada and bob are contacts      each sees the other's presence
//	ada follows bob               ada sees bob's, and not the reverse
//	group staff is ada, bob       a shared group: its members see one another
//	group staff lists ada, bob    … or they do not
//	group staff is everybody      … of all accounts
//	group staff is called Staff   what people see of it; its name until then
//	group staff has ada, bob      these are its members from now on
//	group staff is gone           … and their contacts are what they were before
//	ada, bob join staff           … and are members from now on
//	ada joins staff as Dr. Ada    … under a name
//	ada leaves staff
//	staff sees doors              members of staff see those of doors
//	staff sees doors no more
//	phone/2001 says ada is on_call      what a source knows of somebody
//	phone/2001 says ada is on_call with bob
//	phone/2001 says nothing of ada      … it ceases to know anything
//	ada/desk, bob/home are online connected, bound, roster asked for, available
//	ada/desk is connected         … bound, and nothing more
//	ada/desk is authenticated     … logged in, and nothing bound; or just ada
//	raw tap                       a connection on which nothing has been said
//	component phones.x            a domain that a component serves (XEP-0114); before
//	                              anything else. All have one secret ([ComponentSecret])
//	phones.x is connected         the component has come, and proven its secret
//	raw tap for components        a connection to where components connect
//
// "online" waits until all is quiet and then throws away what anybody has not
// read yet, since most of it is the presence of those who came. Where arriving
// is what is tested, let somebody be connected and send the presence.
//
// What a component sends and gets is written as if its stream had the namespace
// jabber:client. What has that in truth is in jabber:component:accept here.
//
// A client is called by its resource (desk), by its account (bob) or by both
// (ada/desk), as long as it is clear who is meant.
//
//	desk > <presence/>            sends what stands there; everything settles
//	tap  > "\xff" "<a>" * 500     bytes, as quoted strings, repeated
//	desk < <presence/>            what desk receives next, see Patterns
//	desk < <stream:stream>        the header of a stream
//	desk < nothing                there is nothing left to read
//	desk < error not-well-formed  a stream error with that condition
//	desk < closed                 the stream ends: </stream:stream>, a cut, or both
//	desk < </stream:stream>       the closing tag
//	desk < cut                    the connection ends without a closing tag
//	desk < any order              the next ones are these, in whatever order:
//	  <presence from='bob@x/home'/>
//	  <presence from='bob@x/hall'/>
//	desk ~ <iq id='7'/>           somewhere among what is unread; the rest stays
//	after 5m                      time passes
//	drop desk                     the connection is cut, the stream left open
//	close desk                    </stream:stream>
//	desk resumes                  a new connection, logged in and not bound, for
//	                              desk to go on with; <resume/> is yours to send
//	the server restarts           it stops in good order, and a new one has its
//	                              database; who was connected is so no more
//	the link breaks               to a gateway that is a program of its own; and it
//	the link is back              cannot connect until then
//	the gateway restarts          as the server does
//	desk stops reading            what is sent to desk stays in the connection
//	desk reads again
//	desk overlooks <r/>           what matches is as if it did not come, from now on
//
// Whoever expects something waits for [Grace] of the bubble's time before it is
// said not to have come, and "nothing" waits as long.
//
// # Phones
//
// Devices are the contacts that phones are. Each has [Password].
//
//	device 2001 of ada            a phone that is hers
//	device door-12 class intercom critical called "Front door"
//	device 2001 shared            … and is that from now on; or disabled
//	device door-12 not critical   … and is that no more
//	device 2001 of nobody
//	device 2001 at hq             it is registered at a PBX, and not here
//	device 2001 is gone
//
// Where the world's server speaks SIP (see [Switchboard]), phones come onto the
// stage, and peers: whoever else speaks SIP. A phone is a device that the server
// knows, with [Password]; it answers by itself what phones answer by themselves
// (challenges, OPTIONS, NOTIFY, MESSAGE, BYE, CANCEL by 200) and acknowledges; what
// it has received is there to be read all the same, but for 100, ACK and OPTIONS. A
// peer does nothing by itself and reads everything. Neither reads what is sent again
// byte for byte.
//
//	phones 2001, 2002             each at an address of its own, 10.0.0.1 and so on
//	phones 2003 behind a NAT over TCP
//	peers pbx at 192.0.2.50
//	2001 registers                and it must succeed; or: registers for 60s
//	2001 unregisters
//	2001 calls 2002               sends INVITE
//	2002 rings                    180; also: answers, declines, is busy
//	2001 hangs up                 BYE, or CANCEL while nobody has answered
//	2001 and 2002 are in a call   all of that, and nothing of it is left to read
//	2001 reboots                  the socket is a new one, and all is forgotten
//	drop 2001                     the plug is pulled
//
//	2001 > SUBSCRIBE sip:ada@x    a request; what every request has is filled in:
//	  Event: presence             Via, From, To, Call-ID, CSeq, Contact and so on,
//	  Expires: 60                 unless it is written here or written as (none)
//	pbx  > NOTIFY                 without a URI: within the dialog of the Call-ID
//	  Subscription-State: active  that is written, or else of the last one in which
//	  Content-Type: text/plain    something was said or read
//	  --                          a line with two dashes, and then the body
//	  tea?
//	2002 > 486 Busy Here          answers the request that was read last
//	2001 > "OPTIONS sip:x …"      bytes, as of other clients
//	2001 < NOTIFY sip:2001@…      a request that comes next, perhaps its URI,
//	  Event: presence             headers, of which one of each name must match, or
//	  Call-ID: $watch             (none),
//	  --                          and perhaps the body: XML is compared as elements,
//	  <presence xmlns='…'/>       anything else as text
//	2001 < 200                    a response, perhaps with its reason phrase
//	2001 < nothing
//	2001 ~ 180                    somewhere among what is unread
//
// # Patterns
//
// Names are compared with their namespaces; which prefixes are used does not
// matter. In a pattern the default namespace is jabber:client, and stream: is
// declared. Attributes that the pattern names must be equal, others may be
// there. Child elements must be all there, in this order, and no others, unless
// … (or ...) stands among them and means whatever else. Text is compared
// without the blanks around it.
//
// In an attribute and in text … is any run of characters, and $name is what it
// was when it was first met: the first time it takes what stands there (at
// least one character), after that it must be the same, and in what is sent it
// is filled in. An attribute with the value (none) must not be there.
package transcript
