//go:build linux

package devstack

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lockPatience is how long the kernel may take to clear away a program that was killed a moment ago.
const lockPatience = time.Second

// dirLock is the exclusive hold of a data directory. The kernel drops it with the process, however that ends.
type dirLock struct{ f *os.File }

func lockDir(dir string) (*dirLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, &Error{Op: "devstack: locking " + dir, Err: err, Hint: diskHint(err)}
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	for deadline := time.Now().Add(lockPatience); errors.Is(err, unix.EWOULDBLOCK) && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		holder := make([]byte, 32)
		n, _ := f.ReadAt(holder, 0)
		_ = f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &Error{Op: "devstack: locking " + dir, Err: err, Hint: "the file system must support flock"}
		}
		who := "another dropline"
		if pid := strings.TrimSpace(string(holder[:n])); pid != "" {
			who += " (process " + pid + ")"
		}
		return nil, &Error{
			Op: "devstack", Err: fmt.Errorf("%s is using the data directory %s: %w", who, dir, ErrInUse),
			Hint: "stop it, or give this one a data directory of its own",
		}
	}
	// The process id is for the message above only; the lock itself is the kernel's.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	return &dirLock{f: f}, nil
}

// release unlocks first: a process that is being started at this moment shares the open file until it runs.
func (l *dirLock) release() error {
	return errors.Join(unix.Flock(int(l.f.Fd()), unix.LOCK_UN), l.f.Close())
}

// ErrInUse is wrapped by Start's error when another program holds the data directory.
var ErrInUse = errors.New("in use")

// secrets is what is chosen once for a data directory and kept in its secrets.json, mode 0600.
type secrets struct {
	PostgresPort      int    `json:"postgresPort"`
	SuperuserPassword string `json:"superuserPassword"`
	DatabasePassword  string `json:"databasePassword"`
	S3Port            int    `json:"s3Port"`
	S3AccessKey       string `json:"s3AccessKey"`
	S3SecretKey       string `json:"s3SecretKey"`
}

const secretsFile = "secrets.json"

func loadSecrets(dir string) (secrets, error) {
	var s secrets
	raw, err := os.ReadFile(filepath.Join(dir, secretsFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s = secrets{
			SuperuserPassword: randomHex(24), DatabasePassword: randomHex(24),
			S3AccessKey: "DROPLINE" + strings.ToUpper(randomHex(6)), S3SecretKey: randomHex(20),
		}
		return s, s.save(dir)
	case err != nil:
		return s, &Error{Op: "devstack: reading the kept secrets", Err: err}
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, &Error{
			Op: "devstack: reading " + filepath.Join(dir, secretsFile), Err: err,
			Hint: "restore the file from a backup: the database's password is in it",
		}
	}
	return s, nil
}

// save replaces the file as a whole, and only once it is on disk: half a password file would lock its owner out.
func (s *secrets) save(dir string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = replaceFile(filepath.Join(dir, secretsFile), append(raw, '\n'), 0o600)
	}
	if err != nil {
		return &Error{Op: "devstack: keeping ports and passwords", Err: err, Hint: diskHint(err)}
	}
	return nil
}

// replaceFile writes path atomically and durably.
func replaceFile(path string, content []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never fails: it ends the program instead
	return hex.EncodeToString(b)
}

// Ports are taken from a range below the kernel's ephemeral ports (32768 on Linux): within that range any outgoing
// connection could take a server's port while it restarts.
const (
	firstPort = 20000
	lastPort  = 29999
	portTries = 200
)

// portPatience is how long a port that was ours may still be held by a server that was killed a moment ago.
const portPatience = 2 * time.Second

// choosePort sets port, one of the secrets', to one that can be listened on and keeps it: the one it has, if possible.
func (s *secrets) choosePort(dir string, port *int) error {
	for deadline := time.Now().Add(portPatience); *port != 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if portFree(*port) {
			return nil
		}
	}
	for range portTries {
		var b [2]byte
		_, _ = rand.Read(b[:])
		candidate := firstPort + (int(b[0])<<8|int(b[1]))%(lastPort-firstPort+1)
		if candidate != s.PostgresPort && candidate != s.S3Port && portFree(candidate) {
			*port = candidate
			return s.save(dir)
		}
	}
	return &Error{Op: "devstack", Err: fmt.Errorf("no free port found on 127.0.0.1 between %d and %d", firstPort, lastPort)}
}

func portFree(port int) bool {
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)) //nolint:noctx // answers at once
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// diskHint says what to do about the errors that a full or unwritable disk causes.
func diskHint(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk or its quota is full: make room and start again, nothing is lost"
	case errors.Is(err, fs.ErrPermission):
		return "the data directory must be writable by the user that runs dropline"
	case errors.Is(err, syscall.EROFS):
		return "the file system is mounted read-only"
	}
	return ""
}
