package main

import (
	"bufio"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// holder is all the devices, one after the other, at one socket.
type holder struct {
	domain, prefix, secret string
	count                  int

	conn net.Conn
	here string // our address
	told map[string]bool

	cseq int
	buf  [1 << 16]byte
}

// patience is how long to wait for an answer before the request is sent again.
const (
	patience = time.Second
	attempts = 8
)

var errSilent = errors.New("the server does not answer")

// all registers all devices, and has each subscribe to the next.
func (h *holder) all() (registered, subscribed int, err error) {
	h.told = map[string]bool{}
	for i := range h.count {
		who := h.uri(i)
		status, err := h.ask("REGISTER", i, "sip:"+h.domain, who, "Expires: 3600\r\n")
		if err != nil {
			return registered, subscribed, err
		}
		if status == 200 {
			registered++
		}
	}
	for i := range h.count {
		whom := h.uri((i + 1) % h.count)
		status, err := h.ask("SUBSCRIBE", i, whom, whom, "Event: dialog\r\nAccept: application/dialog-info+xml\r\nExpires: 3600\r\n")
		if err != nil {
			return registered, subscribed, err
		}
		if status == 200 {
			subscribed++
		}
	}
	return registered, subscribed, nil
}

func (h *holder) user(i int) string { return h.prefix + strconv.Itoa(i) }

func (h *holder) uri(i int) string { return "sip:" + h.user(i) + "@" + h.domain }

// ask sends a request of a device, with credentials if that is wanted, and returns the
// status of the answer.
func (h *holder) ask(method string, i int, target, to, fields string) (status int, err error) {
	credentials := ""
	for range 2 {
		h.cseq++
		text := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKhold%d;rport\r\nMax-Forwards: 70\r\n"+
			"From: <%s>;tag=h%d\r\nTo: <%s>\r\nCall-ID: hold-%s-%d\r\nCSeq: %d %s\r\nContact: <sip:%s@%s>\r\n%s%sContent-Length: 0\r\n\r\n",
			method, target, h.here, h.cseq, h.uri(i), i, to, method, i, h.cseq, method, h.user(i), h.here, credentials, fields)
		status, answer, err := h.exchange(text, fmt.Sprintf("branch=z9hG4bKhold%d;", h.cseq))
		if err != nil || status != 401 {
			return status, err
		}
		credentials = h.prove(answer, method, target, h.user(i))
	}
	return status, nil
}

// exchange sends a request until its final answer comes.
func (h *holder) exchange(text, branch string) (status int, answer string, err error) {
	for range attempts {
		if _, err := h.conn.Write([]byte(text)); err != nil {
			return 0, "", err
		}
		end := time.Now().Add(patience)
		for {
			got, err := h.next(end)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return 0, "", err
			}
			if line, found := strings.CutPrefix(got, "SIP/2.0 "); found && strings.Contains(got, branch) {
				if status, _ = strconv.Atoi(line[:min(3, len(line))]); status >= 200 {
					return status, got, nil
				}
			}
		}
	}
	return 0, "", errSilent
}

// answer answers the server until a time.
func (h *holder) answer(end time.Time) error {
	for {
		if _, err := h.next(end); errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// next returns the next message, and answers it if it is a request.
func (h *holder) next(end time.Time) (string, error) {
	if err := h.conn.SetReadDeadline(end); err != nil {
		return "", err
	}
	n, err := h.conn.Read(h.buf[:])
	if err != nil {
		return "", err
	}
	got := string(h.buf[:n])
	if strings.HasPrefix(got, "SIP/2.0 ") {
		return got, nil
	}
	out := "SIP/2.0 200 OK\r\n"
	for line := range strings.SplitSeq(got, "\r\n") {
		if line == "" {
			break
		}
		switch name, value, _ := strings.Cut(line, ":"); strings.ToLower(name) {
		case "call-id":
			if strings.HasPrefix(got, "NOTIFY ") {
				h.told[value] = true
			}
			fallthrough
		case "via", "from", "to", "cseq":
			out += line + "\r\n"
		}
	}
	_, err = h.conn.Write([]byte(out + "Content-Length: 0\r\n\r\n"))
	return got, err
}

var pair = regexp.MustCompile(`(\w+)="?([^",]*)"?`)

// prove answers the first challenge of an answer (RFC 7616 §3.4).
func (h *holder) prove(answer, method, uri, user string) string {
	_, challenge, _ := strings.Cut(answer, "WWW-Authenticate: Digest ")
	challenge, _, _ = strings.Cut(challenge, "\r\n")
	c := map[string]string{}
	for _, m := range pair.FindAllStringSubmatch(challenge, -1) {
		c[m[1]] = m[2]
	}
	var start func() hash.Hash = md5.New
	if c["algorithm"] == "SHA-256" {
		start = sha256.New
	}
	response := sum(start, strings.Join([]string{
		sum(start, user+":"+c["realm"]+":"+h.secret), c["nonce"], "00000001", "c", "auth", sum(start, method+":"+uri),
	}, ":"))
	out := fmt.Sprintf(`Authorization: Digest username="%s", realm="%s", nonce="%s", uri="%s", qop=auth, nc=00000001, cnonce="c", response="%s"`,
		user, c["realm"], c["nonce"], uri, response)
	if c["algorithm"] != "" {
		out += ", algorithm=" + c["algorithm"]
	}
	if c["opaque"] != "" {
		out += `, opaque="` + c["opaque"] + `"`
	}
	return out + "\r\n"
}

func sum(start func() hash.Hash, text string) string {
	h := start()
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// memory returns how many bytes a process has for itself, with its part of what it
// shares.
func memory(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if text, found := strings.CutPrefix(lines.Text(), "Pss:"); found {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(text, "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no Pss in smaps_rollup")
}
