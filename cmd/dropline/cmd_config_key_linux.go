package main

import (
	"io"

	"dropline/internal/seal"
)

// Run carries the command out.
func (c *configNewKeyCmd) Run(a *app) error {
	if err := seal.NewKeyFile(c.File); err != nil {
		return err
	}
	return a.showKeyFile(c.File, "set DROPLINE_SECRETS_KEY_FILE="+c.File+" for every process of the service, and keep a copy apart from the database's backups")
}

// Run carries the command out.
func (c *configRotateKeyCmd) Run(a *app) error {
	if err := seal.RotateKeyFile(c.File); err != nil {
		return err
	}
	return a.showKeyFile(c.File, "give the file to all processes of the service, then start them anew; keep a copy")
}

// showKeyFile reads a file back that was written, and says what comes next.
func (a *app) showKeyFile(path, next string) error {
	keyring, err := seal.OpenFile(path)
	if err != nil {
		return err
	}
	return a.emit(shownSecrets{KeyFile: path, KeyID: keyring.KeyID()}, func(w io.Writer) {
		put(w, "%s: secrets are sealed with %s\nnext: %s\n", path, keyring.KeyID(), next)
	})
}
