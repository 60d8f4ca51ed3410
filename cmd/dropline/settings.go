package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/v2"
	"gopkg.in/yaml.v3"
)

// maxConfigBytes bounds a configuration file: the largest sensible one is a few kilobytes.
const maxConfigBytes = 1 << 20

// The keys of the settings.
const (
	keyDataDir      = "data_dir"
	keyRoles        = "roles"
	keySFTPListen   = "sftp.listen"
	keySFTPAddress  = "sftp.address"
	keySFTPHostKey  = "sftp.host_key"
	keySFTPCiphers  = "sftp.ciphers"
	keySFTPOld      = "sftp.compatible"
	keyAPIListen    = "api.listen"
	keyAPIURL       = "api.url"
	keyDatabase     = "database.url"
	keyBucket       = "s3.bucket"
	keyS3Endpoint   = "s3.endpoint"
	keyS3Region     = "s3.region"
	keyS3HostStyle  = "s3.host_style"
	keyS3NoSums     = "s3.no_checksums"
	keyS3Access     = "s3.access_key_id"
	keyS3Secret     = "s3.secret_access_key"
	keyS3Session    = "s3.session_token"
	keyPostgresBin  = "postgres_bin"
	keyWorkers      = "workers"
	keyMaxFile      = "max_file_bytes"
	keyRetention    = "rollback_retention"
	keySweep        = "sweep_every"
	keySchemas      = "schemas"
	keyLogLevel     = "log.level"
	keyLogFormat    = "log.format"
	keyStartTimeout = "start_timeout"
	keyStopTimeout  = "stop_timeout"
	keyURL          = "client.url"
	keyClientID     = "client.id"
	keyClientSecret = "client.secret"

	keySFTPPassword   = "client.sftp_password"
	keySFTPPassphrase = "client.sftp_passphrase"
)

// setting is one thing that can be set.
type setting struct {
	key    string
	usual  string   // default, as text
	flag   string   // without --; empty: none
	env    []string // the first that is set counts
	secret bool
	help   string
	check  func(string) error
}

// settingsTable lists all settings in the order in which config shows them. Secrets have no flag: command lines can be
// read by every user of a machine.
func settingsTable(dataDir string) []setting {
	table := []setting{
		{key: keyDataDir, usual: dataDir, flag: "data-dir", env: []string{"DROPLINE_DATA_DIR"}, help: "directory of the server's data"},
		{key: keyRoles, usual: "sftp,api,worker", flag: "roles", env: []string{"DROPLINE_ROLES"}, check: checkRoles, help: "what this process does"},
		{key: keySFTPListen, usual: "127.0.0.1:2022", flag: "sftp-listen", env: []string{"DROPLINE_SFTP_LISTEN"}, check: checkListen, help: "address of the SFTP server"},
		{key: keySFTPAddress, flag: "sftp-address", env: []string{"DROPLINE_SFTP_ADDRESS"}, check: optional(checkListen), help: "address that clients are told for SFTP, where it is another"},
		{key: keySFTPHostKey, env: []string{"DROPLINE_SFTP_HOST_KEY"}, help: "file with the SSH host key; without, one is made and kept in the database"},
		{key: keySFTPCiphers, env: []string{"DROPLINE_SFTP_CIPHERS"}, help: "SSH ciphers to offer, in place of the default list"},
		{key: keySFTPOld, usual: "false", env: []string{"DROPLINE_SFTP_COMPATIBLE"}, check: checkBool, help: "also offer what only old SSH clients need"},
		{key: keyAPIListen, usual: "127.0.0.1:8022", flag: "api-listen", env: []string{"DROPLINE_API_LISTEN"}, check: checkListen, help: "address of the HTTP API"},
		{key: keyAPIURL, flag: "api-url", env: []string{"DROPLINE_API_URL"}, check: optional(checkURL), help: "URL under which clients reach the API, where it is another"},
		{key: keyDatabase, env: []string{"DROPLINE_DATABASE_URL"}, secret: true, help: "PostgreSQL to use; without, a private one is started"},
		{key: keyBucket, env: []string{"DROPLINE_BUCKET"}, help: "S3 bucket to use; without it and without an endpoint, a private S3 server is started"},
		{key: keyS3Endpoint, env: []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}, check: optional(checkURL), help: "S3 server, if not Amazon's"},
		{key: keyS3Region, env: []string{"AWS_REGION", "AWS_DEFAULT_REGION"}, help: "region of the bucket"},
		{key: keyS3HostStyle, usual: "false", env: []string{"DROPLINE_S3_HOST_STYLE"}, check: checkBool, help: "bucket's name in the host name, with an endpoint"},
		{key: keyS3NoSums, usual: "false", env: []string{"DROPLINE_S3_NO_CHECKSUMS"}, check: checkBool, help: "for S3 servers that do not know checksums"},
		{key: keyS3Access, env: []string{"AWS_ACCESS_KEY_ID"}, help: "S3 access key; without, the usual places are searched (profile, instance role)"},
		{key: keyS3Secret, env: []string{"AWS_SECRET_ACCESS_KEY"}, secret: true, help: "its secret"},
		{key: keyS3Session, env: []string{"AWS_SESSION_TOKEN"}, secret: true, help: "its session token"},
		{key: keyPostgresBin, env: []string{"DROPLINE_POSTGRES_BIN"}, help: "directory of initdb and postgres for the private PostgreSQL"},
		{key: keyWorkers, usual: "2", flag: "workers", env: []string{"DROPLINE_WORKERS"}, check: checkCount(64), help: "imports loaded at a time"},
		{key: keyMaxFile, usual: "536870912000", env: []string{"DROPLINE_MAX_FILE_BYTES"}, check: checkCount(5 << 40), help: "bytes of one file"},
		{key: keyRetention, usual: "168h", env: []string{"DROPLINE_ROLLBACK_RETENTION"}, check: checkDuration(time.Minute), help: "how long a promotion can be rolled back"},
		{key: keySweep, usual: "30s", env: []string{"DROPLINE_SWEEP_EVERY"}, check: checkDuration(time.Second), help: "how often the bucket is searched for files written straight into it"},
		{key: keySchemas, flag: "schemas", env: []string{"DROPLINE_SCHEMAS"}, help: "files with further schema definitions"},
		{key: keyLogLevel, usual: "info", flag: "log-level", env: []string{"DROPLINE_LOG_LEVEL"}, check: oneOf("debug", "info", "warn", "error"), help: "what is logged"},
		{key: keyLogFormat, usual: "text", flag: "log-format", env: []string{"DROPLINE_LOG_FORMAT"}, check: oneOf("text", "json"), help: "how it is logged"},
		{key: keyStartTimeout, usual: "2m", env: []string{"DROPLINE_START_TIMEOUT"}, check: checkDuration(time.Second), help: "how long to wait at start for PostgreSQL and S3"},
		{key: keyStopTimeout, usual: "40s", env: []string{"DROPLINE_STOP_TIMEOUT"}, check: checkDuration(time.Second), help: "how long a clean end may take"},
		{key: keyURL, flag: "url", env: []string{"DROPLINE_URL"}, check: optional(checkURL), help: "server that the client commands talk to; without, the one in operator.json of the data directory"},
		{key: keyClientID, env: []string{"DROPLINE_CLIENT_ID"}, help: "API client of the client commands"},
		{key: keyClientSecret, env: []string{"DROPLINE_CLIENT_SECRET"}, secret: true, help: "its secret"},
		{key: keySFTPPassword, env: []string{"DROPLINE_SFTP_PASSWORD"}, secret: true, help: "password with which dropline push signs in over SFTP"},
		{key: keySFTPPassphrase, env: []string{"DROPLINE_SFTP_PASSPHRASE"}, secret: true, help: "passphrase of dropline push's private key"},
	}
	return append(table, databaseSettings()...)
}

// settings are the effective settings and where each came from.
type settings struct {
	table   []setting
	values  *koanf.Koanf
	source  map[string]string
	unknown []string // variables of the environment that look like ours and are none
}

// text returns a setting's value.
func (s *settings) text(key string) string { return s.values.String(key) }

// list returns a setting's comma-separated parts.
func (s *settings) list(key string) []string {
	var out []string
	for part := range strings.SplitSeq(s.text(key), ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func (s *settings) flag(key string) bool { return s.text(key) == "true" }

// number and duration return values that were checked when they were loaded.
func (s *settings) number(key string) int64 {
	n, _ := strconv.ParseInt(s.text(key), 10, 64)
	return n
}

func (s *settings) duration(key string) time.Duration {
	d, _ := time.ParseDuration(s.text(key))
	return d
}

// given reports whether a setting was set by anybody.
func (s *settings) given(key string) bool { return s.source[key] != sourceDefault }

// byFlag reports whether a setting was set on the command line.
func (s *settings) byFlag(key string) bool { return strings.HasPrefix(s.source[key], sourceFlag) }

// reset takes settings back to their defaults, whatever set them.
func (s *settings) reset(keys ...string) error {
	for _, t := range s.table {
		if contains(keys, t.key) {
			if err := s.values.Set(t.key, t.usual); err != nil {
				return err
			}
			s.source[t.key] = sourceDefault
		}
	}
	return nil
}

// Where settings come from, as config shows it.
const (
	sourceDefault = "default"
	sourceFlag    = "flag --" // and its name
)

// layer is one source of settings; it is koanf's provider of a map.
type layer map[string]any

// ReadBytes is not used: a layer is parsed already.
func (layer) ReadBytes() ([]byte, error) { return nil, errors.New("a layer has no bytes") }

// Read returns the settings, nested.
func (l layer) Read() (map[string]any, error) { return l, nil }

func (l layer) set(key, value string) {
	at := map[string]any(l)
	parts := strings.Split(key, ".")
	for _, part := range parts[:len(parts)-1] {
		next, ok := at[part].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[part] = next
		}
		at = next
	}
	at[parts[len(parts)-1]] = value
}

// loadSettings puts the layers over each other: defaults, then the file, then the environment, then flags.
func (a *app) loadSettings(flags map[string]string) (*settings, error) {
	s := &settings{table: settingsTable(a.defaultDataDir()), values: koanf.New("."), source: map[string]string{}}
	fromFile, path, err := a.readConfigFile(s, flags["config"])
	if err != nil {
		return nil, err
	}
	defaults, file, env, flag := layer{}, layer{}, layer{}, layer{}
	for _, t := range s.table {
		defaults.set(t.key, t.usual)
		s.source[t.key] = sourceDefault
		if value, ok := fromFile[t.key]; ok {
			file.set(t.key, value)
			s.source[t.key] = "file " + path
		}
		for _, name := range t.env {
			if value, ok := a.lookup(name); ok && value != "" {
				env.set(t.key, value)
				s.source[t.key] = "environment " + name
				break
			}
		}
		if value, ok := flags[t.flag]; ok && t.flag != "" {
			flag.set(t.key, value)
			s.source[t.key] = sourceFlag + t.flag
		}
	}
	for _, l := range []layer{defaults, file, env, flag} {
		if err := s.values.Load(l, nil); err != nil {
			return nil, err
		}
	}
	s.unknown = a.unknownVariables(s.table)
	return s, s.validate()
}

// validate refuses a value that cannot be used and says where it came from.
func (s *settings) validate() error {
	for _, t := range s.table {
		if t.check == nil {
			continue
		}
		if err := t.check(s.text(t.key)); err != nil {
			return usageError("dropline config shows all settings and where they come from",
				"%s (%s): %v", t.key, s.source[t.key], err)
		}
	}
	return nil
}

// readConfigFile reads the file that was asked for, or the one at the usual place if there is one.
func (a *app) readConfigFile(s *settings, path string) (map[string]string, string, error) {
	asked := path != ""
	if !asked {
		path, asked = a.lookup("DROPLINE_CONFIG")
	}
	if !asked || path == "" {
		asked, path = false, a.usualConfigFile()
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", usageError("name a YAML file that can be read", "the configuration file cannot be read: %v", err)
	}
	defer quietly(f.Close)
	raw, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err != nil {
		return nil, "", err
	}
	if len(raw) > maxConfigBytes {
		return nil, "", usageError("", "the configuration file %s is larger than %d bytes", path, maxConfigBytes)
	}
	values, err := parseConfig(raw, s.table)
	if err != nil {
		return nil, "", usageError("dropline config lists the keys", "%s: %v", path, err)
	}
	return values, path, nil
}

// parseConfig flattens a configuration file and refuses keys that mean nothing.
func parseConfig(raw []byte, table []setting) (map[string]string, error) {
	var root yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(raw)).Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	known := map[string]bool{}
	for _, t := range table {
		known[t.key] = true
	}
	out := map[string]string{}
	var walk func(prefix string, n *yaml.Node) error
	walk = func(prefix string, n *yaml.Node) error {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				key := prefix + n.Content[i].Value
				next := n.Content[i+1]
				if next.Kind == yaml.MappingNode {
					if err := walk(key+".", next); err != nil {
						return err
					}
					continue
				}
				if !known[key] {
					return fmt.Errorf("line %d: there is no setting %q", n.Content[i].Line, key)
				}
				if next.Tag == "!!null" {
					continue
				}
				value, err := scalarText(next)
				if err != nil {
					return err
				}
				out[key] = value
			}
			return nil
		case yaml.DocumentNode, yaml.SequenceNode, yaml.ScalarNode, yaml.AliasNode:
		}
		return fmt.Errorf("line %d: settings are written as key: value", n.Line)
	}
	return out, walk("", root.Content[0])
}

func scalarText(n *yaml.Node) (string, error) {
	if n.Kind == yaml.ScalarNode {
		return n.Value, nil
	}
	if n.Kind != yaml.SequenceNode {
		return "", fmt.Errorf("line %d: a text, a number or a list is expected", n.Line)
	}
	var parts []string
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return "", fmt.Errorf("line %d: the list holds more than texts", item.Line)
		}
		parts = append(parts, item.Value)
	}
	return strings.Join(parts, ","), nil
}

// unknownVariables names what somebody set in vain: a misspelt name would otherwise go unnoticed.
func (a *app) unknownVariables(table []setting) []string {
	known := map[string]bool{"DROPLINE_CONFIG": true, "DROPLINE_TESTDATA": true}
	for _, t := range table {
		for _, name := range t.env {
			known[name] = true
		}
	}
	var out []string
	for _, pair := range a.environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "DROPLINE_") && !strings.HasPrefix(name, "DROPLINE_TEST_") && !known[name] {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}
