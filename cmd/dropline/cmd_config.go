package main

import (
	"fmt"
	"io"
	"strings"

	"dropline/api"
)

// configCmd shows the effective settings, and makes what they name.
type configCmd struct {
	Show      configShowCmd      `cmd:"" default:"1" help:"Show each setting, its value and where it comes from; also without this word."`
	NewKey    configNewKeyCmd    `cmd:"" help:"Make a key file, under which connection strings are kept."`
	RotateKey configRotateKeyCmd `cmd:"" help:"Add a new key to a key file; the older ones stay."`
}

// configShowCmd shows the effective settings.
type configShowCmd struct{}

// Help is kong's long text.
func (configCmd) Help() string {
	return `Shows each setting, its value and where it comes from. Later ones win: defaults, the configuration file, the
environment, flags. Secrets are hidden. If a server can be reached, the fingerprint of its SSH host key is shown too, for
clients to compare at their first connection; so is the name, never more, of the key under which connection strings are kept.

The configuration file is YAML, with the keys shown here, nested at the dots. It is the one named by --config or
DROPLINE_CONFIG, or else $XDG_CONFIG_HOME/dropline/config.yaml, ~/.config/dropline/config.yaml, or for root
/etc/dropline/config.yaml, if that is there; on Windows %APPDATA%\dropline\config.yaml.

Examples:

  dropline config
  DROPLINE_API_LISTEN=0.0.0.0:8022 dropline config --json
  dropline config --config /etc/dropline/config.yaml
  dropline config new-key /etc/dropline/secrets.key`
}

// Help is kong's long text.
func (configShowCmd) Help() string { return configCmd{}.Help() }

// shownSetting is one setting as config shows it.
type shownSetting struct {
	Key    string   `json:"key"`
	Value  string   `json:"value"`
	Source string   `json:"source"`
	Env    []string `json:"environment,omitempty"`
	Help   string   `json:"help"`
}

// shownServer is what a running server says of itself.
type shownServer struct {
	URL          string   `json:"url"`
	Version      string   `json:"version"`
	SFTP         string   `json:"sftp,omitempty"`
	Fingerprints []string `json:"fingerprints,omitempty"`
	Egress       []string `json:"egressAddresses,omitempty"`
}

// hidden stands for a secret.
const hidden = "(hidden)"

// Run carries the command out.
func (configShowCmd) Run(a *app) error {
	out := struct {
		Settings []shownSetting `json:"settings"`
		Unknown  []string       `json:"unknownVariables,omitempty"`
		Secrets  shownSecrets   `json:"secrets"`
		Server   *shownServer   `json:"server,omitempty"`
	}{Unknown: a.settings.unknown, Secrets: showSecrets(a.settings, a.settings.text(keyDataDir)), Server: a.runningServer()}
	for _, t := range a.settings.table {
		value := a.settings.text(t.key)
		if t.secret && value != "" {
			value = hidden
		}
		out.Settings = append(out.Settings, shownSetting{t.key, value, a.settings.source[t.key], t.env, t.help})
	}
	return a.emit(out, func(w io.Writer) {
		rows := make([][]string, 0, len(out.Settings))
		for _, s := range out.Settings {
			rows = append(rows, []string{s.Key, s.Value, s.Source, s.Help})
		}
		wideTable(w, []string{"SETTING", "VALUE", "FROM", "WHAT IT IS"}, rows)
		if len(out.Unknown) > 0 {
			put(w, "\nnot a setting, and ignored: %s\n", strings.Join(out.Unknown, ", "))
		}
		out.Secrets.write(w)
		if out.Server == nil {
			put(w, "\nno server was reached: start one with `dropline serve` to see its host key's fingerprint here\n")
			return
		}
		put(w, "\nserver %s (version %s)\n", either(out.Server.URL, "with no API of its own"), out.Server.Version)
		if len(out.Server.Fingerprints) > 0 { // all processes on one database have the same
			put(w, "SFTP %s, host key %s\n", either(out.Server.SFTP, "in another process (sftp.address tells clients where)"),
				strings.Join(out.Server.Fingerprints, ", "))
		}
		if len(out.Server.Egress) > 0 {
			put(w, "connects to clients' databases from %s\n", strings.Join(out.Server.Egress, ", "))
		}
	})
}

// either is text, or what stands for it where there is none.
func either(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// runningServer asks the server that the settings point to; nil if there is none, which is no error here.
func (a *app) runningServer() *shownServer {
	if addresses, err := readAddresses(a.settings.text(keyDataDir)); err == nil && alive(addresses.PID) {
		return &shownServer{URL: addresses.API, Version: addresses.Version, SFTP: addresses.SFTP, Fingerprints: addresses.Fingerprints, Egress: a.settings.list(keyEgress)}
	}
	c, err := a.client()
	if err != nil {
		return nil
	}
	var info api.ServerInfo
	if err := c.get("/etl/server", nil, &info); err != nil {
		return nil
	}
	shown := &shownServer{URL: c.base, Version: info.Version, Fingerprints: info.SFTP.Fingerprints, Egress: info.Databases.EgressAddresses}
	if info.SFTP.Host != "" {
		shown.SFTP = fmt.Sprintf("%s:%d", info.SFTP.Host, info.SFTP.Port)
	}
	return shown
}
