package sftpd_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/sftpd"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

const (
	acme     = ingest.TenantID("acme")
	globex   = ingest.TenantID("globex")
	password = "correct horse battery" // of acme; globex's has a suffix
)

// rig is a running server with its stores and a client's key.
type rig struct {
	t       testing.TB
	ledger  *memoryLedger
	bucket  *memoryBucket
	address string
	user    string // with which OpenSSH's clients sign in
	dir     string
	key     ssh.Signer
	log     *lockedBuffer
	stop    context.CancelFunc
	served  chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newRig serves two tenants on stores in memory.
func newRig(t testing.TB, change ...func(*sftpd.Config)) *rig {
	t.Helper()
	r := &rig{t: t, ledger: newMemoryLedger(), bucket: newMemoryBucket()}
	receiver, err := ingest.NewReceiver(r.ledger, r.bucket, ingest.ReceiverConfig{})
	check(t, err)
	r.start(sftpd.Config{Ledger: r.ledger, Receiver: receiver, Bucket: r.bucket}, change...)
	r.ledger.addTenant(acme, password, r.key.PublicKey().Marshal())
	r.ledger.addTenant(globex, password+" too", nil)
	return r
}

// start runs a server with cfg's stores.
func (r *rig) start(cfg sftpd.Config, change ...func(*sftpd.Config)) {
	t := r.t
	r.dir, r.log, r.user = t.TempDir(), &lockedBuffer{}, string(acme)
	r.key = writeKey(t, filepath.Join(r.dir, "id"))
	host, err := sftpd.HostKey(t.Context(), newMemoryLedger())
	check(t, err)
	cfg.HostKeys = []ssh.Signer{host}
	cfg.Logger = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, c := range change {
		c(&cfg)
	}
	server, err := sftpd.New(cfg)
	check(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	r.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	r.stop, r.served = cancel, make(chan error, 1)
	go func() { r.served <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-r.served:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("Serve did not return")
		}
		if t.Failed() {
			t.Logf("server's log:\n%s", r.log)
		}
	})
}

func writeKey(t testing.TB, name string) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	check(t, err)
	check(t, os.WriteFile(name, pem.EncodeToMemory(block), 0o600))
	signer, err := ssh.NewSignerFromKey(key)
	check(t, err)
	return signer
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// command returns a client program, or fails the test if it is not installed.
func (r *rig) command(name string, args ...string) *exec.Cmd {
	r.t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		r.t.Fatalf("%v\nrun `make deps` to install what the tests need", err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	r.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "HOME="+r.dir, "SSH_AUTH_SOCK=")
	return cmd
}

// options are OpenSSH's for signing in as acme with a key, and without a trace.
func (r *rig) options(more ...string) []string {
	_, port, _ := net.SplitHostPort(r.address)
	return append([]string{
		"-F", "/dev/null", "-o", "Port=" + port, "-o", "IdentityFile=" + filepath.Join(r.dir, "id"), "-o", "IdentitiesOnly=yes",
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
	}, more...)
}

// sftp runs a batch with OpenSSH's client and returns all that it printed.
func (r *rig) sftp(batch string, more ...string) (string, error) {
	cmd := r.command("sftp", append(r.options(more...), "-b", "-", r.user+"@127.0.0.1")...)
	cmd.Stdin = strings.NewReader(batch)
	// Two pipes: ssh makes its standard error non-blocking, and sftp would lose what it prints to the same one.
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	return out.String() + errs.String(), err
}

// mustSFTP is sftp for a batch that succeeds.
func (r *rig) mustSFTP(batch string, more ...string) string {
	r.t.Helper()
	out, err := r.sftp(batch, more...)
	if err != nil {
		r.t.Fatalf("sftp: %v\n%s", err, out)
	}
	return out
}

// file writes a local file of random bytes.
func (r *rig) file(name string, size int) []byte {
	r.t.Helper()
	data := make([]byte, size)
	_, _ = rand.Read(data)
	check(r.t, os.WriteFile(filepath.Join(r.dir, name), data, 0o600))
	return data
}

func (r *rig) read(name string) []byte {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, name))
	check(r.t, err)
	return data
}

// dial signs in as a tenant by password with Go's client.
func (r *rig) dial(user ingest.TenantID, password string) *ssh.Client {
	r.t.Helper()
	c, err := r.tryDial(string(user), ssh.Password(password))
	check(r.t, err)
	r.t.Cleanup(func() { c.Close() })
	return c
}

func (r *rig) tryDial(user string, how ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", r.address, &ssh.ClientConfig{
		User: user, Auth: how, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 20 * time.Second,
	})
}

// client opens an SFTP session as acme with Go's client.
func (r *rig) client(opts ...sftp.ClientOption) *sftp.Client {
	r.t.Helper()
	c, err := sftp.NewClient(r.dial(acme, password), opts...)
	check(r.t, err)
	r.t.Cleanup(func() { c.Close() })
	return c
}

// only returns the bytes of the one drop there is, which must be at path.
func (r *rig) only(path string) []byte {
	r.t.Helper()
	drops := r.ledger.registered()
	if len(drops) != 1 || drops[0].Path != path {
		r.t.Fatalf("drops: %d %+v, want one at %s", len(drops), drops, path)
	}
	return r.bucket.object(drops[0].Key)
}

// eventually waits for what another goroutine does.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

var _ io.Writer = (*lockedBuffer)(nil)
