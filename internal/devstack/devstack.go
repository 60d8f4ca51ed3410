//go:build linux

// Package devstack owns the embedded default: a private PostgreSQL and an S3 server on loopback, under one data
// directory, so that dropline runs with no configuration.
//
// PostgreSQL is the distribution's own binaries; the S3 server is this same program, started again as a child (see
// RunChild). Both are supervised: one that dies is started again on the same port, so that connection pools find it
// again, and both die with the program that started them, however that ends: PostgreSQL cleanly, the S3 server at once
// (every object it acknowledged is already on disk). Nothing listens beyond 127.0.0.1.
//
// One data directory is one program's: a second Start on it is refused. Its layout:
//
//	lock             held while a Stack runs
//	secrets.json     ports, passwords and keys, made once, mode 0600
//	postgres/data    the database cluster
//	s3/buckets       the objects, one directory per bucket
//	s3/meta          what does not fit in the objects' extended attributes
//	log/             what the two servers say
package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Config says what to start and where. The zero value of every field but DataDir is a working default.
type Config struct {
	// DataDir holds everything that is kept, and is made if it does not exist. Required. When the program runs as
	// root, PostgreSQL's part of it belongs to an unprivileged account.
	DataDir string
	// Logger hears of starts, deaths and restarts. Nil is silence.
	Logger *slog.Logger
	// PostgresBin is the directory of initdb and postgres, or empty to look for the newest installed version,
	// MinPostgresMajor at least.
	PostgresBin string
	// NoPostgres and NoS3 leave one of the two out, for when a real one is configured.
	NoPostgres, NoS3 bool
	// Bucket is the bucket that exists once Start has returned. Default "dropline".
	Bucket string
	// S3Command is the program, and its first arguments, that calls RunChild. Default: the running program.
	S3Command []string
	// StartTimeout bounds the time to the first answer of each server: a crash recovery of PostgreSQL included.
	// Default DefaultStartTimeout.
	StartTimeout time.Duration
	// Ephemeral gives up durability for speed: no fsync, and the new cluster is copied from one made earlier. For
	// tests, whose data nobody needs after a power cut.
	Ephemeral bool
}

const (
	// DefaultStartTimeout leaves PostgreSQL time to replay the 4 GB of write-ahead log that max_wal_size allows.
	DefaultStartTimeout = 5 * time.Minute
	// defaultStopTimeout bounds Stop when its context has no deadline: a shutdown checkpoint of the largest
	// shared_buffers to a slow disk takes less.
	defaultStopTimeout = 90 * time.Second
)

func (c *Config) validate() error {
	if c.DataDir == "" {
		return &Error{Op: "devstack", Err: errors.New("no data directory given")}
	}
	if c.NoPostgres && c.NoS3 {
		return &Error{Op: "devstack", Err: errors.New("neither PostgreSQL nor S3 is wanted: there is nothing to start")}
	}
	abs, err := filepath.Abs(c.DataDir)
	if err != nil {
		return &Error{Op: "devstack: data directory", Err: err}
	}
	c.DataDir = abs
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Bucket == "" {
		c.Bucket = "dropline"
	}
	if c.StartTimeout <= 0 {
		c.StartTimeout = DefaultStartTimeout
	}
	if len(c.S3Command) == 0 {
		// The running image itself, though an upgrade may have replaced its file meanwhile.
		c.S3Command = []string{"/proc/self/exe"}
	}
	return nil
}

// Error is what went wrong in starting or keeping up the stack, with what to do about it where that is known.
type Error struct {
	Op   string // what was being done
	Err  error  // what happened
	Hint string // what the reader can do; may be empty
}

func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Op + ": " + e.Err.Error()
	}
	return e.Op + ": " + e.Err.Error() + " (" + e.Hint + ")"
}

func (e *Error) Unwrap() error { return e.Err }

// S3Info is how to reach the S3 server: plain HTTP on loopback, path-style addresses, SigV4.
type S3Info struct {
	Endpoint, Region, AccessKey, SecretKey, Bucket string
}

// Stack is a running PostgreSQL and S3 server. Its methods may be called from any goroutine.
type Stack struct {
	cfg     Config
	lock    *dirLock
	secrets secrets
	pg      *postgres
	s3      *s3Server

	stopOnce sync.Once
	stopErr  error
	done     chan struct{}
	mu       sync.Mutex
	err      error
}

// Start brings both servers up, making them on first use, and returns when they answer. ctx bounds the start only. It
// waits for the servers of a program that was killed a moment ago to end; while another program uses DataDir it fails.
func Start(ctx context.Context, cfg Config) (*Stack, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(cfg.DataDir, "log"), 0o755); err != nil {
		return nil, &Error{Op: "devstack: making the data directory", Err: err, Hint: diskHint(err)}
	}
	lock, err := lockDir(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	s := &Stack{cfg: cfg, lock: lock, done: make(chan struct{})}
	if err := s.start(ctx); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), defaultStopTimeout)
		defer cancel()
		return nil, errors.Join(err, s.Stop(stopCtx))
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) (err error) {
	if s.secrets, err = loadSecrets(s.cfg.DataDir); err != nil {
		return err
	}
	if !s.cfg.NoPostgres {
		if s.pg, err = startPostgres(ctx, &s.cfg, &s.secrets); err != nil {
			return err
		}
		go s.watch(s.pg.child)
	}
	if !s.cfg.NoS3 {
		if s.s3, err = startS3(ctx, &s.cfg, &s.secrets); err != nil {
			return err
		}
		go s.watch(s.s3.child)
	}
	return nil
}

// watch ends the stack's life when a server could not be brought back.
func (s *Stack) watch(c *child) {
	<-c.done
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.err == nil {
		return
	}
	select {
	case <-s.done:
	default:
		s.err = c.err
		close(s.done)
	}
}

// DatabaseURL is a connection string for pgx and psql alike, or empty without PostgreSQL. It holds a password.
func (s *Stack) DatabaseURL() string {
	if s.pg == nil {
		return ""
	}
	return s.pg.url(appRole, s.secrets.DatabasePassword, appDatabase)
}

// S3 tells how to reach the S3 server; it is zero without one.
func (s *Stack) S3() S3Info {
	if s.s3 == nil {
		return S3Info{}
	}
	return S3Info{
		Endpoint: fmt.Sprintf("http://127.0.0.1:%d", s.secrets.S3Port), Region: s3Region,
		AccessKey: s.secrets.S3AccessKey, SecretKey: s.secrets.S3SecretKey, Bucket: s.cfg.Bucket,
	}
}

// PostgresPID and S3PID are the process ids of the two servers at this moment, 0 while one is down.
func (s *Stack) PostgresPID() int { return s.pg.pid() }

// S3PID is described at PostgresPID.
func (s *Stack) S3PID() int { return s.s3.pid() }

// Done is closed when a server died and could not be brought back, or Stop has finished; Err then says which.
func (s *Stack) Done() <-chan struct{} { return s.done }

// Err is why the stack ended by itself, or nil.
func (s *Stack) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Stop shuts both servers down cleanly and gives the data directory free. When ctx ends first it stops them at once,
// which loses nothing but makes the next start a crash recovery. Further calls return the first one's result.
func (s *Stack) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, defaultStopTimeout)
			defer cancel()
		}
		var wg sync.WaitGroup
		var pgErr, s3Err error
		if s.pg != nil {
			wg.Go(func() { pgErr = s.pg.stop(ctx) })
		}
		if s.s3 != nil {
			wg.Go(func() { s3Err = s.s3.stop(ctx) })
		}
		wg.Wait()
		s.stopErr = errors.Join(pgErr, s3Err, s.lock.release())
		s.mu.Lock()
		defer s.mu.Unlock()
		select {
		case <-s.done:
		default:
			close(s.done)
		}
	})
	return s.stopErr
}
