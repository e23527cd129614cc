package layering

import (
	"fmt"
	"slices"
	"strings"
)

// module is the path that our own imports start with.
const module = "rollcall"

// A room is a part of the house, with the rooms that it may know.
type room struct {
	name string
	dir  string   // the room is this directory and what is below it, but for rooms listed apart
	may  []string // names of rooms; "*" is all of them
	why  string   // said when an arrow is crossed

	// Each package directly below dir is a room of its own, and they do not
	// know one another: features, and programs.
	apart bool
}

// rooms is the plan. The first room whose directory holds a package is the
// package's room, so inner rooms stand before the outer ones.
var rooms = []room{
	{name: "programs", dir: "cmd", may: []string{"*"}},
	{name: "interop", dir: "interop", may: []string{"*"}},
	{name: "bench", dir: "bench", may: []string{"*"}},
	{name: "tests", dir: "internal", may: []string{"*"}},
	{
		name: "config", dir: "config",
		may: []string{"server", "streams", "features", "roster", "presence", "directory", "sipgw", "storage", "cluster", "web", "xmpp"},
		why: "config knows the rooms' Config types and nothing that runs",
	},
	{
		name: "storage", dir: "storage",
		may: []string{"roster", "presence", "directory", "sipgw", "server", "features", "migrations", "xmpp"},
		why: "storage adapts the domain to a database and serves no connection",
	},
	{name: "migrations", dir: "migrations", why: "migrations are SQL and know nothing of ours"},
	{
		name: "features", dir: "server/features", apart: true,
		may: []string{"server", "roster", "presence", "xmpp"},
		why: "a feature stands alone on server, roster, presence and xmpp",
	},
	{name: "streams", dir: "server/c2s", may: streamsMay, why: streamsWhy},
	{name: "streams", dir: "server/s2s", may: streamsMay, why: streamsWhy},
	{name: "streams", dir: "server/component", may: streamsMay, why: streamsWhy},
	{
		name: "server", dir: "server", may: []string{"xmpp"},
		why: "the server declares the small interface that it needs, and cmd introduces who fills it",
	},
	{
		name: "sipgw", dir: "sipgw", may: []string{"presence", "xmpp"},
		why: "the SIP side declares the small interface that it needs, and cmd introduces who fills it",
	},
	{name: "web", dir: "web", may: []string{"presence", "roster", "xmpp"}, why: "the web shows the domain"},
	{name: "roster", dir: "roster", may: []string{"xmpp"}, why: "the domain knows the language and nothing else"},
	{name: "presence", dir: "presence", may: []string{"xmpp"}, why: "the domain knows the language and nothing else"},
	{name: "directory", dir: "directory", may: []string{"xmpp"}, why: "the domain knows the language and nothing else"},
	{name: "cluster", dir: "cluster", why: "the bus knows nothing of ours"},
	{name: "xmpp", dir: "xmpp", why: "the language knows nothing of ours"},
}

var streamsMay = []string{"server", "xmpp"}

const streamsWhy = "streams know the server and the language"

// crossed says why a crossing of the most tempting kind is refused; other
// crossings get the sentence of the room that they start from.
var crossed = map[[2]string]string{
	{"features", "storage"}:  "features never import storage (adapters know the domain, never the reverse)",
	{"features", "features"}: "features never import one another",
	{"server", "storage"}:    "the server never imports storage (adapters know the domain, never the reverse)",
	{"server", "features"}:   "the server never imports a feature: cmd's list says what there is",
	{"server", "sipgw"}:      "server and sipgw do not know each other",
	{"sipgw", "server"}:      "server and sipgw do not know each other",
	{"roster", "storage"}:    "the domain never imports storage (adapters know the domain, never the reverse)",
	{"presence", "storage"}:  "the domain never imports storage (adapters know the domain, never the reverse)",
	{"directory", "storage"}: "the domain never imports storage (adapters know the domain, never the reverse)",
	{"streams", "streams"}:   "c2s, s2s and component do not know one another",
}

// alone are libraries that one directory of ours knows, and no other.
var alone = map[string]string{"github.com/emiago/sipgo": "sipgw/transport"}

// Arrows returns the imports of ours that the plan does not allow.
func Arrows(files []*File) []Problem {
	var out []Problem
	for _, f := range files {
		if _, ok := roomOf(f.Dir); !ok && f.Dir != "." {
			out = append(out, Problem{f.Name, "the plan of the house has no room " + f.Dir})
			continue
		}
		for _, imp := range f.Imports {
			to, ours := strings.CutPrefix(imp.Path, module+"/")
			if !ours {
				out = append(out, foreign(f, imp)...)
				continue
			}
			if why := refuse(f.Dir, to, f.Test); why != "" {
				out = append(out, Problem{
					Where: fmt.Sprintf("%s:%d", f.Name, imp.Line),
					What:  fmt.Sprintf("%s imports %s: %s", f.Dir, to, why),
				})
			}
		}
	}
	return out
}

// foreign finds a library that is not for this directory.
func foreign(f *File, imp Import) []Problem {
	for library, dir := range alone {
		if (imp.Path == library || strings.HasPrefix(imp.Path, library+"/")) && f.Dir != dir {
			return []Problem{{
				Where: fmt.Sprintf("%s:%d", f.Name, imp.Line),
				What:  fmt.Sprintf("%s imports %s: only %s does", f.Dir, imp.Path, dir),
			}}
		}
	}
	return nil
}

// refuse says why the package in directory from may not import the one in
// directory to, or nothing when it may.
func refuse(from, to string, test bool) string {
	src, ok := roomOf(from)
	if !ok {
		return "the plan of the house has no room " + from
	}
	dst, ok := roomOf(to)
	if !ok {
		return "the plan of the house has no room " + to
	}
	if sameRoom(src, dst, from, to) || slices.Contains(src.may, "*") {
		return ""
	}
	if test && testMay(dst) {
		return ""
	}
	if src.name != dst.name && slices.Contains(src.may, dst.name) {
		return ""
	}
	if why := crossed[[2]string{src.name, dst.name}]; why != "" {
		return why
	}
	switch dst.dir {
	case "internal":
		return "internal holds test tools, which only tests import"
	case "cmd":
		return "nothing imports a program"
	}
	return src.why
}

// testMay is what a test may import beyond its room's arrows: the test tools,
// and a real database, since a fake is a small real thing.
func testMay(dst room) bool {
	return dst.dir == "internal" || dst.dir == "storage" || dst.dir == "migrations" || dst.dir == "config"
}

func sameRoom(a, b room, from, to string) bool {
	if a.dir != b.dir {
		return false
	}
	return !a.apart || child(a.dir, from) == child(b.dir, to)
}

// child is the name of the directory directly below dir that holds sub.
func child(dir, sub string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(sub, dir), "/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func roomOf(dir string) (room, bool) {
	for _, r := range rooms {
		if dir == r.dir || strings.HasPrefix(dir, r.dir+"/") {
			return r, true
		}
	}
	return room{}, false
}
