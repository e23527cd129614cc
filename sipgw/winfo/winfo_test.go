package winfo

import (
	"encoding/xml"
	"testing"
)

func TestAppend(t *testing.T) {
	d := Document{Resource: "sip:ada@x", Package: "presence", Watchers: []Watcher{
		{URI: "sip:bob@x", Name: `"Bob" <b&b>`, Pending: true}, {URI: "sip:o'malley@x;a=b"},
	}}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<watcherinfo xmlns="urn:ietf:params:xml:ns:watcherinfo" version="0" state="full">
<watcher-list resource="sip:ada@x" package="presence">
<watcher status="pending" event="subscribe" id="wcf0e3be526fefa92" display-name="&quot;Bob&quot; &lt;b&amp;b&gt;">sip:bob@x</watcher>
<watcher status="active" event="approved" id="w8e6419a925cdaa62">sip:o&apos;malley@x;a=b</watcher>
</watcher-list>
</watcherinfo>
`
	got := string(d.Append(nil))
	var read struct {
		XMLName xml.Name `xml:"urn:ietf:params:xml:ns:watcherinfo watcherinfo"`
		List    struct {
			Watchers []struct {
				ID  string `xml:"id,attr"`
				URI string `xml:",chardata"`
			} `xml:"watcher"`
		} `xml:"watcher-list"`
	}
	if err := xml.Unmarshal([]byte(got), &read); err != nil || len(read.List.Watchers) != 2 || read.List.Watchers[1].URI != d.Watchers[1].URI ||
		read.List.Watchers[0].ID == read.List.Watchers[1].ID {
		t.Errorf("%v: %+v", err, read)
	}
	if got != want {
		t.Errorf("it is\n%s\nnot\n%s", got, want)
	}
}
