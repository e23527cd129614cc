// Package manual is what people, and those who operate, say of presence by hand:
// states that chat clients lack, each with an end, and how much of their telephones
// people let others see.
//
// What is set by hand of a subject is one state: the last one counts, whoever set it.
// Only what none but operators may set stands beside what the person sets, and they
// cannot take it away. Taking a state away says nothing in its place, and above all
// not that somebody is available. When a state comes to its end the person is told,
// once.
package manual
