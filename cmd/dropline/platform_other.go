//go:build !linux

package main

import "runtime"

// The server is Linux's: it confines the processes that read clients' databases, and ties those of the private PostgreSQL and S3
// server to its own life, with what only that kernel has. What works with a server works everywhere.

// needsLinux ends a command of the server's.
func needsLinux(command, hint string) error {
	return failed(hint, "dropline %s needs Linux, and this is %s", command, system())
}

func system() string {
	switch runtime.GOOS {
	case "windows":
		return "Windows"
	case "darwin":
		return "macOS"
	}
	return runtime.GOOS
}

const (
	hintServer = "run it on a Linux machine, in a container or in WSL; here, the commands that work with a server find it by --url or DROPLINE_URL"
	hintKey    = "make the key on the Linux machine on which the server runs: the file never needs to be anywhere else"
)

// Run says where the command works.
func (*serveCmd) Run() error { return needsLinux("serve", hintServer) }

// Run says where the command works.
func (*demoCmd) Run() error { return needsLinux("demo", hintServer) }

// Run says where the command works.
func (*configNewKeyCmd) Run() error { return needsLinux("config new-key", hintKey) }

// Run says where the command works.
func (*configRotateKeyCmd) Run() error { return needsLinux("config rotate-key", hintKey) }

func runChild() bool { return false }

// explainStack knows no error: there is no private PostgreSQL here.
func explainStack(error, *failure) bool { return false }

// checkKMS leaves the server's setting to the server.
func checkKMS(string) error { return nil }

// showSecrets shows none: only a server keeps connection strings.
func showSecrets(*settings, string) shownSecrets { return shownSecrets{} }

// alive is false of every process: none can be a server.
func alive(int) bool { return false }
