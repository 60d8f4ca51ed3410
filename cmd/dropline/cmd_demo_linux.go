package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"dropline/api"
)

const (
	demoErrors      = 12               // spoiled rows: enough to see the kinds, far under the reject limit
	demoQuiet       = time.Second      // the demonstration's own quiet period; a tenant's is 10 s unless set
	demoExecTimeout = 30 * time.Minute // of one program that is run: an upload of somebody's own files takes its time
	maxDemos        = 1000             // tenants of demonstrations in one data directory
)

// Run carries the command out.
func (c *demoCmd) Run(a *app) error {
	start := time.Now()
	if info, err := os.Stat(c.Data); c.Data != "" && (err != nil || !info.IsDir()) {
		return usageError("such as --data ./export", "%s is no directory", c.Data)
	}
	if _, err := os.Stat(c.Mapping); c.Mapping != "" && err != nil {
		return err
	}
	dir, keep, err := c.directory(a)
	if err != nil {
		return err
	}
	d, err := c.begin(a, dir)
	if err != nil {
		return errors.Join(err, discard(dir, keep))
	}
	production, err := d.run()
	err = errors.Join(err, d.server.stop(), os.RemoveAll(d.dir), discard(dir, keep))
	if a.ctx.Err() != nil { // a signal, of which what was being run has heard too
		return a.ctx.Err()
	}
	if err != nil {
		return err
	}
	if a.json {
		err = a.emitJSON(struct {
			Import     api.ImportStatus `json:"import"`
			Production api.Production   `json:"production"`
			Seconds    float64          `json:"seconds"`
		}{d.last, production, time.Since(start).Seconds()})
	}
	a.say("\ndone in %.1f s", time.Since(start).Seconds())
	if keep {
		a.say("the data is kept: dropline serve --data-dir %s", dir)
	}
	if err == nil && d.refuse {
		err = faultsFound()
	}
	return err
}

// directory is where the server's data goes.
func (c *demoCmd) directory(a *app) (dir string, keep bool, err error) {
	if a.settings.byFlag(keyDataDir) { // that of the configuration is a real server's
		return a.settings.text(keyDataDir), true, nil
	}
	dir, err = os.MkdirTemp("", "dropline-demo-")
	if err != nil {
		return "", false, err
	}
	// PostgreSQL runs as another account if this is root, and must get to its part.
	return dir, false, os.Chmod(dir, 0o755)
}

func discard(dir string, keep bool) error {
	if keep {
		return nil
	}
	return os.RemoveAll(dir)
}

// begin starts the server and signs in to it.
func (c *demoCmd) begin(a *app, dir string) (*demonstration, error) {
	d := &demonstration{a: a, cmd: c, seen: map[string]bool{}}
	log := io.Discard
	if c.Verbose {
		log = a.stderr
	}
	quiet := *a
	var err error
	if quiet.settings, err = a.loadSettings(map[string]string{
		"data-dir": dir, "sftp-listen": "127.0.0.1:0", "api-listen": "127.0.0.1:0", "roles": "sftp,api,worker",
	}); err != nil {
		return nil, err
	}
	if err = quiet.settings.reset(othersServers()...); err != nil {
		return nil, err
	}
	d.shows("dropline serve &")
	a.tuneMemory()
	if d.server, err = startServer(a.ctx, serverConfig{
		settings: quiet.settings, logger: slog.New(slog.NewTextHandler(log, nil)), lookup: a.lookup,
	}); err != nil {
		return nil, err
	}
	d.note("PostgreSQL, S3, SFTP on %s, API on %s", d.server.at.SFTP, d.server.at.API)
	op, err := readOperator(dir)
	if err == nil {
		d.client = quiet.clientFor(op)
		if d.dir, err = os.MkdirTemp("", "dropline-demo-files-"); err == nil {
			d.dir, err = filepath.EvalSymlinks(d.dir)
		}
	}
	if err != nil {
		return nil, errors.Join(err, d.server.stop())
	}
	return d, nil
}

// othersServers are the settings that lead to servers other than the demonstration's own. Who has them set, in the environment
// or a file, has a real server, in which a demonstration's tenant and rows have no place.
func othersServers() []string {
	return []string{
		keyDatabase, keyBucket, keyS3Endpoint, keyS3Region, keyS3HostStyle, keyS3NoSums, keyS3Access, keyS3Secret, keyS3Session,
		keySFTPAddress, keySFTPHostKey, keyAPIURL, keySecretsFile, keySecretsKMS,
	}
}

// run goes through the steps.
func (d *demonstration) run() (api.Production, error) {
	for _, step := range []func() error{d.createTenant, d.gather, d.upload, d.follow} {
		if err := step(); err != nil {
			return api.Production{}, err
		}
	}
	return d.production()
}
