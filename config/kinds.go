package config

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/sipgw/digest"
)

// kind is what the values of a key may be: how they are read from what the TOML
// decoder made of the file, and how they are written.
type kind[T any] struct {
	read  func(any) (T, []fault)
	write func(T) string
}

// fault is what is wrong with a value, or with the part of it at a path such as
// "[1]" or "[0].cert".
type fault struct {
	at, what, remedy string
	value            any // of that part
}

func no(v any, what, remedy string, args ...any) []fault {
	return []fault{{what: what, remedy: fmt.Sprintf(remedy, args...), value: v}}
}

// text are strings that pass a check, which may also change them. The check
// returns what is wrong and what would be right.
func text(example string, check func(string) (value, what, remedy string)) kind[string] {
	return kind[string]{
		write: quote,
		read: func(v any) (string, []fault) {
			s, ok := v.(string)
			if !ok {
				return "", no(v, "not a string", "write %s", example)
			}
			s, what, remedy := check(s)
			if what != "" {
				return "", no(v, what, "%s", remedy)
			}
			return s, nil
		},
	}
}

// filled is any string but the empty one.
var filled = text(`"…"`, func(s string) (string, string, string) {
	if strings.TrimSpace(s) == "" {
		return "", "empty", "write a path, or leave the line out for the default"
	}
	return s, "", ""
})

// boolean is true or false.
var boolean = kind[bool]{
	write: strconv.FormatBool,
	read: func(v any) (bool, []fault) {
		b, ok := v.(bool)
		if !ok {
			return false, no(v, "not true or false", "write true or false, without quotes")
		}
		return b, nil
	},
}

// option is one of the words that a key may have, and what it stands for.
type option[T any] struct {
	word  string
	value T
}

var levels = []option[slog.Level]{
	{"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"warn", slog.LevelWarn}, {"error", slog.LevelError},
}

var versions = []option[uint16]{{"1.2", tls.VersionTLS12}, {"1.3", tls.VersionTLS13}}

var algorithms = []option[digest.Algorithm]{{"SHA-256", digest.SHA256}, {"MD5", digest.MD5}}

// oneOf are a few words that stand for values.
func oneOf[T comparable](options ...option[T]) kind[T] {
	known := make([]string, len(options))
	for i, o := range options {
		known[i] = quote(o.word)
	}
	return kind[T]{
		read: func(v any) (T, []fault) {
			for _, o := range options {
				if o.word == v {
					return o.value, nil
				}
			}
			var zero T
			return zero, no(v, "not one of the choices", "write %s", strings.Join(known, " or "))
		},
		write: func(v T) string {
			for i, o := range options {
				if o.value == v {
					return known[i]
				}
			}
			return `""`
		},
	}
}

// words are a few words that stand for themselves.
func words(list ...string) kind[string] {
	options := make([]option[string], len(list))
	for i, w := range list {
		options[i] = option[string]{w, w}
	}
	return oneOf(options...)
}

// number is a whole number within bounds.
func number(least, most int) kind[int] {
	return kind[int]{
		write: strconv.Itoa,
		read: func(v any) (int, []fault) {
			n, ok := v.(int64)
			switch {
			case !ok:
				return 0, no(v, "not a whole number", "write %d to %d, without quotes", least, most)
			case n < int64(least):
				return 0, no(v, "too small", "write %d or more", least)
			case n > int64(most):
				return 0, no(v, "too large", "write %d or less", most)
			}
			return int(n), nil
		},
	}
}

// size is a number of bytes within bounds, written with a unit.
func size(least, most int) kind[int] {
	return kind[int]{
		write: func(n int) string { return quote(formatSize(n)) },
		read: func(v any) (int, []fault) {
			if n, ok := v.(int64); ok {
				return 0, no(v, "a size needs a unit", "write %q", formatSize(int(max(n, 0))))
			}
			s, _ := v.(string)
			n, err := parseSize(s)
			switch {
			case err != nil:
				return 0, no(v, err.Error(), `write a whole number with B, KiB, MiB or GiB, such as %q`, formatSize(most))
			case n < least:
				return 0, no(v, "too small", "write %q or more", formatSize(least))
			case n > most:
				return 0, no(v, "too large", "write %q or less", formatSize(most))
			}
			return n, nil
		},
	}
}

// span is a duration within bounds. A least of 0 allows 0 too.
func span(least, most time.Duration) kind[time.Duration] {
	return kind[time.Duration]{
		write: func(d time.Duration) string { return quote(formatDuration(d)) },
		read: func(v any) (time.Duration, []fault) {
			if n, ok := v.(int64); ok {
				return 0, no(v, "a duration needs a unit", `write "%ds"`, max(n, 0))
			}
			s, _ := v.(string)
			d, err := parseDuration(s)
			switch {
			case err != nil:
				return 0, no(v, err.Error(), `write a number with s, m, h or d, such as "90s" or "1h30m"`)
			case d < least:
				return 0, no(v, "too short", "write %q or more", formatDuration(least))
			case d > most:
				return 0, no(v, "too long", "write %q or less", formatDuration(most))
			}
			return d, nil
		},
	}
}

// orForever is a duration, or "forever", which is kept as 0.
func orForever(k kind[time.Duration]) kind[time.Duration] { return orWord("forever", k) }

// orNever is a duration, or "never", which is kept as 0.
func orNever(k kind[time.Duration]) kind[time.Duration] { return orWord("never", k) }

// orWord is a duration, or a word that is kept as 0.
func orWord(word string, k kind[time.Duration]) kind[time.Duration] {
	return kind[time.Duration]{
		write: func(d time.Duration) string {
			if d == 0 {
				return quote(word)
			}
			return k.write(d)
		},
		read: func(v any) (time.Duration, []fault) {
			if v == word {
				return 0, nil
			}
			d, faults := k.read(v)
			for i := range faults {
				faults[i].remedy += ", or " + quote(word)
			}
			return d, faults
		},
	}
}

// list is an array with at least so many elements, each of kind k and none
// twice.
func list[T any](least int, k kind[T]) kind[[]T] {
	return kind[[]T]{
		read: func(v any) ([]T, []fault) {
			in, ok := v.([]any)
			if !ok {
				return nil, no(v, "not a list", "write [%s]", literal(v))
			}
			if len(in) < least {
				return nil, no(v, "empty", "name at least one, or leave the line out for the default")
			}
			return elements(in, k)
		},
		write: func(list []T) string {
			parts := make([]string, len(list))
			for i := range list {
				parts[i] = k.write(list[i])
			}
			return "[" + strings.Join(parts, ", ") + "]"
		},
	}
}

func elements[T any](in []any, k kind[T]) (out []T, faults []fault) {
	seen := map[string]int{}
	for i, v := range in {
		at := fmt.Sprintf("[%d]", i)
		value, bad := k.read(v)
		for _, f := range bad {
			f.at = at + f.at
			faults = append(faults, f)
		}
		if len(bad) > 0 {
			continue
		}
		if first, twice := seen[k.write(value)]; twice {
			faults = append(faults, fault{at, fmt.Sprintf("the same as [%d]", first), "leave one of them out", v})
			continue
		}
		seen[k.write(value)] = i
		out = append(out, value)
	}
	return out, faults
}

// table reads an element that is a table, whose names must all be known.
func table(v any, known ...string) (map[string]any, []fault) {
	t, ok := v.(map[string]any)
	if !ok {
		return nil, no(v, "not a table", "write { %s = … }", strings.Join(known, " = …, "))
	}
	var faults []fault
	for name, v := range t {
		if !slices.Contains(known, name) {
			faults = append(faults, fault{"." + name, "unknown key", suggest(name, known), v})
		}
	}
	return t, faults
}
