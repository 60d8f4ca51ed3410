//go:build linux

package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// shutdownPatience is how long a postmaster that lost its dropline may take over its clean shutdown.
	shutdownPatience = 60 * time.Second
	// orphanPatience is how long backends that lost their postmaster may take to notice: they do when they next wait.
	orphanPatience = 2 * time.Second
	// killPatience is how long the kernel may take to end a process that was killed.
	killPatience = 10 * time.Second
)

// endLeftovers waits until no process of an earlier server uses the cluster in dataDir, helping it to end. Such are a
// postmaster whose dropline was killed a moment ago, and backends whose postmaster was killed: a new server refuses to
// start beside either.
func endLeftovers(ctx context.Context, dataDir string, log *slog.Logger) error {
	steps := []struct {
		signal   syscall.Signal
		patience time.Duration
	}{
		{syscall.SIGINT, shutdownPatience}, // fast shutdown
		{syscall.SIGQUIT, orphanPatience},  // at once; the next start recovers from the log
		{syscall.SIGKILL, killPatience},
	}
	for i, step := range steps {
		left, postmaster := leftovers(dataDir)
		if len(left) == 0 {
			return nil
		}
		if i == 0 && recovering(left) {
			continue // a clean end is not to be had, and one that was asked for at the wrong moment waits for ever
		}
		if i == 0 && postmaster == 0 {
			step.patience = orphanPatience // nobody is there to shut them down: they go by themselves, or are made to
		} else {
			targets := left
			if i == 0 {
				targets = []int{postmaster}
			}
			for _, pid := range targets {
				_ = syscall.Kill(pid, step.signal) // gone meanwhile is what is wanted
			}
		}
		log.Info("waiting for an earlier PostgreSQL to end", "processes", len(left), "signal", step.signal.String())
		gone, err := waitGone(ctx, dataDir, step.patience)
		if gone || err != nil {
			return err
		}
	}
	return &Error{
		Op: "devstack", Err: errors.New("processes of an earlier PostgreSQL still use " + dataDir),
		Hint: "see `ps` for postgres processes in disk wait; restart the machine if they stay",
	}
}

// recovering reports whether one of the processes is replaying the log after a crash.
func recovering(pids []int) bool {
	return slices.ContainsFunc(pids, func(pid int) bool {
		title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return err == nil && strings.HasPrefix(string(title), "postgres: ") && strings.Contains(string(title), ": startup")
	})
}

func waitGone(ctx context.Context, dataDir string, patience time.Duration) (bool, error) {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if left, _ := leftovers(dataDir); len(left) == 0 {
			return true, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	return false, nil
}

// leftovers are the ids of the postgres processes whose working directory is dataDir, as every server process' is, and
// the one among them that postmaster.pid names, or 0.
func leftovers(dataDir string) (pids []int, postmaster int) {
	want, err := os.Stat(dataDir)
	if err != nil {
		return nil, 0
	}
	if raw, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid")); err == nil {
		first, _, _ := strings.Cut(string(raw), "\n")
		postmaster, _ = strconv.Atoi(strings.TrimSpace(first))
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, 0
	}
	found := false
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err != nil || strings.TrimSpace(string(comm)) != "postgres" {
			continue
		}
		cwd, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
		if err != nil || !os.SameFile(cwd, want) {
			continue
		}
		pids = append(pids, pid)
		found = found || pid == postmaster
	}
	if !found {
		postmaster = 0
	}
	return pids, postmaster
}
