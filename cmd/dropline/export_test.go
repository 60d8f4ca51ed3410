package main

import (
	"context"
	"net/netip"

	"dropline/internal/seal"
)

func settingsOf(environment map[string]string) (*settings, error) {
	a := &app{
		lookup:  func(name string) (string, bool) { value, ok := environment[name]; return value, ok },
		environ: func() []string { return nil },
	}
	return a.loadSettings(nil)
}

// OpenKeyring opens the keyring that a server started in this environment has.
func OpenKeyring(ctx context.Context, environment map[string]string, dataDir string) (*seal.Keyring, error) {
	set, err := settingsOf(environment)
	if err != nil {
		return nil, err
	}
	return openKeyring(ctx, set, dataDir)
}

// AllowedNetworks are those to which connection strings may point in this environment.
func AllowedNetworks(environment map[string]string) ([]netip.Prefix, error) {
	set, err := settingsOf(environment)
	if err != nil {
		return nil, err
	}
	return set.networks(keyMSSQLAllow), nil
}
