// Command bench measures Dropline against yardsticks taken in the same run on the same machine, and prints ratios: absolute
// times say more about the machine than about the program. It writes build/bench.json.
//
// It runs the real binary with its real servers. Every benchmark starts a server of its own, interleaves its runs with the
// yardstick's and takes the median of the pairs.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dropline/internal/devstack"
)

// Result is one line of bench.json.
type Result struct {
	Name      string  `json:"name"`
	Yardstick string  `json:"yardstick"`
	Ratio     float64 `json:"ratio"`
	Bar       string  `json:"bar"`
	Holds     bool    `json:"holds"`
}

// benchmark measures one or more results that share their preparation.
type benchmark struct {
	name string // its results' names begin with it
	run  func(context.Context, *bench) error
}

func benchmarks() []benchmark {
	return []benchmark{
		{"mapping", benchMapping},
		{"load", benchLoad},
		{"formats", benchFormats},
		{"promote", benchPromote},
		{"sftp-large", benchSFTPLarge},
		{"sftp-small", benchSFTPSmall},
		{"latency", benchLatency},
		{"database", benchDatabase},
	}
}

func main() {
	if devstack.RunChild() {
		return
	}
	if len(os.Args) == 4 && os.Args[1] == servedFlag {
		rows, err := strconv.Atoi(os.Args[2])
		if err == nil {
			err = serveDatabase(rows, os.Args[3] == "true")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	full := flag.Bool("full", false, "larger and more often: up to an hour")
	only := flag.String("only", "", "run the benchmarks whose name begins with this")
	keep := flag.String("dir", "", "work in this directory and keep it")
	out := flag.String("out", filepath.Join("build", "bench.json"), "where the results go")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *full, *only, *keep, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, full bool, only, dir, out string) error {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "dropline-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp) //nolint:errcheck // the system clears its temporary directory
		dir = tmp
	}
	// The servers' unprivileged user must be able to reach its data below.
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // holds samples only
		return err
	}
	b := &bench{dir: dir, full: full, rows: 2_000_000, runs: 3}
	if full {
		b.runs = 7
	}
	if v := os.Getenv("DROPLINE_BENCH_ROWS"); v != "" {
		if _, err := fmt.Sscan(v, &b.rows); err != nil {
			return fmt.Errorf("DROPLINE_BENCH_ROWS: %w", err)
		}
	}
	var ran int
	for _, m := range benchmarks() {
		if only != "" && !strings.HasPrefix(m.name, only) && !strings.HasPrefix(only, m.name) {
			continue
		}
		ran++
		began := time.Now()
		fmt.Printf("%s …\n", m.name)
		if err := m.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		fmt.Printf("%s took %s\n", m.name, time.Since(began).Round(time.Second))
	}
	if ran == 0 {
		return fmt.Errorf("no benchmark is called %q", only)
	}
	return b.report(out, only != "")
}

// bench is what the benchmarks share.
type bench struct {
	dir     string
	full    bool
	rows    int // of WorkItem
	runs    int
	results []Result
}

// atMost records a ratio that must not exceed the bar.
func (b *bench) atMost(name, yardstick string, ratio, bar float64) {
	b.add(Result{name, yardstick, round(ratio), fmt.Sprintf("<= %g", bar), ratio <= bar})
}

// atLeast records a ratio that must reach the bar.
func (b *bench) atLeast(name, yardstick string, ratio, bar float64) {
	b.add(Result{name, yardstick, round(ratio), fmt.Sprintf(">= %g", bar), ratio >= bar})
}

func (b *bench) add(r Result) {
	verdict := "holds"
	if !r.Holds {
		verdict = "DOES NOT HOLD"
	}
	fmt.Printf("  %-28s %8.3f  %-8s %-13s  (to %s)\n", r.Name, r.Ratio, r.Bar, verdict, r.Yardstick)
	b.results = append(b.results, r)
}

// report writes bench.json; a run of some benchmarks only replaces their lines and keeps the others'.
func (b *bench) report(out string, partial bool) error {
	all := b.results
	if old, err := os.ReadFile(out); err == nil && partial {
		var before []Result
		if json.Unmarshal(old, &before) == nil {
			before = slices.DeleteFunc(before, func(r Result) bool {
				return slices.ContainsFunc(b.results, func(n Result) bool { return n.Name == r.Name })
			})
			all = append(before, all...)
		}
	}
	body, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil { //nolint:gosec // a build directory
		return err
	}
	if err := os.WriteFile(out, append(body, '\n'), 0o644); err != nil { //nolint:gosec // results are no secret
		return err
	}
	var missed []string
	for _, r := range b.results {
		if !r.Holds {
			missed = append(missed, r.Name)
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("bars not reached: %s", strings.Join(missed, ", "))
	}
	return nil
}

func round(x float64) float64 { return float64(int64(x*1000+0.5)) / 1000 }

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}

// ratios divides pair by pair.
func ratios(ours, theirs []float64) []float64 {
	r := make([]float64, len(ours))
	for i := range ours {
		r[i] = ours[i] / theirs[i]
	}
	return r
}
