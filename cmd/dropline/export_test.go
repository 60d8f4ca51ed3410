package main

import (
	"bytes"
	"io"
	"net/netip"
)

func settingsOf(environment map[string]string) (*settings, error) {
	a := &app{
		lookup:  func(name string) (string, bool) { value, ok := environment[name]; return value, ok },
		environ: func() []string { return nil },
	}
	return a.loadSettings(nil)
}

// AllowedNetworks are those to which connection strings may point in this environment.
func AllowedNetworks(environment map[string]string) ([]netip.Prefix, error) {
	set, err := settingsOf(environment)
	if err != nil {
		return nil, err
	}
	return set.networks(keyMSSQLAllow), nil
}

// ConnectionFile reads a connection string as commands do, and returns what they warn of.
func ConnectionFile(path string, stdin io.Reader) (text, warned string, err error) {
	var stderr bytes.Buffer
	a := &app{stdin: stdin, stderr: &stderr}
	text, err = a.connectionFile(path)
	return text, stderr.String(), err
}

// ExitStatus is the exit status of a command that ended in err.
func ExitStatus(err error) int { return asFailure(err).status }

// NamedFiles is namedFiles.
func NamedFiles(arguments []string) ([]string, error) { return namedFiles(arguments) }

// Places are where a user with that environment has data, state and configuration.
func Places(environment map[string]string) (data, state, config string, err error) {
	set, err := settingsOf(environment)
	if err != nil {
		return "", "", "", err
	}
	a := &app{lookup: func(name string) (string, bool) { value, ok := environment[name]; return value, ok }, settings: set}
	return a.defaultDataDir(), a.stateDir(), a.usualConfigFile(), nil
}
