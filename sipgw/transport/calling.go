package transport

import (
	"bytes"
	"time"
)

// receiveInvite takes a response to an INVITE (RFC 3261 §17.1.1, RFC 6026 §7.2).
func (tx *clientTx) receiveInvite(res *Response) {
	tx.mu.Lock()
	tell := false
	switch {
	case tx.state == forgotten:
	case res.Provisional():
		if tx.state == calling || tx.state == heard {
			tell = res.status != 100
			tx.provisional(res)
		}
	case res.OK():
		if tell = tx.state != refused; tell && tx.state != answered {
			tx.settle(answered, sixtyT1)
		}
	case tx.state == calling, tx.state == heard:
		tell = true
		tx.ack = derive(tx.wire, "ACK", res.Header("To"))
		wait := timerD
		if tx.flow.Kind().Reliable() {
			wait = 0
		}
		tx.flow.link.send(tx.ack, tx.flow.remote)
		tx.settle(refused, wait)
	case tx.state == refused:
		tx.flow.link.send(tx.ack, tx.flow.remote)
	}
	tx.mu.Unlock()
	if tell {
		tx.got(res, nil)
	}
}

// provisional is the first or another 1xx; mu is held.
func (tx *clientTx) provisional(res *Response) {
	first := tx.state == calling
	tx.state = heard
	if tx.cancels {
		if first {
			tx.sendCancel()
		}
		return
	}
	if first || res.status != 100 { // RFC 3261 §16.7, step 2
		tx.deadline = time.Now().Add(timerC)
		tx.timer.Reset(timerC)
	}
}

// settle is what happens at the final response; mu is held.
func (tx *clientTx) settle(state clientState, wait time.Duration) {
	tx.state, tx.wire = state, nil
	if wait == 0 {
		tx.timer.Stop()
		tx.state = forgotten
		tx.t.client.remove(tx)
		return
	}
	tx.timer.Reset(wait)
}

// cancel gives up an INVITE (RFC 3261 §9.1): at once if somebody has been heard,
// or as soon as they are.
func (tx *clientTx) cancel() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.isInvite() && !tx.cancels && (tx.state == calling || tx.state == heard) {
		tx.cancelLocked()
	}
}

func (tx *clientTx) cancelLocked() {
	tx.cancels = true
	if tx.state == heard {
		tx.sendCancel()
	}
}

// sendCancel sends the CANCEL in a transaction of its own. If the INVITE is not
// answered finally within 64*T1 from now it is given up; mu is held.
func (tx *clientTx) sendCancel() {
	tx.deadline = time.Now().Add(sixtyT1)
	tx.timer.Reset(sixtyT1)
	c := &clientTx{
		t: tx.t, key: clientKey{tx.key.branch, "CANCEL"}, flow: tx.flow,
		got: func(*Response, error) {}, wire: derive(tx.wire, "CANCEL", ""),
	}
	c.launch() // if that fails the deadline comes all the same
}

// derive makes the ACK of a refusal (RFC 3261 §17.1.1.3) or the CANCEL (§9.1) of
// the INVITE that was sent: the same in all that names the transaction. to is the
// To of the response, for ACK.
func derive(wire []byte, method, to string) []byte {
	head, _, _ := bytes.Cut(wire, []byte("\r\n\r\n"))
	line, rest, _ := bytes.Cut(head, crlf)
	_, line, _ = bytes.Cut(line, []byte(" "))
	b := append(append(append(make([]byte, 0, len(head)), method...), ' '), line...)
	b = append(b, crlf...)
	vias := 0
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, crlf)
		name, _, _ := bytes.Cut(line, []byte(":"))
		switch n := string(bytes.TrimSpace(name)); {
		case sameName(n, "Via"):
			if vias++; vias > 1 {
				continue
			}
		case sameName(n, "To") && to != "":
			b = appendField(b, "To", to)
			continue
		case sameName(n, "CSeq"):
			i := bytes.LastIndexByte(line, ' ')
			line = append(append([]byte(nil), line[:i+1]...), method...)
		case sameName(n, "Route"), sameName(n, "From"), sameName(n, "To"), sameName(n, "Call-ID"), sameName(n, "Max-Forwards"):
		default:
			continue
		}
		b = append(append(b, line...), crlf...)
	}
	return appendBody(b, "", nil)
}
