package sasl

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxPassword bounds a password in bytes.
const maxPassword = 1023

// preparePassword prepares a password as SASLprep (RFC 4013) does, because RFC
// 5802 asks for it and the client computes its proof from its own idea of the
// password. Clients differ: Pidgin and slixmpp do the whole of SASLprep,
// Conversations and Smack only NFKC, Dino, profanity and mellium nothing.
// ASCII is the same to all of them, and so is what NFKC leaves alone. PRECIS
// (OpaqueString, which is NFC) would agree with none of the former.
//
// The mappings decide the keys, so they are all here: spaces, characters that
// map to nothing, NFKC. Of the checks only the prohibited characters are here.
// Unassigned code points and the rule for right-to-left text are not looked at:
// refusing them would shut out emoji and people whose client does not mind.
func preparePassword(s string) (string, bool) {
	if s == "" || len(s) > maxPassword || !utf8.ValidString(s) {
		return "", false
	}
	if !isASCII(s) {
		s = norm.NFKC.String(strings.Map(mapPassword, s))
	}
	if s == "" {
		return "", false
	}
	for _, r := range s {
		// RFC 3454 C.4: the last two code points of each plane.
		if unicode.Is(prohibited, r) || r&0xFFFE == 0xFFFE {
			return "", false
		}
	}
	return s, true
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// mapPassword is RFC 4013 §2.1. A zero width space is in both tables and becomes
// a space, as in the implementations that clients use.
func mapPassword(r rune) rune {
	switch {
	case unicode.Is(otherSpace, r):
		return ' '
	case unicode.Is(nothing, r):
		return -1
	}
	return r
}

// otherSpace is RFC 3454 C.1.2.
var otherSpace = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x00A0, Hi: 0x00A0, Stride: 1},
	{Lo: 0x1680, Hi: 0x1680, Stride: 1},
	{Lo: 0x2000, Hi: 0x200B, Stride: 1},
	{Lo: 0x202F, Hi: 0x202F, Stride: 1},
	{Lo: 0x205F, Hi: 0x205F, Stride: 1},
	{Lo: 0x3000, Hi: 0x3000, Stride: 1},
}}

// nothing is RFC 3454 B.1.
var nothing = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x00AD, Hi: 0x00AD, Stride: 1},
	{Lo: 0x034F, Hi: 0x034F, Stride: 1},
	{Lo: 0x1806, Hi: 0x1806, Stride: 1},
	{Lo: 0x180B, Hi: 0x180D, Stride: 1},
	{Lo: 0x200B, Hi: 0x200D, Stride: 1},
	{Lo: 0x2060, Hi: 0x2060, Stride: 1},
	{Lo: 0xFE00, Hi: 0xFE0F, Stride: 1},
	{Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1},
}}

// prohibited is RFC 4013 §2.3: RFC 3454 C.2.1, C.2.2, C.3, C.4, C.6 to C.9. The
// surrogates of C.5 are no UTF-8.
var prohibited = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x0000, Hi: 0x001F, Stride: 1},
		{Lo: 0x007F, Hi: 0x009F, Stride: 1},
		{Lo: 0x0340, Hi: 0x0341, Stride: 1},
		{Lo: 0x06DD, Hi: 0x06DD, Stride: 1},
		{Lo: 0x070F, Hi: 0x070F, Stride: 1},
		{Lo: 0x180E, Hi: 0x180E, Stride: 1},
		{Lo: 0x200C, Hi: 0x200F, Stride: 1},
		{Lo: 0x2028, Hi: 0x202E, Stride: 1},
		{Lo: 0x2060, Hi: 0x2063, Stride: 1},
		{Lo: 0x206A, Hi: 0x206F, Stride: 1},
		{Lo: 0x2FF0, Hi: 0x2FFB, Stride: 1},
		{Lo: 0xE000, Hi: 0xF8FF, Stride: 1},
		{Lo: 0xFDD0, Hi: 0xFDEF, Stride: 1},
		{Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1},
		{Lo: 0xFFF9, Hi: 0xFFFF, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x1D173, Hi: 0x1D17A, Stride: 1},
		{Lo: 0xE0001, Hi: 0xE0001, Stride: 1},
		{Lo: 0xE0020, Hi: 0xE007F, Stride: 1},
		{Lo: 0xF0000, Hi: 0x10FFFF, Stride: 1},
	},
	LatinOffset: 2,
}
