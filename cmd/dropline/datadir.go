package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Files of the data directory that are ours; the rest is devstack's.
const (
	operatorFile  = "operator.json"
	addressesFile = "server.json"
)

// operatorCredential is the API client that was made for the operator at the first start.
type operatorCredential struct {
	URL          string `json:"url"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

// addresses tell where a running server listens.
type addresses struct {
	PID          int      `json:"pid"`
	Version      string   `json:"version"`
	Roles        []string `json:"roles"`
	API          string   `json:"url,omitempty"`
	SFTP         string   `json:"sftp,omitempty"` // host:port
	Fingerprints []string `json:"fingerprints,omitempty"`
}

func readOperator(dir string) (operatorCredential, error) {
	var op operatorCredential
	raw, err := os.ReadFile(filepath.Join(dir, operatorFile))
	if err != nil {
		return op, err
	}
	if err := json.Unmarshal(raw, &op); err != nil || op.URL == "" || op.ClientID == "" || op.ClientSecret == "" {
		return op, failed("`dropline serve --new-operator` writes a new one", "%s is damaged", filepath.Join(dir, operatorFile))
	}
	return op, nil
}

func readAddresses(dir string) (addresses, error) {
	var at addresses
	raw, err := os.ReadFile(filepath.Join(dir, addressesFile))
	if err != nil {
		return at, err
	}
	return at, json.Unmarshal(raw, &at)
}

// writePrivate puts a file in place at once, readable by its owner only.
func writePrivate(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer quietly(func() error { return os.Remove(f.Name()) }) // of no effect once it has been renamed
	if _, err := f.Write(append(raw, '\n')); err != nil {
		_ = f.Close() // the write's error says more
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
