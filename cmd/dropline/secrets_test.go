//go:build linux

package main_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	dropline "dropline/cmd/dropline"
	"dropline/ingest"
	"dropline/internal/seal"
)

// unconfigured is an environment without a configuration file.
func unconfigured(t *testing.T, pairs ...string) map[string]string {
	t.Helper()
	environment := map[string]string{"XDG_CONFIG_HOME": t.TempDir()}
	for i := 0; i < len(pairs); i += 2 {
		environment[pairs[i]] = pairs[i+1]
	}
	return environment
}

// TestPrivateServerMakesItsKey: once, and for the private PostgreSQL only.
func TestPrivateServerMakesItsKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := dropline.OpenKeyring(t.Context(), unconfigured(t), dir)
	if err != nil || first == nil {
		t.Fatalf("no keyring: %v", err)
	}
	sealed, err := first.Seal(t.Context(), []byte("x"), "acme")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "secrets.key"))
	if err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Fatalf("no private key file in the data directory: %v", err)
	}
	second, err := dropline.OpenKeyring(t.Context(), unconfigured(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Open(t.Context(), sealed, "acme"); err != nil {
		t.Errorf("the next start has another key: %v", err)
	}
	// A damaged key is not made anew: what it sealed would be lost without a word.
	if err := os.WriteFile(filepath.Join(dir, "secrets.key"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dropline.OpenKeyring(t.Context(), unconfigured(t), dir); ingest.KindOf(err) != ingest.Invalid {
		t.Errorf("with a damaged key: %v", err)
	}
}

func TestOperatorsKey(t *testing.T) {
	t.Parallel()
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "own.key")
	const database, file, kms = "DROPLINE_DATABASE_URL", "DROPLINE_SECRETS_KEY_FILE", "DROPLINE_SECRETS_KMS_KEY"
	none, err := dropline.OpenKeyring(t.Context(), unconfigured(t, database, "postgres://u@db/x"), dir)
	if err != nil || none != nil {
		t.Errorf("a key that other processes do not have: %v", err)
	}
	for name, environment := range map[string]map[string]string{
		"own PostgreSQL": unconfigured(t, database, "postgres://u@db/x", file, path), "private PostgreSQL": unconfigured(t, file, path),
	} {
		if _, err := dropline.OpenKeyring(t.Context(), environment, dir); ingest.KindOf(err) != ingest.NotFound {
			t.Errorf("%s: an operator's key that is not there: %v", name, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("something was made: %v %v", entries, err)
	}
	if err := seal.NewKeyFile(path); err != nil {
		t.Fatal(err)
	}
	if k, err := dropline.OpenKeyring(t.Context(), unconfigured(t, file, path), dir); err != nil || k == nil {
		t.Errorf("an operator's key: %v", err)
	}
	both := unconfigured(t, file, path, kms, "aws-kms://arn:aws:kms:eu-west-1:111122223333:key/1234abcd")
	if _, err := dropline.OpenKeyring(t.Context(), both, dir); err == nil || !strings.Contains(err.Error(), "are both set") {
		t.Errorf("two keys: %v", err)
	}
}

func TestAllowedNetworks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "[]",
		" 10.1.0.0/16 ,192.168.7.9,":   "[10.1.0.0/16 192.168.7.9/32]",
		"fd00::/8,::1,::ffff:10.0.0.7": "[fd00::/8 ::1/128 10.0.0.7/32]",
		"10.1.2.3/16":                  "", "10.1": "", "host": "", "10.0.0.0/33": "", "fe80::1%eth0": "", "::ffff:10.0.0.0/104": "",
	} {
		got, err := dropline.AllowedNetworks(unconfigured(t, "DROPLINE_MSSQL_ALLOW_NETWORKS", text))
		if (err != nil) != (want == "") || err == nil && fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
