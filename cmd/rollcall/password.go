package main

import (
	"bufio"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// secret is where a new password comes from: never from the command line, where
// everybody on the machine could read it.
type secret struct {
	stdin    bool
	generate bool
}

func (s *secret) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.stdin, "password-stdin", false, "read the password from standard input, one line")
	cmd.Flags().BoolVar(&s.generate, "generate", false, "make a password and print it")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "generate")
}

// maxPassword is more than any client sends and less than hurts.
const maxPassword = 1023

// read gets the password for an account.
func (s *secret) read(cmd *cobra.Command, who string) (string, error) {
	var password string
	var err error
	switch {
	case s.generate:
		return generatePassword(), nil
	case s.stdin:
		password, err = readLine(cmd.InOrStdin())
	default:
		password, err = prompt(cmd, who)
	}
	switch {
	case err != nil:
		return "", err
	case password == "":
		return "", errors.New("the password is empty; type one, or use --generate")
	case len(password) > maxPassword:
		return "", fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	return password, nil
}

// generatePassword makes a password of 80 random bits that can be read out on
// the telephone: no letter looks like a digit.
func generatePassword() string {
	raw := make([]byte, 10)
	rand.Read(raw) // never fails
	s := strings.ToLower(base32.StdEncoding.EncodeToString(raw))
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

// readLine reads one line that is not much longer than a password may be.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxPassword+3)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// prompt asks at the terminal, twice and without echo.
func prompt(cmd *cobra.Command, who string) (string, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return "", fmt.Errorf("there is no terminal to ask at; type: %s %s --password-stdin < FILE, or use --generate", cmd.CommandPath(), who)
	}
	first, err := ask(cmd, fd, "Password for "+who+": ")
	if err != nil {
		return "", err
	}
	again, err := ask(cmd, fd, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", errors.New("the two are not the same; nothing was changed")
	}
	return first, nil
}

func ask(cmd *cobra.Command, fd int, question string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), question)
	answer, err := term.ReadPassword(fd)
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(answer), nil
}
