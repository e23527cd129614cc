package main

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"rollcall/presence/device"
)

// The files that are kept are what is drawn: each class has its own. A shade may
// differ where a processor rounds in another way.
func TestFilesAreWhatIsDrawn(t *testing.T) {
	if len(pictograms) != len(device.Classes()) {
		t.Errorf("%d pictograms for %d classes", len(pictograms), len(device.Classes()))
	}
	for name, p := range pictograms {
		drawn, err := draw(p)
		if err != nil {
			t.Fatal(err)
		}
		if !alike(t, drawn, device.Class(name).Icon()) {
			t.Errorf("%s is drawn differently now; type: go generate ./presence/device", name)
		}
	}
}

// alike compares the indices of the pixels.
func alike(t *testing.T, a, b []byte) bool {
	t.Helper()
	var imgs [2]*image.Paletted
	for i, file := range [][]byte{a, b} {
		img, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		imgs[i] = img.(*image.Paletted)
	}
	for i, at := range imgs[0].Pix {
		if d := int(at) - int(imgs[1].Pix[i]); d < -1 || d > 1 {
			return false
		}
	}
	return true
}

func TestShapes(t *testing.T) {
	for _, row := range []struct {
		what    string
		s       shape
		x, y, d float64
	}{
		{"beside a box", box(0, 0, 2, 1, 0), 5, 0, 3},
		{"in a box", box(0, 0, 2, 1, 0), 0, 0, -1},
		{"off a corner", box(0, 0, 3, 4, 0), 6, 8, 5},
		{"off a round corner", box(0, 0, 1, 1, 1), 3, 4, 4},
		{"beside a disc", disc(1, 1, 1), 1, 4, 2},
		{"in a ring", ring(1, 0, 0, 5), 0, 0, 4},
		{"along a line", line(1, 0, 0, 10, 0), 5, 3, 2},
		{"behind a line", line(1, 0, 0, 10, 0), 13, 4, 4},
		{"around a corner", line(0.5, 0, 0, 10, 0, 10, 10), 12, 10, 1.5},
		{"two", all(disc(0, 0, 1), disc(10, 0, 1)), 8, 0, 1},
		{"a hole", without(disc(0, 0, 5), disc(0, 0, 2)), 0, 0, 2},
	} {
		if got := row.s(row.x, row.y); got < row.d-1e-9 || got > row.d+1e-9 {
			t.Errorf("%s: %v, want %v", row.what, got, row.d)
		}
	}
	for distance, want := range map[float64]int{-9: shades, 0: shades / 2, 9: 0, 0.25: shades / 4} {
		if got := shade(distance); got != want {
			t.Errorf("at %v: %d, want %d", distance, got, want)
		}
	}
}
