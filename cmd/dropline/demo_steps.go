//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"dropline/api"
	"dropline/internal/sample"
)

// demonstration is one run of demo.
type demonstration struct {
	a      *app
	cmd    *demoCmd
	server *server
	client *client
	dir    string // of keys and samples
	slug   string
	files  []demoFile
	seen   map[string]bool // imports that have been shown
	last   api.ImportStatus
	refuse bool // an import was rejected
}

// demoFile is a file to upload, and its path below the inbox.
type demoFile struct{ path, to string }

// shows prints a command that a person would type for what follows.
func (d *demonstration) shows(format string, args ...any) { d.a.say("\n$ "+format, args...) }

// note prints a remark.
func (d *demonstration) note(format string, args ...any) { d.a.say("  "+format, args...) }

// createTenant makes a tenant with a mapping, a key pair and a password.
func (d *demonstration) createTenant() error {
	quiet := demoQuiet.Seconds()
	for n := 1; ; n++ {
		d.slug = "demo"
		if n > 1 {
			d.slug = "demo_" + strconv.Itoa(n)
		}
		body := api.TenantCreate{Slug: d.slug, Name: "Demonstration", Schema: d.cmd.Schema, QuietPeriodSeconds: &quiet}
		err := d.client.post("/etl/tenants", body, nil)
		if err == nil {
			break
		}
		if !hasStatus(err, http.StatusConflict) || n == maxDemos {
			return err
		}
	}
	d.shows("dropline tenant create %s --name Demonstration --quiet-period %s", d.slug, demoQuiet)
	if d.cmd.Mapping != "" {
		d.shows("dropline mapping put %s %s", d.slug, d.cmd.Mapping)
		raw, err := readBounded(d.cmd.Mapping, maxMappingFile)
		if err != nil {
			return err
		}
		var stored api.MappingStored
		r := request{
			method: http.MethodPut, path: pathf("/etl/tenants/%s/mapping", d.slug), raw: bytes.NewReader(raw),
			length: int64(len(raw)), contentType: "application/yaml",
		}
		if err := d.client.call(r, &stored); err != nil {
			return inFile(err, d.cmd.Mapping)
		}
		d.note("stored as version %d", stored.Version)
	}
	return d.addCredentials()
}

func (d *demonstration) addCredentials() error {
	d.shows("ssh-keygen -t ed25519 -N '' -f demo_key && dropline credential add-key %s demo_key.pub", d.slug)
	key := filepath.Join(d.dir, "demo_key")
	if err := d.exec("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", d.slug, "-f", key); err != nil {
		return err
	}
	line, err := d.a.keyLine(key + ".pub")
	if err != nil {
		return err
	}
	var made api.CredentialCreated
	r := request{method: http.MethodPost, path: credentialsPath(d.slug), body: api.CredentialCreate{Kind: "public_key", Label: "demo", PublicKey: line}}
	if err := d.client.call(r, &made); err != nil {
		return err
	}
	d.note("%s", made.Fingerprint)
	d.shows("dropline credential add-password %s", d.slug)
	r.body = api.CredentialCreate{Kind: "password", Label: "demo"}
	if err := d.client.call(r, &made); err != nil {
		return err
	}
	d.note("a password was made; it works with any SFTP client, as user %s", d.slug)
	return nil
}

// gather finds the files to upload, or makes them.
func (d *demonstration) gather() error {
	root := d.cmd.Data
	if root == "" {
		root = filepath.Join(d.dir, "export")
		d.shows("dropline sample export --errors %d", demoErrors)
		e, err := sample.New(sample.Config{Seed: 1, Errors: demoErrors})
		if err != nil {
			return err
		}
		var rows int64
		for _, t := range e.Tables() {
			rows += t.Rows
		}
		if err := e.Write(d.a.ctx, root, nil); err != nil {
			return err
		}
		d.note("%s in %d files, %d of them spoiled", plural(rows, "row", "rows"), len(e.Tables()), demoErrors)
	}
	found, leftOut, err := dataFiles(root)
	if err != nil {
		return err
	}
	for _, to := range found {
		d.files = append(d.files, demoFile{filepath.Join(root, filepath.FromSlash(to)), to})
	}
	if len(leftOut) > 0 {
		d.a.say("")
		d.note("left out, as no data by their extension: %s", strings.Join(leftOut, ", "))
	}
	if len(d.files) == 0 {
		err = failed("name a directory with CSV files", "there is no data file in %s", root)
	}
	return err
}

// upload sends the files with OpenSSH's client, after comparing the host key's fingerprint.
func (d *demonstration) upload() error {
	var info api.ServerInfo
	if err := d.client.get("/etl/server", nil, &info); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(d.server.at.SFTP)
	if err != nil {
		return err
	}
	known := filepath.Join(d.dir, "known_hosts")
	d.shows("ssh-keyscan -p %s %s > known_hosts && ssh-keygen -lf known_hosts   # compare with dropline config", port, host)
	if err := d.trust(known, host, port, info.SFTP.Fingerprints); err != nil {
		return err
	}
	batch := filepath.Join(d.dir, "batch")
	if err := os.WriteFile(batch, []byte(sftpBatch(d.files)), 0o600); err != nil {
		return err
	}
	what := "put export/*.csv"
	if d.cmd.Data != "" {
		what = "put -r " + d.cmd.Data + "/*"
	}
	d.shows("sftp -P %s -i demo_key -o UserKnownHostsFile=known_hosts %s@%s <<< '%s'", port, d.slug, host, what)
	start := time.Now()
	err = d.exec("sftp", "-q", "-F", "/dev/null", "-b", batch, "-P", port, "-i", filepath.Join(d.dir, "demo_key"),
		"-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile="+known, "-o", "GlobalKnownHostsFile=/dev/null",
		"-o", "StrictHostKeyChecking=yes", d.slug+"@"+host)
	if err != nil {
		return err
	}
	d.note("%s uploaded in %.1f s; each was durable before the client heard so", plural(int64(len(d.files)), "file", "files"), time.Since(start).Seconds())
	return nil
}

// trust writes known_hosts with the key that the server shows, if its fingerprint is the one that the API tells.
func (d *demonstration) trust(known, host, port string, fingerprints []string) error {
	keys, err := d.output("ssh-keyscan", "-t", "ed25519,ecdsa,rsa", "-p", port, host)
	if err != nil {
		return err
	}
	if err := os.WriteFile(known, keys, 0o600); err != nil {
		return err
	}
	shown, err := d.output("ssh-keygen", "-lf", known)
	if err != nil {
		return err
	}
	for _, f := range fingerprints {
		if strings.Contains(string(shown), f) {
			d.note("%s: as the server says over its API", f)
			return nil
		}
	}
	return failed("", "the SFTP host key is not the one that the API tells")
}

// sftpBatch is the batch file of an upload that keeps folders.
func sftpBatch(files []demoFile) string {
	var b strings.Builder
	made := map[string]bool{}
	for _, f := range files {
		parts := strings.Split(f.to, "/")
		for i := 1; i < len(parts); i++ {
			if folder := strings.Join(parts[:i], "/"); !made[folder] {
				made[folder] = true
				put(&b, "-mkdir %s\n", sftpQuote("inbox/"+folder)) // it may be there already
			}
		}
		put(&b, "put %s %s\n", sftpQuote(f.path), sftpQuote("inbox/"+f.to))
	}
	return b.String()
}

// sftpQuote makes a path one word of an sftp batch, in which nothing is a pattern.
func sftpQuote(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}

// follow waits for the imports of what was uploaded, shows each, and promotes what can be promoted.
func (d *demonstration) follow() error {
	d.shows("dropline status latest --tenant %s --watch && dropline import show latest --tenant %s", d.slug, d.slug)
	for {
		if err := d.followNew(); err != nil {
			return err
		}
		var drops api.DropPage
		if err := d.client.get("/etl/drops", withCursor(tenantQuery(d.slug), "", pageSize), &drops); err != nil {
			return err
		}
		waiting := len(d.seen) == 0
		for _, drop := range drops.Items {
			waiting = waiting || drop.State == "pending" || (drop.RequestID != "" && !d.seen[drop.RequestID])
		}
		if !waiting {
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-d.a.ctx.Done():
			return d.a.ctx.Err()
		}
	}
}

func (d *demonstration) followNew() error {
	var page api.ImportPage
	if err := d.client.get("/etl/imports", withCursor(tenantQuery(d.slug), "", pageSize), &page); err != nil {
		return err
	}
	for i := len(page.Items) - 1; i >= 0; i-- { // oldest first
		id := page.Items[i].RequestID
		if d.seen[id] {
			continue
		}
		d.seen[id] = true
		quiet := *d.a
		if quiet.json {
			quiet.json, quiet.terminal, quiet.stdout = false, false, io.Discard
		}
		s, err := quiet.watch(d.client, id, 0)
		if err != nil {
			return err
		}
		d.last = s
		if !d.a.json {
			put(d.a.stdout, "\n")
			showReceipt(d.a.stdout, s)
		}
		if err := d.promote(s); err != nil {
			return err
		}
	}
	return nil
}

// promote promotes a staged import.
func (d *demonstration) promote(s api.ImportStatus) error {
	switch s.State {
	case "staged":
	case "rejected":
		d.refuse = true
		d.shows("dropline rejects %s --csv   # all refused rows; /reports has them too", s.RequestID)
		d.note("rejected: %s; nothing was promoted", s.Error)
		return nil
	default:
		return outcome(s)
	}
	d.shows("dropline promote %s --wait", s.RequestID)
	if err := d.client.post("/etl/promote-to-production", api.PromoteRequest{RequestID: s.RequestID}, nil); err != nil {
		return err
	}
	quiet := *d.a
	quiet.json, quiet.terminal, quiet.stdout = false, false, io.Discard
	s, err := quiet.watch(d.client, s.RequestID, 0)
	if err != nil {
		return err
	}
	d.last = s
	if !d.a.json {
		showOutcome(d.a.stdout, s)
	}
	if s.State != "promoted" {
		return failed(s.Hint, "the promotion did not go through: %s", s.Error)
	}
	return nil
}

// production shows what is there at the end.
func (d *demonstration) production() (api.Production, error) {
	d.shows("dropline tenant show %s", d.slug)
	var p api.Production
	err := d.client.get(pathf("/etl/tenants/%s/production", d.slug), nil, &p)
	if err == nil && !d.a.json {
		showProduction(d.a.stdout, p)
	}
	return p, err
}

// exec runs another program; what it says is shown if it fails.
func (d *demonstration) exec(name string, args ...string) error {
	_, err := d.output(name, args...)
	return err
}

func (d *demonstration) output(name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(d.a.ctx, demoExecTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, failed("install OpenSSH's client: make deps, or apt-get install openssh-client", "%s is not installed", name)
	case d.a.ctx.Err() != nil:
		return nil, d.a.ctx.Err()
	case err != nil:
		f := &failure{message: name + " failed: " + err.Error(), status: exitFailed, cause: err}
		for line := range strings.Lines(said.String()) {
			f.details = append(f.details, strings.TrimSpace(line))
		}
		return nil, f
	}
	return out, nil
}
