package transport

import "time"

// answerInvite sends a response to an INVITE (RFC 3261 §17.2.1, RFC 6026 §7.1).
func (tx *serverTx) answerInvite(status int, data []byte) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	switch {
	case status < 200:
		if tx.state != proceeding {
			return
		}
		tx.stopTimer()
		tx.last = append(tx.last[:0], data...)
	case status < 300:
		// RFC 6026 §8.5: each 2xx goes to whoever called, even behind a refusal:
		// otherwise a phone is off the hook and nobody knows.
		if tx.state == proceeding {
			tx.state, tx.last = accepted, nil
			tx.stopTimer()
			tx.timer = time.AfterFunc(sixtyT1, tx.over)
		}
	case tx.state == proceeding:
		tx.state, tx.last = completed, append(tx.last[:0], data...)
		tx.stopTimer()
		tx.waitForAck()
	default:
		return
	}
	tx.send(data)
}

// waitForAck starts the timers of a refusal: it is sent again until it is
// acknowledged, or for 64*T1.
func (tx *serverTx) waitForAck() {
	if tx.flow.Kind().Reliable() {
		tx.timer = time.AfterFunc(sixtyT1, tx.over)
		return
	}
	end := time.Now().Add(sixtyT1)
	tx.interval = timerT1
	tx.timer = time.AfterFunc(tx.interval, func() { tx.refuseAgain(end) })
}

func (tx *serverTx) refuseAgain(end time.Time) {
	tx.mu.Lock()
	if tx.state != completed {
		tx.mu.Unlock()
		return
	}
	if !time.Now().Before(end) {
		tx.mu.Unlock()
		tx.over()
		return
	}
	defer tx.mu.Unlock()
	tx.send(tx.last)
	tx.interval = min(2*tx.interval, timerT2)
	tx.timer.Reset(min(tx.interval, time.Until(end)))
}

// over forgets the transaction.
func (tx *serverTx) over() { tx.t.server.end(tx) }

func (tx *serverTx) stopTimer() {
	if tx.timer != nil {
		tx.timer.Stop()
		tx.timer = nil
	}
}

// trying says 100 soon, if nobody says more.
func (tx *serverTx) trying() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.state == proceeding && tx.last == nil {
		tx.timer = time.AfterFunc(tryingFor, func() {
			tx.mu.Lock()
			waiting := tx.state == proceeding && tx.last == nil
			tx.mu.Unlock()
			if waiting {
				tx.respond(tx.invite, &Reply{Status: 100})
			}
		})
	}
}

// acknowledged reports whether an ACK was for a refusal of ours, and so ends here.
func (tx *serverTx) acknowledged() bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	switch tx.state {
	case completed:
		tx.state, tx.last = confirmed, nil
		tx.stopTimer()
		if tx.flow.Kind().Reliable() {
			tx.over()
		} else {
			tx.timer = time.AfterFunc(timerT4, tx.over)
		}
	case accepted:
		return false
	}
	return true
}

// cancel is called for a CANCEL of the INVITE (RFC 3261 §9.2).
func (tx *serverTx) cancel() {
	tx.mu.Lock()
	if tx.state != proceeding || tx.cancelled {
		tx.mu.Unlock()
		return
	}
	tx.cancelled = true
	f := tx.onCancel
	tx.mu.Unlock()
	if f != nil {
		f()
		return
	}
	tx.respond(tx.invite, &Reply{Status: 487})
}

func (tx *serverTx) whenCancelled(f func()) {
	tx.mu.Lock()
	now := tx.cancelled
	if !now {
		tx.onCancel = f
	}
	tx.mu.Unlock()
	if now {
		f()
	}
}
