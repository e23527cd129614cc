package pidf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/sipgw/markup"
)

// What each document of the corpus says is written down in testdata/corpus.txt.
func TestCorpus(t *testing.T) {
	b, err := os.ReadFile("testdata/corpus.txt")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split("\n"+string(b), "\n-- ")[1:]
	for _, s := range sections {
		name, want, _ := strings.Cut(s, " --\n")
		got := strings.TrimSpace(dump(parseFile(t, filepath.Join("testdata", name))))
		if diff := cmp.Diff(strings.TrimSpace(want), got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	if files, _ := filepath.Glob("testdata/*.*"); len(files) != len(sections)+1 {
		t.Errorf("%d files, %d in corpus.txt", len(files)-1, len(sections))
	}
}

// wrap puts elements into a document.
func wrap(inner string) string {
	return `<presence xmlns="` + Namespace + `" entity="sip:a@x">` + inner + `</presence>`
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name, contentType, body string
		want                    error
	}{
		{"another type", "application/dialog-info+xml", wrap(""), ErrType},
		{"differences of documents", "application/pidf-diff+xml", wrap(""), ErrType},
		{"no type", "", wrap(""), ErrType},
		{"another root", ContentType, `<pidf-full xmlns="` + Namespace + `"/>`, markup.ErrWrongRoot},
		{"another namespace", ContentType, `<presence xmlns="jabber:client"/>`, markup.ErrWrongRoot},
		{"no namespace", ContentType, `<presence/>`, markup.ErrWrongRoot},
		{"empty", ContentType, ``, nil},
		{"half", ContentType, wrap("<tuple id='a'><status>"), markup.ErrBroken},
		{"tuples without end", ContentType, wrap(strings.Repeat("<tuple/>", MaxTuples+1)), ErrTooMany},
		{"persons without end", ContentType, wrap(strings.Repeat("<person/>", maxOthers+1)), ErrTooMany},
		{"devices without end", ContentType, wrap(strings.Repeat("<device/>", maxOthers+1)), ErrTooMany},
		{"notes without end", ContentType, wrap(strings.Repeat("<note>a</note>", maxOthers+1)), ErrTooMany},
		{"a DTD", ContentType, "<!DOCTYPE presence [<!ENTITY a 'b'>]>" + wrap(""), markup.ErrDoctype},
		{"a DTD in xpidf", ContentTypeX, "<!DOCTYPE presence [<!ENTITY a 'b'>]><presence/>", markup.ErrDoctype},
		{"xpidf with PIDF in it", ContentTypeX, wrap(""), markup.ErrWrongRoot},
		{"atoms without end", ContentTypeX, "<presence>" + strings.Repeat("<atom><address/></atom>", MaxTuples+1) + "</presence>", ErrTooMany},
	}
	for _, tt := range tests {
		_, err := ParseAs(tt.contentType, []byte(tt.body))
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestPriority(t *testing.T) {
	for s, want := range map[string]int{
		"": -1, "0": 0, "0.0": 0, "1": 1000, "1.0": 1000, "1.000": 1000, "0.8": 800, ".5": 500,
		"0.007": 7, "0.992": 992, "0.42": 420, "0.123456": 123, "0,800000": 800,
		"-1": -1, "2": -1, "high": -1, "0.8x": -1, "0.x": -1, "NaN": -1,
	} {
		got, ok := priorityOf(s).Thousandths()
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 7: "0.007", 15: "0.015", 800: "0.8", 420: "0.42", 992: "0.992", 1000: "1", 100: "0.1"} {
		if got := string(appendPriority(nil, n)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if Thousandths(-5) != Thousandths(0) || Thousandths(2000) != Thousandths(1000) {
		t.Error("not clamped")
	}
}

func TestActivityNames(t *testing.T) {
	for i, name := range activityNames {
		if got := ActivityOf(name); got != 1<<i || got.String() != name {
			t.Errorf("%s: %v", name, got)
		}
	}
	if Unavailable != 1<<(len(activityNames)-1) || ActivityOf("other") != Other {
		t.Error("names and bits are not in the same order")
	}
	if s := (Meeting | Busy).String(); s != "busy meeting" {
		t.Error(s)
	}
	if ActivityOf("dancing") != 0 {
		t.Error("an activity that there is not")
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.*")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, contentType := range []string{ContentType, ContentTypeX} {
			d, err := ParseAs(contentType, b)
			if err != nil {
				continue
			}
			again, err := Parse(d.Append(nil))
			if err != nil {
				t.Fatalf("what was written cannot be read: %v\n%s", err, d.Append(nil))
			}
			if len(again.Tuples) != len(d.Tuples) || len(again.Persons) != len(d.Persons) {
				t.Errorf("%s\nwant\n%s", dump(again), dump(d))
			}
			if _, err := ParseX(d.AppendX(nil)); err != nil {
				t.Fatalf("what was written cannot be read: %v\n%s", err, d.AppendX(nil))
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	doc, err := os.ReadFile("testdata/cisco-trunk-busy.xml")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(doc); err != nil {
			b.Fatal(err)
		}
	}
}
