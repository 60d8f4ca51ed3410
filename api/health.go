package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dropline/ingest"
)

const (
	readyTimeout = 5 * time.Second // of all questions together
	readyFor     = time.Second     // an answer serves everybody for so long: /readyz needs no token and must cost nothing
)

// readiness keeps the last answer of /readyz.
type readiness struct {
	mu    sync.Mutex
	asked time.Time
	err   error
}

type (
	serverOutput struct{ Body ServerInfo }
	healthOutput struct{ Body Health }
)

func (s *Server) registerServer() {
	register(s, operation{access: anyCaller, Operation: huma.Operation{
		OperationID: "getServer", Method: http.MethodGet, Path: "/etl/server", Tags: []string{tagServer},
		Summary: "See what server this is", Description: "Version, roles, schemas, how files reach it over SFTP, and from which addresses it connects to databases.",
	}}, s.serverInfo)
	register(s, operation{Operation: huma.Operation{
		OperationID: "getHealth", Method: http.MethodGet, Path: "/healthz", Tags: []string{tagServer},
		Summary: "Is the process alive?", Description: "Asks nobody else.",
	}}, func(context.Context, *struct{}) (*healthOutput, error) {
		return &healthOutput{Body: Health{Status: "ok"}}, nil
	})
	register(s, operation{Operation: huma.Operation{
		OperationID: "getReadiness", Method: http.MethodGet, Path: "/readyz", Tags: []string{tagServer},
		Summary: "Can it do its work?", Description: "503 if PostgreSQL or S3 is out of reach.",
	}}, func(ctx context.Context, _ *struct{}) (*healthOutput, error) {
		if err := s.isReady(ctx); err != nil {
			return nil, err
		}
		return &healthOutput{Body: Health{Status: "ok"}}, nil
	})
	// Like the two above it needs no token: what scrapes it is a machine of the operator's own, and it names no tenant.
	if s.cfg.Metrics != nil {
		s.mux.Handle("GET /metrics", s.cfg.Metrics)
	}
}

func (s *Server) serverInfo(ctx context.Context, _ *struct{}) (*serverOutput, error) {
	info := ServerInfo{
		Version: s.cfg.Version, Roles: append([]string{}, s.cfg.Roles...), Schemas: []string{}, SFTP: s.cfg.SFTP,
		Tenant: string(identityOf(ctx).Tenant),
	}
	info.SFTP.Fingerprints = append([]string{}, info.SFTP.Fingerprints...)
	info.Databases.EgressAddresses = []string{}
	if d := s.cfg.Databases; d != nil {
		info.Databases.Enabled = d.Seal != nil
		info.Databases.EgressAddresses = append(info.Databases.EgressAddresses, d.Egress...)
	}
	for _, sc := range s.cfg.Schemas.All() {
		info.Schemas = append(info.Schemas, sc.ID())
	}
	return &serverOutput{Body: info}, nil
}

// isReady asks the ledger, the bucket and whatever cmd adds. Of many requests at once one asks and all get its answer.
func (s *Server) isReady(ctx context.Context) error {
	s.ready.mu.Lock()
	defer s.ready.mu.Unlock()
	if now := s.cfg.Clock(); s.ready.asked.IsZero() || now.Sub(s.ready.asked) >= readyFor {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
		defer cancel()
		s.ready.err = s.askReady(ctx)
		s.ready.asked = s.cfg.Clock()
	}
	return s.ready.err
}

func (s *Server) askReady(ctx context.Context) error {
	questions := []struct {
		name string
		ask  func(context.Context) error
	}{{"the ledger", s.cfg.Ledger.Healthy}, {"the bucket", s.cfg.Bucket.Healthy}, {"this process", s.cfg.Ready}}
	answers := make([]error, len(questions))
	var wg sync.WaitGroup
	for i, q := range questions {
		if q.ask != nil {
			wg.Go(func() { answers[i] = q.ask(ctx) })
		}
	}
	wg.Wait()
	var missing []string
	for i, err := range answers {
		if err != nil {
			missing = append(missing, questions[i].name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	s.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.Any("error", errors.Join(answers...)))
	p := problemOf(ingest.Errorf(ingest.Unavailable, "api.isReady", "not ready"))
	p.Detail, p.cause = "not ready: "+strings.Join(missing, ", "), nil // the cause is logged; who asks need not know it
	return p
}
