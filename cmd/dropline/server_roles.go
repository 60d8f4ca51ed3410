//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/crypto/ssh"

	"dropline/api"
	"dropline/ingest"
	"dropline/ingest/watch"
	"dropline/loader"
	"dropline/loader/staging"
	"dropline/schema"
	"dropline/sftpd"
)

// uploadGrace is how long uploads and other requests in flight have to finish when the server stops, or a third of the
// stop timeout if that is less. One that takes longer breaks off: over SFTP it can be resumed, over HTTP it registers
// nothing.
const uploadGrace = 10 * time.Second

func (s *server) grace() time.Duration {
	return min(uploadGrace, s.cfg.settings.duration(keyStopTimeout)/3)
}

// startRoles starts what this process does. It goes on until stop.
func (s *server) startRoles(ctx context.Context) error {
	// The roles outlive a signal until stop ends them in order.
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if s.stack != nil {
		s.roles.Go(func() { s.watchStack(ctx) })
	}
	if s.has(roleWorker) {
		if err := s.startWorker(ctx); err != nil {
			return err
		}
	}
	if s.has(roleSFTP) {
		if err := s.startSFTP(ctx); err != nil {
			return err
		}
	}
	if s.has(roleAPI) {
		return s.startAPI(ctx)
	}
	return nil
}

// watchStack ends the server when an embedded server could not be brought back.
func (s *server) watchStack(ctx context.Context) {
	select {
	case <-s.stack.Done():
		if err := s.stack.Err(); err != nil {
			s.fail(err)
		}
	case <-ctx.Done():
	}
}

func (s *server) startWorker(ctx context.Context) error {
	set := s.cfg.settings
	l, err := loader.New(loader.Config{
		Pool: s.pool, Ledger: s.ledger, Bucket: s.bucket, Store: s.store, Schemas: s.schemas, Logger: s.logger,
		Keys: s.pgpKeys, Databases: s.databases, DatabaseWorkers: int(set.number(keyMSSQLImports)),
		DatabaseParts: max(1, int(s.storePool.Config().MaxConns)/4), Workers: int(set.number(keyWorkers)), Retention: set.duration(keyRetention),
	})
	if err != nil {
		return err
	}
	w, err := watch.New(watch.Config{
		Ledger: s.ledger, Bucket: s.bucket, Receiver: s.receiver, Logger: s.logger, SweepEvery: set.duration(keySweep),
	})
	if err != nil {
		return err
	}
	s.role(ctx, "loader", l.Run)
	s.role(ctx, "watcher", w.Run)
	return nil
}

func (s *server) startSFTP(ctx context.Context) error {
	set := s.cfg.settings
	srv, err := sftpd.New(sftpd.Config{
		Ledger: s.ledger, Receiver: s.receiver, Bucket: s.bucket, HostKeys: []ssh.Signer{s.hostKey}, Logger: s.logger,
		Metrics: s.registry, Ciphers: set.list(keySFTPCiphers), Compatible: set.flag(keySFTPOld), ShutdownGrace: s.grace(),
	})
	if err != nil {
		return err
	}
	s.role(ctx, "SFTP server", func(ctx context.Context) error { return srv.Serve(ctx, s.sftpListener) })
	return nil
}

func (s *server) startAPI(ctx context.Context) error {
	set := s.cfg.settings
	handler, err := api.New(api.Config{
		Ledger: s.ledger, Receiver: s.receiver, Bucket: s.bucket, Schemas: s.schemas, Rows: s.rows, Counts: s.counts,
		Databases: s.apiDatabases(), PGP: s.ledger, Keys: s.pgpKeys,
		Metrics: promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}), Logger: s.logger, PublicURL: set.text(keyAPIURL),
		SFTP: s.sftpInfo(), Roles: s.at.Roles, Version: version, MaxFileBytes: set.number(keyMaxFile),
	})
	if err != nil {
		return err
	}
	srv := handler.HTTPServer()
	s.role(ctx, "API", func(ctx context.Context) error {
		stopped := make(chan error, 1)
		stop := context.AfterFunc(ctx, func() {
			grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace())
			defer cancel()
			err := srv.Shutdown(grace)
			if errors.Is(err, context.DeadlineExceeded) {
				err = srv.Close()
			}
			stopped <- err
		})
		err := srv.Serve(s.apiListener)
		if stop() || !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return <-stopped
	})
	return nil
}

// rows is api.Config.Rows.
func (s *server) rows(ctx context.Context, imp ingest.Import, table string, after int64, limit int) ([]json.RawMessage, int64, error) {
	def, err := s.schemaOf(imp.Schema)
	if err != nil {
		return nil, 0, err
	}
	return s.store.Rows(ctx, staging.Target{Tenant: imp.Tenant, Import: imp.ID, Seq: imp.Seq, Schema: def}, table, after, limit)
}

// counts is api.Config.Counts.
func (s *server) counts(ctx context.Context, tenant ingest.Tenant) (map[string]int64, error) {
	def, err := s.schemaOf(tenant.Schema)
	if err != nil {
		return nil, err
	}
	return s.store.Counts(ctx, tenant.ID, def)
}

func (s *server) schemaOf(id string) (*schema.Schema, error) {
	def, ok := s.schemas.Lookup(id)
	if !ok {
		return nil, ingest.WithHint(ingest.Errorf(ingest.Conflict, "serve", "this server does not know the schema %q", id),
			"start it with the definition's file in --schemas")
	}
	return def, nil
}

// newRegistry returns what /metrics shows: the process, Go, the pool, and what the roles add.
func newRegistry(pool *pgxpool.Pool) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string, value func(*pgxpool.Stat) float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "dropline", Subsystem: "postgres", Name: name, Help: help},
			func() float64 { return value(pool.Stat()) }))
	}
	gauge("connections", "Connections of the pool.", func(s *pgxpool.Stat) float64 { return float64(s.TotalConns()) })
	gauge("connections_in_use", "Connections at work.", func(s *pgxpool.Stat) float64 { return float64(s.AcquiredConns()) })
	gauge("connections_max", "Connections the pool may have.", func(s *pgxpool.Stat) float64 { return float64(s.MaxConns()) })
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "dropline", Name: "build_info", Help: "1, with the version as a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	r.MustRegister(build)
	return r
}
