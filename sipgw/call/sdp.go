package call

import (
	"bytes"
)

// The limits of what is read of a session description.
const (
	maxSDP      = 16 << 10
	maxSDPLines = 512
)

// plays says whether whoever sent a session description plays what it receives. Not
// to do so is how a call is held: the media are sendonly or inactive (RFC 3264
// §8.4), or are to be sent to nowhere (RFC 2543 §B.5). known is false if that cannot
// be read from it.
//
// Sound counts if there is any, and else all media. Those that are off (port 0) do
// not.
func plays(sdp []byte) (playing, known bool) {
	if len(sdp) > maxSDP {
		return false, false
	}
	var r sdpReader
	for n := 0; len(sdp) > 0; n++ {
		if n == maxSDPLines {
			return false, false
		}
		var line []byte
		line, sdp, _ = bytes.Cut(sdp, []byte("\n"))
		r.line(bytes.TrimRight(line, "\r"))
	}
	r.endMedia()
	switch {
	case r.sound.some:
		return r.sound.playing, true
	case r.other.some:
		return r.other.playing, true
	}
	return false, false
}

// sdpReader goes through the lines of a session description.
type sdpReader struct {
	session, media section
	inMedia        bool
	off, isSound   bool // the medium that is read

	sound, other heard
}

// section is what was said for the session, or for one medium.
type section struct {
	mute    bool // direction: it does not receive
	said    bool // there was a direction
	nowhere bool
	address bool // there was one
}

type heard struct{ some, playing bool }

func (r *sdpReader) line(l []byte) {
	if len(l) < 2 || l[1] != '=' {
		return
	}
	at := &r.session
	if r.inMedia {
		at = &r.media
	}
	switch value := l[2:]; l[0] {
	case 'm':
		r.endMedia()
		r.beginMedia(value)
	case 'c':
		// A medium may have several addresses: one that is somewhere is enough.
		nowhere := isNowhere(value)
		at.nowhere = nowhere && (at.nowhere || !at.address)
		at.address = true
	case 'a':
		switch string(bytes.TrimSpace(value)) {
		case "sendrecv", "recvonly":
			at.mute, at.said = false, true
		case "sendonly", "inactive":
			at.mute, at.said = true, true
		}
	}
}

// beginMedia reads an m line (RFC 8866 §5.14): audio 49170 RTP/AVP 0.
func (r *sdpReader) beginMedia(value []byte) {
	kind, rest, _ := bytes.Cut(value, []byte(" "))
	port, _, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" "))
	port, _, _ = bytes.Cut(port, []byte("/"))
	r.inMedia, r.media = true, section{}
	r.isSound = string(kind) == "audio"
	r.off = len(bytes.Trim(port, "0")) == 0
}

func (r *sdpReader) endMedia() {
	if !r.inMedia || r.off {
		return
	}
	mute, nowhere := r.session.mute, r.session.nowhere
	if r.media.said {
		mute = r.media.mute
	}
	if r.media.address {
		nowhere = r.media.nowhere
	}
	to := &r.other
	if r.isSound {
		to = &r.sound
	}
	to.some = true
	to.playing = to.playing || !mute && !nowhere
}

// isNowhere says whether a connection is the address that means hold: "IN IP4
// 0.0.0.0". The one of IPv6 is used alike.
func isNowhere(value []byte) bool {
	f := bytes.Fields(value)
	if len(f) < 3 {
		return false
	}
	address, _, _ := bytes.Cut(f[2], []byte("/"))
	return string(address) == "0.0.0.0" || string(address) == "::"
}
