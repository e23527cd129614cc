package stanza

import "testing"

func TestRename(t *testing.T) {
	for _, c := range []struct {
		raw   string
		depth int
		want  string
	}{
		{"<message><body>old:a</body></message>", 9, "<message><body>old:a</body></message>"},
		{"<message xmlns='old:a'><body>xmlns='old:a'</body></message>", 9, "<message xmlns='new'><body>xmlns='old:a'</body></message>"},
		{`<m x="xmlns='old:a'" xmlns = "old:a"/>`, 9, `<m x="xmlns='old:a'" xmlns = "new"/>`},
		{"<o:m xmlns:o='old:a' xmlns:p='old:ab'><o:b/></o:m>", 9, "<o:m xmlns:o='new' xmlns:p='old:ab'><o:b/></o:m>"},
		{"<m><![CDATA[<b xmlns='old:a'>]]><b xmlns='old:a'/></m>", 9, "<m><![CDATA[<b xmlns='old:a'>]]><b xmlns='new'/></m>"},
		{"<m><b xmlns='old&#58;a'/><c/><b xmlns='old:a'/></m>", 9, "<m><b xmlns='new'/><c/><b xmlns='new'/></m>"},
		{"<m xmlns='old:a'><f xmlns='f'><m xmlns='old:a'/></f><b xmlns='old:a'/></m>", 1, "<m xmlns='new'><f xmlns='f'><m xmlns='old:a'/></f><b xmlns='new'/></m>"},
		{"<m xmlns='old:a'><b xmlns='old:a'/></m>", 0, "<m xmlns='new'><b xmlns='old:a'/></m>"},
	} {
		if got := string(Rename([]byte(c.raw), "old:a", "new", c.depth)); got != c.want {
			t.Errorf("%s to depth %d\n got %s\nwant %s", c.raw, c.depth, got, c.want)
		}
	}
}
