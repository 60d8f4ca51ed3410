//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"dropline/ingest"
	"dropline/ingest/bucket"
	"dropline/ingest/ledger"
	"dropline/internal/devstack"
)

const (
	// poolConnections are opened at most, unless the connection string says otherwise: a few for each session that is
	// registering a file and each import being loaded or promoted. The staging store has as many of its own.
	poolConnections = 24
	// firstRetry and lastRetry bound the wait between two tries to reach a store at start.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 2 * time.Second
	// tryTimeout bounds one such try.
	tryTimeout = 20 * time.Second
)

// openStores starts what is embedded, and reaches PostgreSQL and S3.
func (s *server) openStores(ctx context.Context) error {
	set := s.cfg.settings
	database := set.text(keyDatabase)
	ownBucket := set.text(keyBucket) != "" || set.text(keyS3Endpoint) != ""
	if database == "" || !ownBucket {
		var err error
		s.stack, err = devstack.Start(ctx, devstack.Config{
			DataDir: s.dataDir, Logger: s.logger, PostgresBin: set.text(keyPostgresBin),
			NoPostgres: database != "", NoS3: ownBucket,
		})
		if err != nil {
			return err
		}
		if database == "" {
			database = s.stack.DatabaseURL()
		}
	}
	deadline := time.Now().Add(set.duration(keyStartTimeout))
	if err := s.openDatabase(ctx, database, deadline); err != nil {
		return err
	}
	return s.openBucket(ctx, ownBucket, deadline)
}

func (s *server) openDatabase(ctx context.Context, url string, deadline time.Time) error {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error may repeat the string, which holds a password.
		return usageError("it looks like postgres://user:password@host:5432/database", "DROPLINE_DATABASE_URL is no connection string of PostgreSQL")
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = poolConnections
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = "dropline"
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return err
	}
	if s.storePool, err = pgxpool.NewWithConfig(ctx, cfg.Copy()); err != nil {
		return err
	}
	where := fmt.Sprintf("PostgreSQL at %s:%d", cfg.ConnConfig.Host, cfg.ConnConfig.Port)
	return s.until(ctx, deadline, where, hopelessDatabase, func(ctx context.Context) error {
		if s.ledger, err = ledger.Open(ctx, ledger.Config{Pool: s.pool, Logger: quieter(s.logger)}); err != nil {
			return err
		}
		return s.ledger.Migrate(ctx)
	})
}

// hopelessDatabase reports whether trying again is in vain, and what to do.
func hopelessDatabase(err error) (hint string, hopeless bool) {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return "check DROPLINE_DATABASE_URL, and that PostgreSQL runs and may be reached from here", ingest.KindOf(err) != ingest.Unavailable
	}
	switch {
	case strings.HasPrefix(pg.Code, "28"):
		return "check the user and password in DROPLINE_DATABASE_URL", true
	case pg.Code == "3D000":
		return "create the database first: createdb", true
	case pg.Code == "42501":
		return "the user needs the right to create schemas in the database: GRANT CREATE ON DATABASE", true
	}
	return ingest.HintOf(err), ingest.KindOf(err) != ingest.Unavailable
}

func (s *server) openBucket(ctx context.Context, own bool, deadline time.Time) error {
	cfg, err := s.bucketConfig(ctx, own)
	if err != nil {
		return err
	}
	if s.bucket, err = bucket.New(cfg); err != nil {
		return err
	}
	where := fmt.Sprintf("the S3 bucket %q", cfg.Name)
	if cfg.Endpoint != "" {
		where += " at " + cfg.Endpoint
	}
	return s.until(ctx, deadline, where, func(err error) (string, bool) {
		hint := ingest.HintOf(err)
		if hint == "" {
			hint = "check DROPLINE_BUCKET, AWS_ENDPOINT_URL, AWS_REGION and the credentials; the bucket must exist"
		}
		kind := ingest.KindOf(err)
		return hint, kind != ingest.Unavailable && kind != ingest.Internal
	}, s.bucket.Healthy)
}

// defaultBucket is the name of the bucket if an endpoint is set and nothing else.
const defaultBucket = "dropline"

func (s *server) bucketConfig(ctx context.Context, own bool) (bucket.Config, error) {
	set := s.cfg.settings
	cfg := bucket.Config{Logger: s.logger, Memory: uploadMemory}
	if !own {
		info := s.stack.S3()
		cfg.Name, cfg.Region, cfg.Endpoint = info.Bucket, info.Region, info.Endpoint
		cfg.Credentials = credentials.NewStaticCredentialsProvider(info.AccessKey, info.SecretKey, "")
		return cfg, nil
	}
	cfg.Name, cfg.Region, cfg.Endpoint = set.text(keyBucket), set.text(keyS3Region), set.text(keyS3Endpoint)
	cfg.HostStyle, cfg.NoChecksums, cfg.Proxy = set.flag(keyS3HostStyle), set.flag(keyS3NoSums), proxyFromEnvironment
	if cfg.Name == "" {
		cfg.Name = defaultBucket
	}
	if id := set.text(keyS3Access); id != "" {
		cfg.Credentials = credentials.NewStaticCredentialsProvider(id, set.text(keyS3Secret), set.text(keyS3Session))
	}
	if cfg.Credentials != nil && cfg.Region != "" {
		return cfg, nil
	}
	// The usual places: profiles, web identity, instance and container roles.
	found, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, failed("check ~/.aws/config and the AWS_… variables", "the AWS settings cannot be read: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = found.Region
	}
	if cfg.Credentials == nil {
		cfg.Credentials = found.Credentials
	}
	return cfg, nil
}

// until tries to reach something until it answers, the time is over, or trying is in vain.
func (s *server) until(
	ctx context.Context, deadline time.Time, what string, judge func(error) (string, bool), try func(context.Context) error,
) error {
	wait, told := firstRetry, false
	for {
		one, cancel := context.WithTimeout(ctx, tryTimeout)
		err := try(one)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		hint, hopeless := judge(err)
		if hopeless || time.Now().Add(wait).After(deadline) {
			return failed(hint, "%s cannot be used: %s", what, ingest.MessageOf(err))
		}
		if !told {
			s.logger.Warn("waiting for "+what, "error", ingest.MessageOf(err))
			told = true
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait = min(2*wait, lastRetry)
	}
}
