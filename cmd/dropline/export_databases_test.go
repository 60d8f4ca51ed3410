//go:build linux

package main

import (
	"context"
	"errors"

	"dropline/ingest/mssql"
	"dropline/internal/seal"
	"dropline/loader"
)

// CheckConnection is what the API asks of a connection string, on a server that allows the given networks.
func CheckConnection(text, allow string) (name, database, key string, err error) {
	policy, err := mssql.ParsePolicy(allow)
	if err != nil {
		return "", "", "", err
	}
	s := &server{databases: loader.Databases{Connections: mssql.Config{Policy: policy}}}
	name, database, err = s.checkConnection(text)
	var named interface{ ConnectionKey() string }
	if errors.As(err, &named) {
		key = named.ConnectionKey()
	}
	return name, database, key, err
}

// OpenKeyring opens the keyring that a server started in this environment has.
func OpenKeyring(ctx context.Context, environment map[string]string, dataDir string) (*seal.Keyring, error) {
	set, err := settingsOf(environment)
	if err != nil {
		return nil, err
	}
	return openKeyring(ctx, set, dataDir)
}
