//go:build linux

package devstack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// superuser owns the cluster and is used here only; appRole is what DatabaseURL gives out. It may create
	// databases and roles, but read no file of the server's and run no program there.
	superuser   = "postgres"
	appRole     = "dropline"
	appDatabase = "dropline"
)

// postgres is the supervised database server.
type postgres struct {
	*child
	cfg     *Config
	secrets *secrets
	bin     string  // directory of initdb and postgres
	acct    account // whom it runs as
	home    string  // DataDir/postgres, the account's own
	log     *serverLog
	dir     *os.File // the data directory, open
}

func startPostgres(ctx context.Context, cfg *Config, sec *secrets) (*postgres, error) {
	bin, err := findPostgres(ctx, cfg.PostgresBin)
	if err != nil {
		return nil, err
	}
	p := &postgres{cfg: cfg, secrets: sec, bin: bin, home: filepath.Join(cfg.DataDir, "postgres")}
	if p.acct, err = postgresAccount(p.dataDir()); err != nil {
		return nil, err
	}
	if p.log, err = openLog(filepath.Join(cfg.DataDir, "log", "postgres.log")); err != nil {
		return nil, err
	}
	if err := p.ensureCluster(ctx); err != nil {
		return nil, errors.Join(err, p.log.close())
	}
	// An earlier server may still hold the port, which is chosen once: restarts keep it, as pools reconnect to it.
	if err := endLeftovers(ctx, p.dataDir(), cfg.Logger); err != nil {
		return nil, errors.Join(err, p.log.close())
	}
	if err := sec.choosePort(cfg.DataDir, &sec.PostgresPort); err != nil {
		return nil, errors.Join(err, p.log.close())
	}
	if p.dir, err = os.Open(p.dataDir()); err != nil {
		return nil, errors.Join(&Error{Op: "devstack: opening the cluster", Err: err, Hint: diskHint(err)}, p.log.close())
	}
	p.child = &child{
		name: "PostgreSQL", log: cfg.Logger, prepare: p.prepare, lastWords: p.log.lastWords,
		gentle: syscall.SIGINT, harsh: syscall.SIGQUIT, // fast and immediate shutdown
	}
	p.run()
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.StartTimeout, errors.New("it did not answer in time"))
	defer cancel()
	if err := p.await(ctx, 20*time.Millisecond, p.bootstrap); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), defaultStopTimeout)
		defer cancel()
		return nil, errors.Join(err, p.stop(stopCtx))
	}
	cfg.Logger.Info("PostgreSQL is up", "port", sec.PostgresPort, "pid", p.pid(), "account", p.acct.name)
	return p, nil
}

func (p *postgres) dataDir() string { return filepath.Join(p.home, "data") }

// prepare clears away what an earlier server left, then describes the next one.
func (p *postgres) prepare(ctx context.Context) (*exec.Cmd, error) {
	if err := endLeftovers(ctx, p.dataDir(), p.cfg.Logger); err != nil {
		return nil, err
	}
	if err := p.writeSettings(); err != nil {
		return nil, err
	}
	cmd := p.command("postgres", p.dir, "-D", p.seen(p.dir),
		"-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(p.secrets.PostgresPort))
	cmd.SysProcAttr.Pdeathsig = syscall.SIGINT
	p.log.mark()
	return cmd, nil
}

// inheritedDir is the name of the directory that command hands down: exec.Cmd's first extra file is descriptor 3.
const inheritedDir = "/proc/self/fd/3"

// command is a program of PostgreSQL's, run as its account on dir, out of reach of the terminal's signals: ^C is for
// dropline to handle, which still needs its database while it ends. dir must stay open until the program has started.
func (p *postgres) command(name string, dir *os.File, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...) //nolint:noctx // it is ended by signals, gently first
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + p.bin + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	cmd.Stdout, cmd.Stderr = p.log.f, p.log.f
	cmd.ExtraFiles = []*os.File{dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: p.acct.credential()}
	return cmd
}

// seen is the name by which PostgreSQL's account can reach dir. When root keeps the data in its home, the account may
// not pass through /root; but a process can always reach what its own open descriptors refer to.
func (p *postgres) seen(dir *os.File) string {
	if p.acct.canReach(dir.Name()) {
		return dir.Name()
	}
	return inheritedDir
}

func (p *postgres) url(role, password, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, password),
		Host: "127.0.0.1:" + strconv.Itoa(p.secrets.PostgresPort), Path: "/" + database,
		RawQuery: "sslmode=disable", // loopback: there is no certificate to check
	}
	return u.String()
}

// bootstrap makes the role and the database unless they exist. It succeeds once the server answers, and is repeated
// at each start, so that a first start cut short is made good by the second.
func (p *postgres) bootstrap(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.url(superuser, p.secrets.SuperuserPassword, "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var haveRole, haveDatabase bool
	err = conn.QueryRow(ctx, `select exists (select from pg_roles where rolname = $1), exists (select from pg_database where datname = $2)`,
		appRole, appDatabase).Scan(&haveRole, &haveDatabase)
	if err != nil {
		return err
	}
	verb := "alter"
	if !haveRole {
		verb = "create"
	}
	// The password is hex digits of our own making: nothing in it needs quoting.
	statements := []string{
		fmt.Sprintf(`%s role %s login createdb createrole password '%s'`, verb, appRole, p.secrets.DatabasePassword),
		fmt.Sprintf(`grant pg_monitor, pg_checkpoint, pg_signal_backend to %s`, appRole),
	}
	if !haveDatabase {
		statements = append(statements, fmt.Sprintf(`create database %s owner %s`, appDatabase, appRole))
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

func (p *postgres) stop(ctx context.Context) error {
	if running, _ := leftovers(p.dataDir()); recovering(running) {
		p.gentle = p.harsh // see endLeftovers
	}
	return errors.Join(p.child.stop(ctx), p.dir.Close(), p.log.close())
}

func (p *postgres) pid() int {
	if p == nil {
		return 0
	}
	return p.child.pid()
}

// ensureCluster makes the database cluster on first use. It is made beside its place and renamed, so that a first
// start cut short leaves nothing half made.
func (p *postgres) ensureCluster(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(p.dataDir(), "PG_VERSION")); err == nil {
		return p.checkVersion(ctx)
	}
	fresh := filepath.Join(p.home, "data.new")
	if err := p.makeHome(fresh); err != nil {
		return &Error{Op: "devstack: making " + p.home, Err: err, Hint: diskHint(err)}
	}
	p.cfg.Logger.Info("making the database cluster", "directory", p.dataDir(), "binaries", p.bin)
	if err := p.fillCluster(ctx, fresh); err != nil {
		return err
	}
	err := os.Rename(fresh, p.dataDir())
	if err == nil {
		err = syncDir(p.home)
	}
	if err != nil {
		return &Error{Op: "devstack: making the database cluster", Err: err, Hint: diskHint(err)}
	}
	return nil
}

func (p *postgres) makeHome(fresh string) error {
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.MkdirAll(fresh, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(p.home, 0o700); err != nil {
		return err
	}
	return errors.Join(p.acct.own(p.home), p.acct.own(fresh))
}

// initdb makes a cluster in dir, which exists and is empty.
func (p *postgres) initdb(ctx context.Context, dir string) error {
	pwfile := filepath.Join(p.home, "password.new")
	if err := os.WriteFile(pwfile, []byte(p.secrets.SuperuserPassword+"\n"), 0o600); err != nil {
		return &Error{Op: "devstack: making the database cluster", Err: err, Hint: diskHint(err)}
	}
	defer func() { _ = os.Remove(pwfile) }()
	if err := p.acct.own(pwfile); err != nil {
		return &Error{Op: "devstack: making the database cluster", Err: err}
	}
	p.log.mark()
	handle, err := os.Open(dir)
	if err != nil {
		return &Error{Op: "devstack: making the database cluster", Err: err, Hint: diskHint(err)}
	}
	defer func() { _ = handle.Close() }()
	args := []string{
		"-D", p.seen(handle), "-U", superuser, "--pwfile=" + p.seen(handle) + "/../password.new", "--no-instructions",
		"--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--data-checksums",
		// Bytewise order is fast and does not change when the system's libc does.
		"--encoding=UTF8", "--lc-collate=C", "--lc-ctype=C.UTF-8", "--lc-messages=C",
	}
	if p.cfg.Ephemeral {
		args = append(args, "--no-sync")
	}
	cmd := p.command("initdb", handle, args...)
	if err := cmd.Start(); err != nil {
		return &Error{Op: "devstack: running initdb", Err: err}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		<-ended //nolint:errcheck // it was killed; why is what is told
		err = context.Cause(ctx)
	}
	if err != nil {
		words := p.log.lastWords()
		return &Error{Op: "devstack: making the database cluster: initdb", Err: fmt.Errorf("%w: %s", err, words), Hint: wordsHint(words)}
	}
	return nil
}
