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
//
// "online" waits until all is quiet and then throws away what anybody has not
// read yet, since most of it is the presence of those who came. Where arriving
// is what is tested, let somebody be connected and send the presence.
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
//	desk stops reading            what is sent to desk stays in the connection
//	desk reads again
//	desk overlooks <r/>           what matches is as if it did not come, from now on
//
// Whoever expects something waits for [Grace] of the bubble's time before it is
// said not to have come, and "nothing" waits as long.
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
