package server

import (
	"fmt"
	"os"
	"strings"
)

// Secret returns the first line of a file that holds a secret. It is an error if
// others can read it.
func Secret(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others can read %s (mode %04o): chmod go= %s", file, info.Mode().Perm(), file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	secret, _, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n")
	if secret = strings.TrimSuffix(secret, "\r"); secret == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return secret, nil
}
