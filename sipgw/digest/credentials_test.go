package digest

import (
	"strings"
	"testing"
)

const md5Answer = "8ca523f5e9506fed4657c9700eebdbec"

func TestParse(t *testing.T) {
	const whole = `Digest username="u", realm="r", nonce="n", uri="sip:x", response="` + md5Answer + `"`
	for _, tt := range []struct {
		name, value string
		want        error
	}{
		{"least", whole, nil},
		{"small letters, spaces and folding", "digest  USERNAME = \"u\" ,\r\n realm=\"r\",nonce=\"n\",uri=\"sip:x\",response=\"" + md5Answer + "\" ", nil},
		{"quoted algorithm and qop", whole + `, algorithm="MD5", qop="auth", nc=0000000A, cnonce="c"`, nil},
		{"what is not known", whole + `, auth-param=x, other="y"`, nil},
		{"userhash=false", whole + `, userhash=false`, nil},
		{"no answer yet", strings.Replace(whole, md5Answer, "", 1), nil},
		{"Basic", "Basic dTpw", errScheme},
		{"nothing", "", errScheme},
		{"nothing after the scheme", "Digest", errSyntax},
		{"a comma at the end", whole + ",", errSyntax},
		{"no comma", whole + ` algorithm=MD5`, errSyntax},
		{"an open quote", whole + `, opaque="`, errSyntax},
		{"an escape at the end", whole + `, opaque="\`, errSyntax},
		{"a control character", whole + ", opaque=\"\x00\"", errSyntax},
		{"a name that is none", whole + `, "a"=b`, errSyntax},
		{"a value that is none", whole + `, a=b c`, errSyntax},
		{"twice", whole + `, realm="r"`, errTwice},
		{"twice in other letters", whole + `, Realm="r"`, errTwice},
		{"unquoted URI", strings.Replace(whole, `"sip:x"`, `x`, 1), errQuotes},
		{"no user", strings.Replace(whole, `username="u", `, ``, 1), errMissing},
		{"qop without nc", whole + `, qop=auth, cnonce="c"`, errMissing},
		{"qop without cnonce", whole + `, qop=auth, nc=00000001`, errMissing},
		{"auth-int", whole + `, qop=auth-int, nc=00000001, cnonce="c"`, errQOP},
		{"MD5-sess", whole + `, algorithm=MD5-sess`, errAlgorithm},
		{"SHA-256 with a short answer", whole + `, algorithm=SHA-256`, errValue},
		{"an empty algorithm", whole + `, algorithm=""`, errAlgorithm},
		{"capital letters", strings.Replace(whole, md5Answer, strings.ToUpper(md5Answer), 1), errValue},
		{"nc too short", whole + `, nc=1`, errValue},
		{"nc with a sign", whole + `, nc=+0000001`, errValue},
		{"username*", whole + `, username*=UTF-8''u`, errValue},
		{"userhash", whole + `, userhash=true`, errValue},
		{"long", whole + `, a="` + strings.Repeat("a", maxHeader) + `"`, errLong},
		{"a long user", strings.Replace(whole, `"u"`, `"`+strings.Repeat("u", MaxUser+1)+`"`, 1), errLong},
		{"many", whole + strings.Repeat(`, a=b`, maxParams), errSyntax},
	} {
		if _, err := Parse(tt.value); err != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestParseFields(t *testing.T) {
	c, err := Parse(`Digest username="a \"b\" \\c", realm="r,s=\"t\"", nonce="n", uri="sip:x;a=b,c", ` +
		`response="` + md5Answer + `", algorithm=MD5, cnonce="c\d", qop=auth, nc=0000000a`)
	want := Credentials{
		User: `a "b" \c`, Realm: `r,s="t"`, Nonce: "n", URI: "sip:x;a=b,c", Response: md5Answer,
		Algorithm: MD5, CNonce: "cd", QOP: true, Count: 10, count: "0000000a",
	}
	if err != nil || *c != want {
		t.Errorf("got %+v, %v", *c, err)
	}
}

// FuzzParse: whatever is sent, what is read of it is within the limits, and means
// the same when it is written again.
func FuzzParse(f *testing.F) {
	f.Add(`Digest username="2001", realm="x", nonce="n", uri="sip:x", response="` + md5Answer + `", qop=auth, nc=00000001, cnonce="c", algorithm=MD5`)
	f.Add(`Digest username="a \"b\" \\c", realm="", nonce="", uri="sip:x", response=""`)
	f.Add(`Digest a=b, c="`)
	f.Fuzz(func(t *testing.T, value string) {
		c, err := Parse(value)
		if err != nil {
			return
		}
		if len(c.User) > MaxUser || len(c.CNonce) > maxCNonce || len(c.URI) > maxURI || len(c.Nonce) > maxNonce {
			t.Fatalf("over a limit: %+v", c)
		}
		again := "Digest username=" + quote(c.User) + ",realm=" + quote(c.Realm) + ",nonce=" + quote(c.Nonce) +
			",uri=" + quote(c.URI) + ",response=" + quote(c.Response) + ",algorithm=" + c.Algorithm.String()
		if c.QOP {
			again += ",qop=auth,nc=" + c.count + ",cnonce=" + quote(c.CNonce)
		}
		d, err := Parse(again)
		if len(again) > maxHeader {
			return
		}
		c2 := *c
		if !c.QOP { // they are not written, because they mean nothing
			c2.CNonce, c2.Count, c2.count = "", 0, ""
		}
		if err != nil || *d != c2 {
			t.Fatalf("%q became %+v, %v; it was %+v", again, d, err, c2)
		}
		secrets := HA1("2001", "x", "s")
		secrets.answers(c, "REGISTER")
	})
}
