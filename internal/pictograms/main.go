// Command pictograms draws the pictures of the classes of devices: white on a
// colour of the class's own, 64 by 64 pixels.
//
//	go run rollcall/internal/pictograms DIRECTORY
//
// A shape is a function that says how far a point is from its edge, so that edges
// can be drawn smoothly without anything else. What is drawn is the same
// everywhere, byte for byte, as long as compress/flate is; package device keeps
// the files, so that their hashes stay what they are.
package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "pictograms wants the directory to write to")
		os.Exit(2)
	}
	for name, p := range pictograms {
		file, err := draw(p)
		if err == nil {
			err = os.WriteFile(filepath.Join(os.Args[1], name+".png"), file, 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "pictograms:", err)
			os.Exit(1)
		}
	}
}

const (
	size   = 64
	shades = 16 // from one colour to the other
)

// pictogram is a shape on a rounded square.
type pictogram struct {
	ground color.NRGBA
	shape  shape
}

// draw returns a pictogram as a PNG with a palette: shades of white on the
// ground, and shades of the ground on nothing.
func draw(p pictogram) ([]byte, error) {
	img := image.NewPaletted(image.Rect(0, 0, size, size), palette(p.ground))
	ground := box(32, 32, 32, 32, 12)
	for y := range size {
		for x := range size {
			px, py := float64(x)+0.5, float64(y)+0.5
			at := shades + shade(p.shape(px, py))
			if edge := shade(ground(px, py)); edge < shades {
				at = edge
			}
			img.SetColorIndex(x, y, uint8(at))
		}
	}
	var out bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, img)
	return out.Bytes(), err
}

// palette has the ground from nothing to whole, and from whole to white.
func palette(ground color.NRGBA) (all color.Palette) {
	for i := range shades {
		c := ground
		c.A = uint8(i * 255 / shades)
		all = append(all, c)
	}
	mix := func(from uint8, i int) uint8 { return uint8(int(from) + (255-int(from))*i/shades) }
	for i := range shades + 1 {
		all = append(all, color.NRGBA{mix(ground.R, i), mix(ground.G, i), mix(ground.B, i), 255})
	}
	return all
}

// shade says how much of a pixel is inside, by how far its middle is from the edge.
func shade(distance float64) int {
	return int(math.Round(min(max(0.5-distance, 0), 1) * shades))
}

// shape says how far a point is from its edge; inside that is less than nothing.
type shape func(x, y float64) float64

// box is a rectangle around a point, so wide and so high to each side, with round
// corners.
func box(cx, cy, w, h, r float64) shape {
	return func(x, y float64) float64 {
		dx, dy := math.Abs(x-cx)-w+r, math.Abs(y-cy)-h+r
		return math.Hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - r
	}
}

// disc is a circle, filled.
func disc(cx, cy, r float64) shape {
	return func(x, y float64) float64 { return math.Hypot(x-cx, y-cy) - r }
}

// line goes from point to point, so thick to each side, with round ends.
func line(thick float64, points ...float64) shape {
	return func(x, y float64) float64 {
		d := math.Inf(1)
		for i := 0; i+3 < len(points); i += 2 {
			ax, ay, bx, by := points[i], points[i+1], points[i+2], points[i+3]
			t := ((x-ax)*(bx-ax) + (y-ay)*(by-ay)) / ((bx-ax)*(bx-ax) + (by-ay)*(by-ay))
			t = min(max(t, 0), 1)
			d = min(d, math.Hypot(x-ax-t*(bx-ax), y-ay-t*(by-ay)))
		}
		return d - thick
	}
}

// arc is a part of a circle, between two angles in degrees, clockwise from the
// right.
func arc(thick, cx, cy, r, from, to float64) shape {
	const steps = 24
	var points []float64
	for i := range steps + 1 {
		a := (from + (to-from)*float64(i)/steps) * math.Pi / 180
		points = append(points, cx+r*math.Cos(a), cy+r*math.Sin(a))
	}
	return line(thick, points...)
}

// all is what any of the shapes is.
func all(shapes ...shape) shape {
	return func(x, y float64) float64 {
		d := math.Inf(1)
		for _, s := range shapes {
			d = min(d, s(x, y))
		}
		return d
	}
}

// without is a shape with holes in it.
func without(s shape, holes ...shape) shape {
	hole := all(holes...)
	return func(x, y float64) float64 { return max(s(x, y), -hole(x, y)) }
}

// pictograms are the pictures, by the name of the class.
var pictograms = map[string]pictogram{
	// A handset.
	"phone": {color.NRGBA{0x1f, 0x6f, 0xb2, 255}, all(
		arc(5, 45, 19, 31, 98, 172),
		line(7.5, 15.5, 17.5, 18, 25),
		line(7.5, 38, 46, 46, 49),
	)},
	// A panel by the door: a lens, a grille, a button.
	"intercom": {color.NRGBA{0x5b, 0x4b, 0x9a, 255}, without(
		box(32, 32, 15, 23, 5),
		disc(32, 19, 4.5),
		line(1.3, 25, 29, 39, 29), line(1.3, 25, 34, 39, 34), line(1.3, 25, 39, 39, 39),
		disc(32, 47.5, 4),
	)},
	// A post that says SOS.
	"helppoint": {color.NRGBA{0xc6, 0x28, 0x28, 255}, all(
		without(
			box(32, 24, 24, 12.5, 4),
			arc(1.6, 16, 21.2, 2.8, 180, 290), arc(1.6, 16, 26.8, 2.8, 0, 110), line(1.6, 13.8, 22.9, 18.2, 25.1),
			ring(1.6, 32, 24, 5.2),
			arc(1.6, 48, 21.2, 2.8, 180, 290), arc(1.6, 48, 26.8, 2.8, 0, 110), line(1.6, 45.8, 22.9, 50.2, 25.1),
		),
		box(32, 44, 4, 9, 0),
		box(32, 54, 11, 2.5, 2),
	)},
	// A microphone.
	"paging": {color.NRGBA{0x2e, 0x7d, 0x32, 255}, all(
		box(32, 22, 8, 13, 8),
		arc(2.2, 32, 24, 15, 0, 180),
		line(2.2, 32, 40, 32, 50),
		line(2.5, 23, 52, 41, 52),
	)},
	// A desk with a screen and keys.
	"console": {color.NRGBA{0x37, 0x47, 0x4f, 255}, all(
		without(box(32, 22, 21, 12, 3), box(32, 22, 17.5, 8.5, 1)),
		without(box(32, 46, 23, 8, 3), box(18, 43.5, 3, 1.8, 0.5), box(27.5, 43.5, 3, 1.8, 0.5), box(37, 43.5, 3, 1.8, 0.5), box(46.5, 43.5, 3, 1.8, 0.5),
			box(18, 49, 3, 1.8, 0.5), box(32, 49, 7.7, 1.8, 0.5), box(46.5, 49, 3, 1.8, 0.5)),
	)},
	// Two ways.
	"gateway": {color.NRGBA{0xb2, 0x6a, 0x00, 255}, all(
		line(2.8, 12, 22, 50, 22), line(2.8, 42, 14, 50, 22, 42, 30),
		line(2.8, 14, 42, 52, 42), line(2.8, 22, 34, 14, 42, 22, 50),
	)},
}

// ring is a circle.
func ring(thick, cx, cy, r float64) shape {
	return func(x, y float64) float64 { return math.Abs(math.Hypot(x-cx, y-cy)-r) - thick }
}
