package transcript

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rollcall/sipgw/siptest"
)

// parse reads a conversation; name is the file's, for messages.
func parse(name, text string) (*script, error) {
	s := &script{file: name}
	for i, line := range strings.Split(text, "\n") {
		visible := strings.TrimSpace(line)
		if visible == "" || strings.HasPrefix(visible, "#") {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			s.steps = append(s.steps, step{line: i + 1, source: visible})
			continue
		}
		if len(s.steps) == 0 {
			return nil, fmt.Errorf("%s:%d: an indented line goes on with the one above, and there is none", name, i+1)
		}
		s.steps[len(s.steps)-1].source += "\n" + visible
	}
	for i := range s.steps {
		do, err := parseStep(s.steps[i].source)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s\n%w", name, s.steps[i].line, indent(s.steps[i].source), err)
		}
		s.steps[i].do = do
	}
	return s, nil
}

var (
	reExchange = regexp.MustCompile(`(?s)\A(\S+)\s+([<>~])\s+(.*)\z`)
	reArrive   = regexp.MustCompile(`\A(.+?)\s+(?:is|are)\s+(online|connected|authenticated)\z`)
	reContacts = regexp.MustCompile(`\A(.+?)\s+are\s+contacts\z`)
	reFollows  = regexp.MustCompile(`\A(\S+)\s+follows\s+(.+)\z`)
	reConfig   = regexp.MustCompile(`\Aconfig\s+(\S+)\s+(.+)\z`)
	reVerb     = regexp.MustCompile(`\A(accounts|component|raw|after|drop|close)\s+(.+)\z`)
	reGroup    = regexp.MustCompile(`\Agroup\s+(\S+)\s+(is gone|is called|is|lists|has)(?:\s+(.+))?\z`)
	reMember   = regexp.MustCompile(`\A(.+?)\s+(joins?|leaves?)\s+(\S+)(?:\s+as\s+(.+))?\z`)
	reSees     = regexp.MustCompile(`\A(\S+)\s+sees\s+(\S+)(\s+no more)?\z`)
	reReads    = regexp.MustCompile(`\A(\S+)\s+(resumes|stops reading|reads again)\z`)
	reOverlook = regexp.MustCompile(`\A(\S+)\s+overlooks\s+(<.*)\z`)
	rePhones   = regexp.MustCompile(`\A(phones|peers)\s+(.+?)(?:\s+at\s+(\S+))?(\s+behind a NAT)?(\s+over TCP)?\z`)
	reDialing  = regexp.MustCompile(`\A(\S+)\s+(registers|unregisters|reboots|calls|rings|answers|declines|is busy|hangs up)(?:\s+(.+))?\z`)
	reInCall   = regexp.MustCompile(`\A(\S+)\s+and\s+(\S+)\s+are\s+in\s+a\s+call\z`)
	reSIP      = regexp.MustCompile(`\A(?:[A-Z]{3,}|[1-6]\d\d)(?:\s|\z)`)
	reSays     = regexp.MustCompile(`\A([^\s/<>]+/[^\s<>]+)\s+says\s+(?:(\S+)\s+is\s+(\S+)(?:\s+with\s+(.+))?|nothing of (\S+))\z`)
	reSeveral  = regexp.MustCompile(`\s*,\s*|\s+and\s+`)
	reClient   = regexp.MustCompile(`\A[^\s/<>,]+/[^\s<>,]+\z`)
)

func parseStep(source string) (action, error) {
	if m := reExchange.FindStringSubmatch(source); m != nil {
		return parseExchange(m[1], m[2], m[3])
	}
	if strings.Contains(source, "\n") {
		return nil, errors.New("only what is sent or expected may go on over several lines")
	}
	switch source {
	case "the server restarts":
		return restart{}, nil
	case "the gateway restarts":
		return beyond(Beyond.RestartGateway), nil
	case "the link breaks":
		return beyond(Beyond.BreakLink), nil
	case "the link is back":
		return beyond(Beyond.MendLink), nil
	}
	if m := reConfig.FindStringSubmatch(source); m != nil {
		return configure{m[1], m[2]}, nil
	}
	if do, ok := parseGroup(source); ok {
		return do, nil
	}
	if m := reSays.FindStringSubmatch(source); m != nil {
		return says{Source: m[1], Who: m[2] + m[5], State: m[3], Counterpart: m[4]}, nil
	}
	if do, err := parsePhone(source); do != nil || err != nil {
		return do, err
	}
	if m := reDevice.FindStringSubmatch(source); m != nil {
		return parseDevice(m[1], m[2])
	}
	if m := reVerb.FindStringSubmatch(source); m != nil {
		return parseVerb(m[1], m[2])
	}
	if m := reArrive.FindStringSubmatch(source); m != nil {
		return parseArrive(several(m[1]), m[2])
	}
	if m := reContacts.FindStringSubmatch(source); m != nil {
		return contacts(several(m[1])), nil
	}
	if m := reFollows.FindStringSubmatch(source); m != nil {
		return follows{m[1], several(m[2])}, nil
	}
	if m := reOverlook.FindStringSubmatch(source); m != nil {
		want, err := readPatterns(m[2])
		return overlook{m[1], each(want)}, err
	}
	if m := reReads.FindStringSubmatch(source); m != nil {
		switch m[2] {
		case "resumes":
			return resume(m[1]), nil
		case "stops reading":
			return deaf{m[1], true}, nil
		}
		return deaf{m[1], false}, nil
	}
	return nil, errors.New("this is none of the lines that a conversation is made of")
}

func several(list string) []string { return reSeveral.Split(list, -1) }

func parseVerb(verb, rest string) (action, error) {
	switch verb {
	case "accounts":
		return accounts(several(rest)), nil
	case "component":
		return declare(several(rest)), nil
	case "raw":
		return tap(several(rest)), nil
	case "drop":
		return drop(rest), nil
	case "close":
		return send{rest, "</stream:stream>"}, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return nil, err
	}
	return after(d), nil
}

func parseArrive(who []string, how string) (action, error) {
	s := authenticated
	for s.String() != how {
		s++
	}
	for _, name := range who {
		domain := s == connected && !strings.Contains(name, "/") && strings.Contains(name, ".") // of a component
		if !domain && !reClient.MatchString(name) && (s != authenticated || strings.ContainsAny(name, "/ <>")) {
			return nil, fmt.Errorf("%s has no resource: write %s/desk", name, name)
		}
	}
	return arrive{who, s}, nil
}

// parsePhone reads the lines that are about phones; nil is none of them.
func parsePhone(source string) (action, error) {
	if m := rePhones.FindStringSubmatch(source); m != nil {
		return plug{who: several(m[2]), peer: strings.HasPrefix(m[1], "peer"), at: m[3], nat: m[4] != "", tcp: m[5] != ""}, nil
	}
	if m := reInCall.FindStringSubmatch(source); m != nil {
		return inCall{m[1], m[2]}, nil
	}
	m := reDialing.FindStringSubmatch(source)
	switch {
	case m == nil:
		return nil, nil
	case m[2] == "calls" && m[3] == "":
		return nil, errors.New("whom does it call?")
	case m[2] == "registers" && m[3] != "" && !strings.HasPrefix(m[3], "for "):
		return nil, errors.New("registers for how long? registers for 60s")
	case m[2] != "calls" && m[2] != "registers" && m[3] != "":
		return nil, fmt.Errorf("%s stands alone", m[2])
	}
	return dialing{m[1], m[2], m[3]}, nil
}

func parseExchange(who, mark, rest string) (action, error) {
	if reSIP.MatchString(rest) {
		if mark == ">" {
			_, err := siptest.Write(rest)
			return sipSend{who, rest}, err
		}
		want, err := readSIP(rest)
		return sipReceive{who, want, mark == "~"}, err
	}
	if mark == ">" {
		text, err := quoted(rest)
		return send{who, text}, err
	}
	if mark == "<" {
		if block, ok := strings.CutPrefix(rest, "any order"); ok {
			want, err := readPatterns(strings.TrimPrefix(block, ":"))
			return anyOrder{who, each(want)}, err
		}
		switch word, more, _ := strings.Cut(rest, " "); {
		case rest == "nothing":
			return silence(who), nil
		case rest == "closed":
			return closed(who), nil
		case word == "error":
			return receive{who, []pattern{readError(more)}}, nil
		}
	}
	want, err := readPatterns(rest)
	if mark == "~" {
		return somewhere{who, each(want)}, err
	}
	return receive{who, each(want)}, err
}

// each gives patterns that were written together a source of their own.
func each(want []pattern) []pattern {
	if len(want) > 1 {
		for i := range want {
			want[i].source = want[i].node.show()
		}
	}
	return want
}

// quoted reads bytes given as Go strings, each perhaps repeated: "<a>" * 500.
// Text that does not start with a quote is itself.
func quoted(text string) (string, error) {
	if !strings.HasPrefix(text, `"`) {
		return text, nil
	}
	const most = 64 << 20
	var out strings.Builder
	for rest := text; rest != ""; {
		literal, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return "", fmt.Errorf("not a quoted string: %s", rest)
		}
		part, err := strconv.Unquote(literal)
		if err != nil {
			return "", err
		}
		rest = strings.TrimSpace(rest[len(literal):])
		times := 1
		if factor, ok := strings.CutPrefix(rest, "*"); ok {
			number, more, _ := strings.Cut(strings.TrimSpace(factor), " ")
			if times, err = strconv.Atoi(number); err != nil || times < 0 {
				return "", fmt.Errorf("%q is not how often", number)
			}
			rest = strings.TrimSpace(more)
		}
		if len(part) > 0 && times > (most-out.Len())/len(part) {
			return "", errors.New("more than 64 MiB to send")
		}
		out.WriteString(strings.Repeat(part, times))
	}
	return out.String(), nil
}
