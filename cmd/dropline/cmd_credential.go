package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"dropline/api"
)

// credentialCmd is about ways in.
type credentialCmd struct {
	AddPassword credentialPasswordCmd `cmd:"" help:"Add an SFTP password."`
	AddKey      credentialKeyCmd      `cmd:"" help:"Add an SSH public key for SFTP."`
	AddClient   credentialClientCmd   `cmd:"" help:"Add a client of the HTTP API."`
	List        credentialListCmd     `cmd:"" help:"List credentials."`
	Revoke      credentialRevokeCmd   `cmd:"" help:"End a credential."`
}

// Help is kong's long text.
func (credentialCmd) Help() string {
	return `A tenant signs in to SFTP with its slug as user name and a password or key, and to the HTTP API with a client id and
secret. It may have several of each: to rotate one without downtime add the new, switch over, revoke the old. Secrets are
shown once, when they are made.

Examples:

  dropline credential add-key acme ~/.ssh/id_ed25519.pub
  dropline credential add-password acme --label "nightly export"
  dropline credential add-client acme --expires 2160h
  dropline credential list acme
  dropline credential revoke acme cred_0123456789abcdef0123456789abcdef`
}

// credentialOptions are what every credential may have.
type credentialOptions struct {
	Label   string         `help:"What it is for." placeholder:"TEXT"`
	Expires *time.Duration `help:"When it ends, from now on; never if left out." placeholder:"2160h"`
}

func (o *credentialOptions) fill(body *api.CredentialCreate) error {
	body.Label = o.Label
	if o.Expires != nil {
		if *o.Expires <= 0 {
			return usageError("such as --expires 2160h for 90 days", "a credential cannot end before it begins")
		}
		at := time.Now().Add(*o.Expires).UTC().Truncate(time.Second)
		body.ExpiresAt = &at
	}
	return nil
}

// credentialsPath is where a tenant's credentials are, or the operator's.
func credentialsPath(tenant string) string {
	if tenant == "" {
		return "/etl/operator/credentials"
	}
	return pathf("/etl/tenants/%s/credentials", tenant)
}

// addCredential makes a credential. It is sent once only: an answer that holds a secret is not kept for a second try.
func (a *app) addCredential(tenant string, body api.CredentialCreate) (api.CredentialCreated, error) {
	var made api.CredentialCreated
	c, err := a.client()
	if err != nil {
		return made, err
	}
	return made, c.call(request{method: http.MethodPost, path: credentialsPath(tenant), body: body}, &made)
}

// credentialPasswordCmd adds a password.
type credentialPasswordCmd struct {
	Tenant string `arg:"" help:"The tenant."`
	Stdin  bool   `help:"Read the password from standard input (one line) in place of making one."`
	credentialOptions
}

// Help is kong's long text.
func (credentialPasswordCmd) Help() string {
	return `Adds an SFTP password. Without --stdin a good one is made and shown once. A password of your own has at least 12
characters; it is never taken from the command line, which others on the machine can read.

Examples:

  dropline credential add-password acme
  pass show acme/sftp | dropline credential add-password acme --stdin --label "from the vault"`
}

// Run carries the command out.
func (c *credentialPasswordCmd) Run(a *app) error {
	body := api.CredentialCreate{Kind: "password"}
	if err := c.fill(&body); err != nil {
		return err
	}
	if c.Stdin {
		line, err := bufio.NewReader(io.LimitReader(a.stdin, 4096)).ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if body.Password = strings.TrimRight(line, "\r\n"); body.Password == "" {
			return usageError("write the password to standard input", "there is no password on standard input")
		}
	}
	made, err := a.addCredential(c.Tenant, body)
	if err != nil {
		return err
	}
	return a.emit(made, func(w io.Writer) {
		put(w, "added password %s for SFTP user %s\n", made.ID, c.Tenant)
		if made.Password != "" {
			put(w, "password: %s   (shown this once)\n", made.Password)
		}
	})
}

// credentialKeyCmd adds a key.
type credentialKeyCmd struct {
	Tenant string `arg:"" help:"The tenant."`
	File   string `arg:"" help:"Public key file, as ssh-keygen writes it; - is standard input."`
	credentialOptions
}

// Help is kong's long text.
func (credentialKeyCmd) Help() string {
	return `Adds an SSH public key for SFTP, given as a file with one line as in authorized_keys, without options.

Examples:

  ssh-keygen -t ed25519 -f acme -N '' && dropline credential add-key acme acme.pub
  curl -s https://example.org/acme.pub | dropline credential add-key acme -`
}

// maxKeyFile is more than the longest RSA key in use takes.
const maxKeyFile = 64 << 10

// Run carries the command out.
func (c *credentialKeyCmd) Run(a *app) error {
	key, err := a.keyLine(c.File)
	if err != nil {
		return err
	}
	body := api.CredentialCreate{Kind: "public_key", PublicKey: key}
	if err := c.fill(&body); err != nil {
		return err
	}
	made, err := a.addCredential(c.Tenant, body)
	if err != nil {
		return err
	}
	return a.emit(made, func(w io.Writer) {
		put(w, "added key %s (%s) for SFTP user %s\n", made.ID, made.Fingerprint, c.Tenant)
	})
}

// keyLine reads the one key in a file. A private key is refused before it goes anywhere.
func (a *app) keyLine(path string) (string, error) {
	in := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer quietly(f.Close)
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxKeyFile))
	if err != nil {
		return "", err
	}
	if strings.Contains(string(raw), "PRIVATE KEY") {
		return "", usageError("give the file that ends in .pub", "%s is a private key: it stays with its owner", path)
	}
	var lines []string
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 {
		return "", usageError("give a file as ssh-keygen writes it", "%s holds %d keys, and one is expected", path, len(lines))
	}
	return lines[0], nil
}

// credentialClientCmd adds an API client.
type credentialClientCmd struct {
	Tenant   string `arg:"" optional:"" help:"The tenant."`
	Operator bool   `help:"An operator's, who may do everything, in place of a tenant's."`
	credentialOptions
}

// Help is kong's long text.
func (credentialClientCmd) Help() string {
	return `Adds a client of the HTTP API (OAuth 2.0 client credentials). Its id and secret are shown once. A tenant's client sees
that tenant only.

Examples:

  dropline credential add-client acme --label "integration"
  dropline credential add-client --operator --label "second operator" --expires 720h`
}

// Run carries the command out.
func (c *credentialClientCmd) Run(a *app) error {
	if c.Operator == (c.Tenant != "") {
		return usageError("dropline credential add-client TENANT, or --operator", "name a tenant, or the operator")
	}
	body := api.CredentialCreate{Kind: "client"}
	if err := c.fill(&body); err != nil {
		return err
	}
	made, err := a.addCredential(c.Tenant, body)
	if err != nil {
		return err
	}
	return a.emit(made, func(w io.Writer) {
		put(w, "added API client (the secret is shown this once)\n")
		put(w, "DROPLINE_CLIENT_ID=%s\nDROPLINE_CLIENT_SECRET=%s\n", made.ClientID, made.ClientSecret)
	})
}

// credentialListCmd lists credentials.
type credentialListCmd struct {
	Tenant   string `arg:"" optional:"" help:"The tenant."`
	Operator bool   `help:"The operator's."`
	All      bool   `help:"Also those that have ended."`
}

// Help is kong's long text.
func (credentialListCmd) Help() string {
	return `Lists the credentials of a tenant or of the operator, oldest first. Secrets are never shown again.

Examples:

  dropline credential list acme
  dropline credential list --operator --all`
}

// Run carries the command out.
func (c *credentialListCmd) Run(a *app) error {
	if c.Operator == (c.Tenant != "") {
		return usageError("dropline credential list TENANT, or --operator", "name a tenant, or the operator")
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var list api.CredentialList
	if err := cl.get(credentialsPath(c.Tenant), nil, &list); err != nil {
		return err
	}
	shown := []api.Credential{}
	for _, k := range list.Items {
		if c.All || (k.RevokedAt == nil && (k.ExpiresAt == nil || k.ExpiresAt.After(time.Now()))) {
			shown = append(shown, k)
		}
	}
	return a.emit(shown, func(w io.Writer) {
		rows := make([][]string, 0, len(shown))
		for _, k := range shown {
			rows = append(rows, []string{k.ID, k.Kind, k.Label, k.Fingerprint, moment(&k.CreatedAt), moment(k.LastUsedAt), moment(k.ExpiresAt), moment(k.RevokedAt)})
		}
		table(w, []string{"CREDENTIAL", "KIND", "LABEL", "FINGERPRINT", "CREATED", "LAST USED", "EXPIRES", "REVOKED"}, rows)
	})
}

// credentialRevokeCmd ends a credential.
type credentialRevokeCmd struct {
	Tenant string `arg:"" help:"The tenant, or - for the operator's."`
	ID     string `arg:"" help:"The credential, as list shows it."`
}

// Help is kong's long text.
func (credentialRevokeCmd) Help() string {
	return `Ends a credential at once, and every token that was got with it.

Examples:

  dropline credential revoke acme cred_0123456789abcdef0123456789abcdef
  dropline credential revoke - cred_0123456789abcdef0123456789abcdef`
}

// Run carries the command out.
func (c *credentialRevokeCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	tenant := c.Tenant
	if tenant == "-" {
		tenant = ""
	}
	if err := cl.call(request{method: http.MethodDelete, path: credentialsPath(tenant) + pathf("/%s", c.ID)}, nil); err != nil {
		return err
	}
	return a.emit(map[string]string{"revoked": c.ID}, func(w io.Writer) { put(w, "revoked %s\n", c.ID) })
}
