package sipstorm

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/internal/transcript"
	"rollcall/sipgw/siptest"
)

const (
	ports = 4 // of one source
	kinds = 2 // of requests, as far as limits tell them apart
)

// A flooder is one source that goes wrong, by several ports.
type flooder struct {
	t       testing.TB
	gateway netip.AddrPort
	user    string // whose secret it guesses
	conns   []*net.UDPConn
	reading sync.WaitGroup
	nonce   atomic.Pointer[string] // of the last challenge

	sent, challenged, slowed, refused atomic.Int64
	let                               atomic.Int64 // it got what it wanted
	odd                               atomic.Int64 // what is no answer
}

func newFlooder(t testing.TB, last byte, gateway netip.AddrPort, user string) *flooder {
	t.Helper()
	f := &flooder{t: t, gateway: gateway, user: user}
	for range ports {
		c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, last)}, net.UDPAddrFromAddrPort(gateway))
		if err != nil {
			t.Fatal(err)
		}
		f.conns = append(f.conns, c)
		f.reading.Go(func() { f.read(c) })
	}
	return f
}

func (f *flooder) close() {
	for _, c := range f.conns {
		c.Close()
	}
	f.reading.Wait()
}

// pour sends so many requests a second, or as many as the machine lets it.
func (f *flooder) pour(rate int, stop <-chan struct{}) {
	const tick = 10 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	per := max(1, int(int64(rate)*int64(tick)/int64(time.Second)))
	for n := 0; ; {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		for range per {
			c := f.conns[n%ports]
			if _, err := c.Write(f.next(c.LocalAddr().String(), n)); err == nil {
				f.sent.Add(1)
			}
			n++
		}
	}
}

// next is what it sends: mostly what baresip does that is refused its waiting messages,
// and asks again at once; guesses; and what is no SIP, or hardly.
func (f *flooder) next(at string, n int) []byte {
	switch n / ports % 10 {
	case 7:
		return []byte(f.request("REGISTER", at, n, f.guess(n)))
	case 8:
		return []byte("REGISTER sip:" + transcript.Domain + " SIP/2.0\r\nVia: SIP/2.0/UDP " + at + "\r\nCSeq")
	case 9:
		return []byte("\x01\x02 " + strings.Repeat("\xff\x00", 200))
	}
	return []byte(f.request("SUBSCRIBE", at, n, "Event: message-summary\r\nAccept: application/simple-message-summary\r\nExpires: 3600\r\n"))
}

func (f *flooder) request(method, at string, n int, more string) string {
	uri := "sip:" + f.user + "@" + transcript.Domain
	id := at + "-" + strconv.Itoa(n)
	return fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\nFrom: <%s>;tag=%d\r\nTo: <%s>\r\n"+
		"Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:%s@%s>\r\nSupported: \r\nUser-Agent: flood\r\n%sContent-Length: 0\r\n\r\n",
		method, uri, at, strings.ReplaceAll(id, ":", "-"), uri, n, uri, id, n+1, method, f.user, at, more)
}

// guess is what somebody would send who knew the secret, and does not.
func (f *flooder) guess(n int) string {
	nonce := f.nonce.Load()
	if nonce == nil {
		return "Expires: 3600\r\n"
	}
	return fmt.Sprintf("Expires: 3600\r\nAuthorization: Digest username=\"%s\", realm=\"phones.%s\", nonce=\"%s\", uri=\"sip:%s@%s\","+
		" algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\", response=\"%032x\"\r\n", f.user, transcript.Domain, *nonce, f.user, transcript.Domain, n)
}

// read counts the answers.
func (f *flooder) read(c *net.UDPConn) {
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		m, err := siptest.Read(string(buf[:n]))
		switch {
		case err != nil || m.Status == 0:
			f.odd.Add(1)
		case m.Status == 401:
			f.challenged.Add(1)
			_, rest, _ := strings.Cut(m.Header("WWW-Authenticate"), `nonce="`)
			nonce, _, _ := strings.Cut(rest, `"`)
			f.nonce.Store(&nonce)
		case m.Status == 503:
			if after, err := strconv.Atoi(m.Header("Retry-After")); err != nil || after <= 0 {
				f.odd.Add(1)
			}
			f.slowed.Add(1)
		case m.Status < 300:
			f.let.Add(1)
		default:
			f.refused.Add(1)
		}
	}
}
