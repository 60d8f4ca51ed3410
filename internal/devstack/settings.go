//go:build linux

package devstack

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// MinPostgresMajor is the oldest PostgreSQL that is used: MERGE and the pg_checkpoint role came with 15.
	MinPostgresMajor = 15

	// settingsFile is included by postgresql.conf and written anew at each start; what an operator sets with
	// ALTER SYSTEM comes after it and wins.
	settingsFile = "dropline.conf"

	// shared_buffers is a quarter of the memory, as PostgreSQL's manual advises, within these bounds: less starves
	// promotion's joins, more takes memory from the page cache that COPY and the S3 server live on.
	minSharedBuffers = 128 << 20
	maxSharedBuffers = 2 << 30
	// ephemeralBuffers serves a test's small tables.
	ephemeralBuffers = 64 << 20
	// smallShm is the size of /dev/shm below which parallel queries' shared memory goes to files instead: containers
	// get 64 MB unless told otherwise, and one parallel hash join takes more.
	smallShm = 512 << 20
)

// writeSettings puts dropline.conf in place for the next start.
func (p *postgres) writeSettings() error {
	path := filepath.Join(p.dataDir(), settingsFile)
	err := replaceFile(path, []byte(p.settings()), 0o600)
	if err == nil {
		err = p.acct.own(path)
	}
	if err != nil {
		return &Error{Op: "devstack: writing " + path, Err: err, Hint: diskHint(err)}
	}
	return nil
}

func (p *postgres) settings() string {
	var b bytes.Buffer
	set := func(key, value string) { fmt.Fprintf(&b, "%s = '%s'\n", key, value) }
	b.WriteString("# Written by dropline at each start. Change settings with ALTER SYSTEM instead.\n")
	set("unix_socket_directories", "")
	set("cluster_name", "dropline")
	set("timezone", "UTC")
	set("log_timezone", "UTC")
	// Clients' values must not reach the log: no statement and no detail of an error is written.
	set("log_min_messages", "warning")
	set("log_min_error_statement", "panic")
	set("log_error_verbosity", "terse")
	set("log_checkpoints", "off")
	set("log_line_prefix", "%m [%p] ")
	set("max_wal_size", "4GB")
	set("wal_compression", p.walCompression())
	set("checkpoint_timeout", "15min")
	set("random_page_cost", "1.1") // local disks of today seek for nothing
	set("jit", "off")              // compiling costs more than the set checks it would speed up
	var shm unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &shm); err != nil || shm.Blocks*uint64(shm.Bsize) < smallShm {
		set("dynamic_shared_memory_type", "mmap")
	}
	if p.cfg.Ephemeral {
		set("max_connections", "400") // parallel tests with a pool each
		set("shared_buffers", kilobytes(ephemeralBuffers))
		set("fsync", "off")
		set("full_page_writes", "off")
		// What is acknowledged survives a killed server, which tests do, if not a power cut, which they cannot.
		set("synchronous_commit", "on")
		return b.String()
	}
	set("max_connections", "200")
	set("shared_buffers", kilobytes(min(max(memoryBytes()/4, minSharedBuffers), maxSharedBuffers)))
	set("fsync", "on")
	set("full_page_writes", "on")
	set("synchronous_commit", "on")
	return b.String()
}

// walCompression is lz4 where the server was built with it: half the log of a promotion at no measurable time.
func (p *postgres) walCompression() string {
	libs, err := os.ReadFile(filepath.Join(p.bin, "postgres"))
	if err == nil && bytes.Contains(libs, []byte("liblz4.so")) {
		return "lz4"
	}
	return "on"
}

func kilobytes(n int64) string { return strconv.FormatInt(n>>10, 10) + "kB" }

// memoryBytes is the memory that this process may use: the machine's, or its control group's when that is less.
func memoryBytes() int64 {
	var total int64 = minSharedBuffers * 4
	if raw, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb int64
		if _, err := fmt.Sscanf(string(raw), "MemTotal: %d kB", &kb); err == nil {
			total = kb << 10
		}
	}
	if raw, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64); err == nil {
			total = min(total, limit)
		}
	}
	return total
}

// findPostgres is the directory of the newest usable initdb and postgres.
func findPostgres(ctx context.Context, configured string) (string, error) {
	var candidates []string
	if configured != "" {
		candidates = []string{configured}
	} else {
		installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed
		candidates = append(candidates, installed...)
		if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
			candidates = append(candidates, strings.TrimSpace(string(out)))
		}
		if path, err := exec.LookPath("initdb"); err == nil {
			candidates = append(candidates, filepath.Dir(path))
		}
	}
	best, bestMajor, tooOld := "", 0, 0
	for _, dir := range candidates {
		major, err := postgresMajor(ctx, dir)
		if err != nil {
			continue
		}
		if major < MinPostgresMajor {
			tooOld = max(tooOld, major)
		} else if major > bestMajor {
			best, bestMajor = dir, major
		}
	}
	if best != "" {
		return filepath.Abs(best)
	}
	err := fmt.Errorf("no PostgreSQL server found: %w", fs.ErrNotExist)
	if configured != "" {
		err = fmt.Errorf("no PostgreSQL server in %s: %w", configured, fs.ErrNotExist)
	}
	if tooOld > 0 {
		err = fmt.Errorf("the installed PostgreSQL %d is too old, %d or later is needed", tooOld, MinPostgresMajor)
	}
	return "", &Error{Op: "devstack", Err: err, Hint: "run `make deps` or `apt-get install postgresql`, or point dropline at a database of yours"}
}

// postgresMajor asks the server in dir for its version; both programs that are needed must be there.
func postgresMajor(ctx context.Context, dir string) (int, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, err
	}
	var major int
	if _, err := fmt.Sscanf(string(out), "postgres (PostgreSQL) %d", &major); err != nil {
		return 0, err
	}
	return major, nil
}

// checkVersion makes sure that the cluster was made by a server of the major version that is about to open it, taking
// that version's binaries when another was found first.
func (p *postgres) checkVersion(ctx context.Context) error {
	raw, err := os.ReadFile(filepath.Join(p.dataDir(), "PG_VERSION"))
	if err != nil {
		return &Error{Op: "devstack: reading the cluster's version", Err: err}
	}
	want, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return &Error{Op: "devstack: reading the cluster's version", Err: err, Hint: "restore the data directory from a backup"}
	}
	have, err := postgresMajor(ctx, p.bin)
	if err != nil {
		return &Error{Op: "devstack: asking PostgreSQL for its version", Err: err}
	}
	if have == want {
		return nil
	}
	// A newer release was installed beside the one that made the cluster: go on with the old one.
	sibling := filepath.Join("/usr/lib/postgresql", strconv.Itoa(want), "bin")
	if major, err := postgresMajor(ctx, sibling); err == nil && major == want {
		p.bin = sibling
		return nil
	}
	return &Error{
		Op: "devstack", Err: fmt.Errorf("the data in %s belongs to PostgreSQL %d, but %d is installed", p.dataDir(), want, have),
		Hint: fmt.Sprintf("install postgresql-%d, or upgrade the data with pg_upgrade", want),
	}
}
