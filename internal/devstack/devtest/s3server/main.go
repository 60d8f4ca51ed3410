//go:build linux

// Command s3server is the S3 server's child process for tests: test binaries start it in place of themselves, which
// have no main of their own to call RunChild from.
package main

import (
	"fmt"
	"os"

	"dropline/internal/devstack"
)

func main() {
	if !devstack.RunChild() {
		fmt.Fprintln(os.Stderr, "s3server: it is started by the tests only")
		os.Exit(2)
	}
}
