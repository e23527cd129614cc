// Hold registers devices with a SIP server and has each subscribe to the calls of the
// next one, and prints how much memory the server needs more for that than before. It
// is a part of the comparison with other servers that the load tool does not have.
//
//	hold -addr 127.0.0.1:5060 -domain phones.localhost -pass SECRET -pid PID [-devices 10000]
//
// What it prints is one JSON object, as the load tool does. The exit status is 1 if not
// everybody could register and subscribe.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("hold: ")
	var h holder
	addr := flag.String("addr", "127.0.0.1:5060", "the server's SIP address, over UDP")
	flag.StringVar(&h.domain, "domain", "localhost", "SIP domain")
	flag.StringVar(&h.prefix, "prefix", "dev", "devices are called PREFIX0, PREFIX1, and so on")
	flag.StringVar(&h.secret, "pass", "pass", "secret of all devices")
	flag.IntVar(&h.count, "devices", 10000, "how many devices")
	pid := flag.Int("pid", 0, "the server's process")
	rest := flag.Duration("rest", 20*time.Second, "how long the server has to come to rest, before and after")
	label := flag.String("label", "", "copied to the result")
	flag.Parse()
	out, err := measure(&h, *addr, *pid, *rest)
	if err != nil {
		log.Fatal(err)
	}
	out["label"], out["scenario"] = *label, "hold"
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		log.Fatal(err)
	}
	if ok, _ := out["ok"].(bool); !ok {
		os.Exit(1)
	}
}

// measure has all devices be there, and looks at the server's memory before and after.
func measure(h *holder, addr string, pid int, rest time.Duration) (map[string]any, error) {
	conn, err := net.Dial("udp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	h.conn, h.here = conn, conn.LocalAddr().String()
	time.Sleep(rest)
	before, err := memory(pid)
	if err != nil {
		return nil, err
	}
	registered, subscribed, err := h.all()
	if err != nil {
		return nil, err
	}
	if err := h.answer(time.Now().Add(rest)); err != nil {
		return nil, err
	}
	after, err := memory(pid)
	if err != nil {
		return nil, err
	}
	const mib = 1 << 20
	return map[string]any{
		"devices": h.count, "registered": registered, "subscribed": subscribed, "notified": len(h.told),
		"pss_start_mib": float64(before) / mib, "pss_end_mib": float64(after) / mib, "pss_more_mib": float64(after-before) / mib,
		"ok": registered == h.count && subscribed == h.count && len(h.told) == h.count,
	}, nil
}
