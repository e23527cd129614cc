package transport

import (
	"encoding/binary"
	"time"
)

// The parts of STUN that keep a flow alive (RFC 5389 §6, RFC 5626 §3.5.2).
const (
	stunHeader  = 20
	stunCookie  = 0x2112A442
	stunBinding = 0x0001
	stunSuccess = 0x0101
	stunMapped  = 0x0020 // XOR-MAPPED-ADDRESS
)

// stun answers a binding request with the address that it came from.
func (u *udpLink) stun(data []byte, from Flow) {
	if !u.t.gate.pass(u.t.limits.Load(), from.remote, inDialog, time.Now()) {
		return
	}
	if answer := stunAnswer(data, from); answer != nil {
		u.send(answer, from.remote)
	}
}

// stunAnswer is nil for what is no binding request.
func stunAnswer(data []byte, from Flow) []byte {
	if len(data) < stunHeader || binary.BigEndian.Uint16(data) != stunBinding ||
		binary.BigEndian.Uint32(data[4:]) != stunCookie || int(binary.BigEndian.Uint16(data[2:])) != len(data)-stunHeader {
		return nil
	}
	addr := from.remote.Addr().AsSlice()
	family := byte(1)
	if len(addr) == 16 {
		family = 2
	}
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 44), stunSuccess)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(addr)))
	b = append(b, data[4:stunHeader]...) // the cookie and the transaction
	b = binary.BigEndian.AppendUint16(b, stunMapped)
	b = binary.BigEndian.AppendUint16(b, uint16(4+len(addr)))
	b = append(b, 0, family)
	b = binary.BigEndian.AppendUint16(b, from.remote.Port()^uint16(stunCookie>>16))
	for i, c := range addr { // RFC 5389 §15.2: by the cookie, and then the transaction
		b = append(b, c^data[4+i])
	}
	return b
}
