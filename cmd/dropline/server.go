//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/ssh"

	"dropline/api"
	"dropline/ingest"
	"dropline/ingest/bucket"
	"dropline/ingest/ledger"
	"dropline/internal/devstack"
	"dropline/internal/seal"
	"dropline/loader"
	"dropline/loader/staging"
	"dropline/schema"
	"dropline/sftpd"
)

// serverConfig is what a server is started with.
type serverConfig struct {
	settings    *settings
	logger      *slog.Logger
	lookup      func(string) (string, bool)
	newOperator bool
}

// server is a running server: the stores it uses and the roles it plays.
type server struct {
	cfg          serverConfig
	logger       *slog.Logger
	dataDir      string
	at           addresses
	operator     *operatorCredential // made by this start; nil if there was one
	operatorPath string

	stack     *devstack.Stack // nil if nothing is embedded
	pool      *pgxpool.Pool
	storePool *pgxpool.Pool // of the staging store: copies may hold connections for long
	ledger    *ledger.Ledger
	bucket    *bucket.Bucket
	receiver  *ingest.Receiver
	store     *staging.Store
	schemas   *schema.Catalogue
	hostKey   ssh.Signer
	registry  *prometheus.Registry

	keyring   *seal.Keyring // nil: connection strings are not taken in
	databases loader.Databases
	dryRuns   loader.Databases // the same, for the API

	sftpListener, apiListener net.Listener

	cancel context.CancelFunc // ends the roles
	roles  sync.WaitGroup
	failed chan struct{} // closed when a role or the embedded stack ended by itself
	once   sync.Once
	mu     sync.Mutex
	err    error
}

// startServer brings everything up and returns once clients can be served. What was started is stopped again if it fails.
func startServer(ctx context.Context, cfg serverConfig) (*server, error) {
	s := &server{cfg: cfg, logger: cfg.logger, dataDir: cfg.settings.text(keyDataDir), failed: make(chan struct{})}
	if err := s.start(ctx); err != nil {
		stopErr := s.stop()
		if ctx.Err() != nil { // a signal, of which what was being started has heard too
			return nil, ctx.Err()
		}
		return nil, errors.Join(err, stopErr)
	}
	return s, nil
}

func (s *server) start(ctx context.Context) error {
	if err := os.MkdirAll(s.dataDir, 0o755); err != nil {
		return failed("name another with --data-dir", "the data directory cannot be made: %w", err)
	}
	if err := removeFile(filepath.Join(s.dataDir, addressesFile)); err != nil { // of a process that was killed
		return err
	}
	if err := s.loadSchemas(); err != nil {
		return err
	}
	// Listeners first: a port that is taken is told before anything else is started.
	if err := s.listen(ctx); err != nil {
		return err
	}
	if err := s.openStores(ctx); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.startRoles(ctx); err != nil {
		return err
	}
	return writePrivate(filepath.Join(s.dataDir, addressesFile), s.at)
}

func (s *server) has(role string) bool { return slices.Contains(s.at.Roles, role) }

func (s *server) loadSchemas() error {
	s.schemas = schema.NewCatalogue()
	for _, path := range s.cfg.settings.list(keySchemas) {
		if _, err := s.schemas.LoadFile(path); err != nil {
			return definitionFailure(err)
		}
	}
	return nil
}

// listen takes the ports of the roles.
func (s *server) listen(ctx context.Context) error {
	set := s.cfg.settings
	s.at = addresses{PID: os.Getpid(), Version: version, Roles: set.list(keyRoles)}
	var err error
	if s.has(roleSFTP) {
		if s.sftpListener, err = listenOn(ctx, "SFTP", keySFTPListen, set); err != nil {
			return err
		}
		s.at.SFTP = reachable(s.sftpListener.Addr())
	}
	if address := set.text(keySFTPAddress); address != "" {
		s.at.SFTP = address
	}
	if s.has(roleAPI) {
		if s.apiListener, err = listenOn(ctx, "API", keyAPIListen, set); err != nil {
			return err
		}
		s.at.API = "http://" + reachable(s.apiListener.Addr())
	}
	return nil
}

func listenOn(ctx context.Context, what, key string, set *settings) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", set.text(key))
	if err != nil {
		return nil, failed("choose another address for "+key+" (see dropline config), or stop what is using it", "the %s cannot listen: %w", what, err)
	}
	return l, nil
}

// reachable is an address by which a listener is reached from this machine.
func reachable(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}

// prepare makes what the roles share.
func (s *server) prepare(ctx context.Context) error {
	set := s.cfg.settings
	var err error
	s.receiver, err = ingest.NewReceiver(s.ledger, s.bucket, ingest.ReceiverConfig{MaxFileBytes: set.number(keyMaxFile)})
	if err != nil {
		return err
	}
	if s.store, err = staging.New(s.storePool, staging.Config{Logger: s.logger}); err != nil {
		return err
	}
	if path := set.text(keySFTPHostKey); path != "" {
		s.hostKey, err = sftpd.HostKeyFile(path)
	} else {
		s.hostKey, err = sftpd.HostKey(ctx, s.ledger)
	}
	if err != nil {
		return err
	}
	if err := s.prepareDatabases(ctx); err != nil {
		return err
	}
	s.at.Fingerprints = []string{sftpd.Fingerprint(s.hostKey)}
	s.registry = newRegistry(s.pool)
	if s.has(roleAPI) {
		return s.ensureOperator(ctx)
	}
	return nil
}

// firstOperator names the setting that remembers that the first operator credential was made.
const firstOperator = "first_operator"

// ensureOperator makes the operator's first credential and keeps operator.json true to where the API is.
func (s *server) ensureOperator(ctx context.Context) error {
	s.operatorPath = filepath.Join(s.dataDir, operatorFile)
	target := s.at.API
	if u := s.cfg.settings.text(keyAPIURL); u != "" {
		target = strings.TrimSuffix(u, "/")
	}
	create := func() ([]byte, error) {
		cred, secret, err := s.ledger.AddClient(ctx, "", "operator.json of "+hostname(), nil)
		if err != nil {
			return nil, err
		}
		op := operatorCredential{URL: target, ClientID: string(cred.ID), ClientSecret: secret}
		// Written before it is remembered: a crash in between makes another at the next start, and loses none.
		if err := writePrivate(s.operatorPath, op); err != nil {
			return nil, err
		}
		s.operator = &op
		return []byte(cred.ID), nil
	}
	if s.cfg.newOperator {
		_, err := create()
		return err
	}
	if _, err := s.ledger.Setting(ctx, firstOperator, create); err != nil || s.operator != nil {
		return err
	}
	op, err := readOperator(s.dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		s.logger.Info("the operator's credential was made by an earlier start and is not in this data directory",
			"hint", "serve --new-operator makes another")
		return nil
	}
	if err != nil || op.URL == target {
		return err
	}
	op.URL = target
	return writePrivate(s.operatorPath, op)
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "this machine"
	}
	return name
}

// sftpInfo is what clients are told about SFTP.
func (s *server) sftpInfo() api.SFTPInfo {
	info := api.SFTPInfo{Fingerprints: s.at.Fingerprints}
	if host, port, err := net.SplitHostPort(s.at.SFTP); err == nil {
		info.Host = host
		info.Port, _ = strconv.Atoi(port)
	}
	return info
}

// fail notes the first error of something that should have gone on.
func (s *server) fail(err error) {
	s.mu.Lock()
	s.err = errors.Join(s.err, err)
	s.mu.Unlock()
	s.once.Do(func() { close(s.failed) })
}

// stop ends the roles, then what they used, within the time the settings give it. It returns why the server ended, if by
// itself.
func (s *server) stop() error {
	limit := s.cfg.settings.duration(keyStopTimeout)
	deadline := time.Now().Add(limit)
	if s.cancel != nil {
		s.cancel()
	}
	ended := make(chan struct{})
	go func() {
		s.roles.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(limit * 3 / 4):
		s.logger.Warn("some work did not end in time; it is taken up again at the next start")
	}
	for _, l := range []net.Listener{s.sftpListener, s.apiListener} {
		if l != nil {
			_ = l.Close() // the roles that began to serve have closed theirs
		}
	}
	var errs []error
	if s.at.PID != 0 {
		errs = append(errs, removeFile(filepath.Join(s.dataDir, addressesFile)))
	}
	for _, pool := range []*pgxpool.Pool{s.storePool, s.pool} {
		if pool != nil {
			closePool(pool, time.Until(deadline))
		}
	}
	if s.stack != nil {
		ctx, cancel := context.WithDeadline(context.Background(), deadline.Add(time.Second))
		errs = append(errs, s.stack.Stop(ctx))
		cancel()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(append([]error{s.err}, errs...)...)
}

// closePool closes the pool, but does not wait for connections that are never given back.
func closePool(pool *pgxpool.Pool, limit time.Duration) {
	closed := make(chan struct{})
	go func() {
		pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(min(limit, 2*time.Second)):
	}
}

// proxyFromEnvironment is how requests to S3 find a proxy.
func proxyFromEnvironment(r *http.Request) (*url.URL, error) { return http.ProxyFromEnvironment(r) }

// role runs a part of the server. Its end before it was asked to is a failure of the server.
func (s *server) role(ctx context.Context, name string, run func(context.Context) error) {
	s.roles.Go(func() {
		err := run(ctx)
		switch {
		case ctx.Err() == nil && err == nil:
			s.fail(fmt.Errorf("the %s ended by itself", name))
		case ctx.Err() == nil:
			s.fail(fmt.Errorf("the %s ended: %w", name, err))
		case err != nil && !errors.Is(err, context.Canceled):
			s.logger.Warn("did not end cleanly", "part", name, "error", err)
		}
	})
}
