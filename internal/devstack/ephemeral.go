//go:build linux

package devstack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// fillCluster makes the cluster in dir: with initdb, or for a test by copying one that an earlier test made.
func (p *postgres) fillCluster(ctx context.Context, dir string) error {
	var err error
	if p.cfg.Ephemeral {
		err = p.copyTemplate(ctx, dir)
	} else {
		err = p.initdb(ctx, dir)
	}
	if err != nil {
		return err
	}
	conf := filepath.Join(dir, "postgresql.conf")
	f, err := os.OpenFile(conf, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = fmt.Fprintf(f, "\ninclude_if_exists = '%s'\n", settingsFile)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return &Error{Op: "devstack: writing " + conf, Err: err, Hint: diskHint(err)}
	}
	return nil
}

// copyTemplate fills dir from a cluster kept in the temporary directory, making that first if need be: initdb takes a
// second, a copy a tenth. All ephemeral clusters share its system identifier and its superuser's password.
func (p *postgres) copyTemplate(ctx context.Context, dir string) error {
	major, err := postgresMajor(ctx, p.bin)
	if err != nil {
		return &Error{Op: "devstack: asking PostgreSQL for its version", Err: err}
	}
	cache := filepath.Join(os.TempDir(), fmt.Sprintf("dropline-initdb-%d-%d", os.Geteuid(), major))
	template := filepath.Join(cache, "data")
	if err := p.makeTemplate(ctx, cache, template); err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(cache, "password"))
	if err != nil {
		return &Error{Op: "devstack: reading the test cluster's password", Err: err, Hint: "remove " + cache}
	}
	p.secrets.SuperuserPassword = string(raw)
	if err := p.secrets.save(p.cfg.DataDir); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "cp", "-a", template+"/.", dir).CombinedOutput(); err != nil {
		return &Error{Op: "devstack: copying the test cluster", Err: fmt.Errorf("%w: %s", err, out), Hint: wordsHint(string(out))}
	}
	return nil
}

// makeTemplate makes the template cluster unless it is there, one process at a time.
func (p *postgres) makeTemplate(ctx context.Context, cache, template string) error {
	wrap := func(err error) error {
		return &Error{Op: "devstack: making the test cluster in " + cache, Err: err, Hint: diskHint(err)}
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return wrap(err)
	}
	if owner, err := ownerOf(cache); err != nil || owner.uid != os.Geteuid() {
		return wrap(errors.Join(err, errors.New("the directory belongs to another user")))
	}
	lock, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return wrap(err)
	}
	defer func() { _ = lock.Close() }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return wrap(err)
	}
	if _, err := os.Stat(template); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Made in this stack's own directory, which the account can reach, then copied over and renamed into place.
	made := filepath.Join(p.home, "template.new")
	if err := p.makeHome(made); err != nil {
		return wrap(err)
	}
	defer func() { _ = os.RemoveAll(made) }()
	if err := p.initdb(ctx, made); err != nil {
		return err
	}
	_ = os.RemoveAll(template + ".new")
	if out, err := exec.CommandContext(ctx, "cp", "-a", made, template+".new").CombinedOutput(); err != nil {
		return wrap(fmt.Errorf("%w: %s", err, out))
	}
	if err := os.WriteFile(filepath.Join(cache, "password"), []byte(p.secrets.SuperuserPassword), 0o600); err != nil {
		return wrap(err)
	}
	if err := os.Rename(template+".new", template); err != nil {
		return wrap(err)
	}
	return nil
}
