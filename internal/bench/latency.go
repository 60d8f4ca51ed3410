package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"dropline/api"
	"dropline/schema"
)

const (
	latencyRows  = 1000
	latencyFiles = 15
	latencyBar   = 0.5 // seconds
)

func dial(address string) (net.Conn, error) { return net.DialTimeout("tcp", address, time.Second) }

// benchLatency measures from CLOSE to staged, for a small file and a quiet period of 0.
func benchLatency(ctx context.Context, b *bench) error {
	s, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // of no consequence to what was measured
	dir, err := b.sample("small-export", latencyRows)
	if err != nil {
		return err
	}
	target, err := b.sftpTenant(s, "quick", 2)
	if err != nil {
		return err
	}
	if err := s.parents("quick", dir, workItemParents(schema.Efimis10())...); err != nil {
		return err
	}
	quiet := 0.0
	if err := s.patch("/etl/tenants/quick", api.TenantChange{QuietPeriodSeconds: &quiet}); err != nil {
		return err
	}
	file := sampleFile(dir, "WorkItem")
	var seconds []float64
	for i := range latencyFiles {
		if _, err := target.put(ctx, fmt.Sprintf("put %s /inbox/WorkItem_%d.csv\n", file, i)); err != nil {
			return err
		}
		var drops api.DropPage
		if err := s.call(http.MethodGet, "/etl/drops?tenant=quick&limit=1", nil, &drops); err != nil {
			return err
		}
		status, err := s.wait(drops.Items[0].RequestID, "staged")
		if err != nil {
			return err
		}
		seconds = append(seconds, status.FinishedAt.Sub(status.Files[0].ReceivedAt).Seconds())
	}
	b.atMost("latency", "0.5 s, median from CLOSE to staged of a 1,000-row file", median(seconds)/latencyBar, 1)
	return nil
}
