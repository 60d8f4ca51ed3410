//go:build linux

package main

import (
	"context"
	"path/filepath"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"dropline/ingest"
	"dropline/internal/seal"
)

// ownKeyFile is the key file that a server with the private PostgreSQL makes in its data directory.
const ownKeyFile = "secrets.key"

// hintNoKey says how imports from databases are switched on.
const hintNoKey = "make a key with `dropline config new-key FILE` and name it in secrets.key_file (DROPLINE_SECRETS_KEY_FILE) of every process, or name a key of AWS KMS in secrets.kms_key"

// sealingKey is what the settings choose to seal connection strings with: a file, a key in KMS, or neither.
type sealingKey struct {
	file, kms string
	own       bool // the server makes the file itself
}

// sealingKeyOf returns the choice. Both at a time is a usage error: what one has sealed the other does not open.
func sealingKeyOf(set *settings, dataDir string) (sealingKey, error) {
	key := sealingKey{file: set.text(keySecretsFile), kms: set.text(keySecretsKMS)}
	if key.file != "" && key.kms != "" {
		return key, usageError("leave out one of them", "%s (%s) and %s (%s) are both set",
			keySecretsFile, set.source[keySecretsFile], keySecretsKMS, set.source[keySecretsKMS])
	}
	if key.file == "" && key.kms == "" && set.text(keyDatabase) == "" {
		key.file, key.own = filepath.Join(dataDir, ownKeyFile), true
	}
	return key, nil
}

// openKeyring opens the key under which connection strings are kept. A server with the private PostgreSQL makes one at its
// first start, as it does for its other secrets. With an operator's PostgreSQL there may be other processes, which must have
// the same: then the keyring is nil unless the settings name a key, imports from databases are off, and hintNoKey says how to
// switch them on. dataDir must be there, and no other process may start on it at the same time.
func openKeyring(ctx context.Context, set *settings, dataDir string) (*seal.Keyring, error) {
	key, err := sealingKeyOf(set, dataDir)
	if err != nil {
		return nil, err
	}
	if key.kms != "" {
		cfg, err := awsconfig.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, failed("check ~/.aws/config and the AWS_… variables", "the AWS settings cannot be read: %w", err)
		}
		return seal.OpenKMS(ctx, key.kms, cfg)
	}
	if key.file == "" {
		return nil, nil
	}
	keyring, err := seal.OpenFile(key.file)
	if key.own && ingest.KindOf(err) == ingest.NotFound {
		if err := seal.NewKeyFile(key.file); err != nil {
			return nil, err
		}
		return seal.OpenFile(key.file)
	}
	return keyring, err
}

// showSecrets looks at the key without making one and without asking KMS.
func showSecrets(set *settings, dataDir string) shownSecrets {
	key, err := sealingKeyOf(set, dataDir)
	if err != nil {
		f := asFailure(err)
		return shownSecrets{Problem: f.message, Hint: f.hint}
	}
	switch {
	case key.kms != "":
		return shownSecrets{KeyID: key.kms}
	case key.file == "":
		return shownSecrets{Problem: "imports from databases are off", Hint: hintNoKey}
	}
	shown := shownSecrets{KeyFile: key.file}
	keyring, err := seal.OpenFile(key.file)
	switch {
	case err == nil:
		shown.KeyID = keyring.KeyID()
	case key.own && ingest.KindOf(err) == ingest.NotFound:
		shown.Problem = "the server makes this key file at its first start"
	default:
		shown.Problem, shown.Hint = ingest.MessageOf(err), ingest.HintOf(err)
	}
	return shown
}
