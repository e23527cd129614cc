//go:build !linux

package main

// synchronised cannot be told on this system.
func synchronised() string { return "" }
