package main

// configNewKeyCmd makes a key file.
type configNewKeyCmd struct {
	File string `arg:"" help:"Where to write it; a file that is there is left alone." placeholder:"FILE" type:"path"`
}

// Help is kong's long text.
func (configNewKeyCmd) Help() string {
	return `Writes a new key file (mode 0600), under which the server keeps clients' connection strings; secrets.key_file names it. All
processes of a service must have the same. Keep a copy apart from the database's backups: without the key, what it sealed is
lost, and with both, anybody can read it. A server with the private PostgreSQL makes its own.

Examples:

  dropline config new-key /etc/dropline/secrets.key
  chown dropline: /etc/dropline/secrets.key
  DROPLINE_SECRETS_KEY_FILE=/etc/dropline/secrets.key dropline serve`
}

// configRotateKeyCmd adds a key to a key file.
type configRotateKeyCmd struct {
	File string `arg:"" help:"The key file." placeholder:"FILE" type:"path"`
}

// Help is kong's long text.
func (configRotateKeyCmd) Help() string {
	return `Adds a new key to a key file. Servers started from then on seal with it; the older keys stay in the file, so that what they
sealed still opens. Where several processes run, give all of them the new file before any is started anew: one that still
has the old file cannot open what the others seal.

Keys of AWS KMS are rotated there, and nothing is to be done here.

Examples:

  dropline config rotate-key /etc/dropline/secrets.key`
}
