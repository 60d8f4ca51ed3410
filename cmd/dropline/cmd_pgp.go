package main

import (
	"io"
	"net/http"
	"strings"

	"dropline/api"
)

// pgpCmd is about OpenPGP keys.
type pgpCmd struct {
	Make      pgpMakeCmd   `cmd:"" help:"Make a key pair to which a tenant's files may be encrypted."`
	List      pgpListCmd   `cmd:"" help:"List a tenant's keys."`
	Show      pgpShowCmd   `cmd:"" help:"Write a public key, to hand it to the client."`
	AddSender pgpSenderCmd `cmd:"" help:"Store the public key of who signs a tenant's files."`
	Revoke    pgpRevokeCmd `cmd:"" help:"Revoke a key."`
}

// Help is kong's long text.
func (pgpCmd) Help() string {
	return `Files may be encrypted with OpenPGP, and signed. Make a key pair for the tenant, and hand its public part to the client; the private
part never leaves the service. Once a sender's public key is stored, an encrypted file must be signed by one of those stored.

Examples:

  dropline pgp make acme
  dropline pgp show acme > dropline.asc      # the client: gpg --import dropline.asc; gpg -e -s -r acme Matters.csv
  dropline pgp add-sender acme client.asc
  dropline pgp list acme`
}

const pgpPath = "/etl/tenants/%s/pgp-keys"

type pgpMakeCmd struct {
	Tenant string `arg:"" help:"The tenant."`
}

// Run carries the command out.
func (m *pgpMakeCmd) Run(a *app) error { return a.createPGP(m.Tenant, api.PGPKeyCreate{}) }

func (a *app) createPGP(tenant string, body api.PGPKeyCreate) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	var k api.PGPKey
	if err := c.call(request{method: http.MethodPost, path: pathf(pgpPath, tenant), body: body}, &k); err != nil {
		return err
	}
	return a.emit(k, func(w io.Writer) { put(w, "%s %s\n", k.Fingerprint, printable(k.User, maxText)) })
}

type pgpListCmd struct {
	Tenant string `arg:"" help:"The tenant."`
}

// Run carries the command out.
func (m *pgpListCmd) Run(a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	var list api.PGPKeyList
	if err := c.get(pathf(pgpPath, m.Tenant), nil, &list); err != nil {
		return err
	}
	return a.emit(list.Items, func(w io.Writer) {
		rows := make([][]string, 0, len(list.Items))
		for _, k := range list.Items {
			rows = append(rows, []string{k.Fingerprint, k.Kind, printable(k.User, maxText), moment(&k.CreatedAt), moment(k.RevokedAt)})
		}
		table(w, []string{"FINGERPRINT", "KIND", "USER", "STORED", "REVOKED"}, rows)
	})
}

type pgpShowCmd struct {
	Tenant      string `arg:"" help:"The tenant."`
	Fingerprint string `arg:"" optional:"" help:"The key; the tenant's newest own one by default."`
}

// Run carries the command out.
func (m *pgpShowCmd) Run(a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	var list api.PGPKeyList
	if err := c.get(pathf(pgpPath, m.Tenant), nil, &list); err != nil {
		return err
	}
	var found *api.PGPKey
	for i := range list.Items {
		k := &list.Items[i]
		if m.Fingerprint == "" && k.Kind == "own" && k.RevokedAt == nil || m.Fingerprint != "" && strings.EqualFold(k.Fingerprint, m.Fingerprint) {
			found = k
		}
	}
	if found == nil {
		return failed("dropline pgp list shows the keys that there are; dropline pgp make makes one", "the tenant has no such key")
	}
	return a.emit(found, func(w io.Writer) { _, _ = io.WriteString(w, found.Public) })
}

type pgpSenderCmd struct {
	Tenant string `arg:"" help:"The tenant."`
	File   string `arg:"" help:"The public key, armoured."`
}

// Run carries the command out.
func (m *pgpSenderCmd) Run(a *app) error {
	const most = 256 << 10
	raw, err := readBounded(m.File, most)
	if err != nil {
		return err
	}
	return a.createPGP(m.Tenant, api.PGPKeyCreate{Sender: string(raw)})
}

type pgpRevokeCmd struct {
	Tenant      string `arg:"" help:"The tenant."`
	Fingerprint string `arg:"" help:"The key."`
}

// Run carries the command out.
func (m *pgpRevokeCmd) Run(a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	if err := c.call(request{method: http.MethodDelete, path: pathf(pgpPath+"/%s", m.Tenant, strings.ToUpper(m.Fingerprint))}, nil); err != nil {
		return err
	}
	return a.emit(map[string]string{"revoked": m.Fingerprint}, func(w io.Writer) { put(w, "revoked\n") })
}
