package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"dropline/ingest"
)

const (
	dialTime     = 30 * time.Second
	lifeSigns    = 15 * time.Second // between questions whether the server is there
	lifeTime     = time.Minute      // for its answer
	maxReceipt   = 16 << 20         // bytes
	mostReceipts = 200              // that are looked through for a delivery's
)

// SFTP is a server's SFTP as a destination.
type SFTP struct {
	Address  string // host:port
	User     string // the tenant
	Password string // this or Key
	Key      ssh.Signer
	// HostKey decides whether the server is who it says.
	HostKey ssh.HostKeyCallback
	// HostKeyAlgorithms are those to ask for; empty: the usual ones.
	HostKeyAlgorithms []string

	mu     sync.Mutex
	client *sftp.Client
	conn   *ssh.Client
}

// String implements fmt.Stringer, without the secret.
func (s *SFTP) String() string { return s.name() }

// GoString implements fmt.GoStringer, without the secret.
func (s *SFTP) GoString() string { return s.name() }

func (s *SFTP) validate() error {
	const op = "push.SFTP"
	if _, _, err := net.SplitHostPort(s.Address); err != nil {
		return ingest.WithHint(ingest.Errorf(ingest.Invalid, op, "the SFTP server's address is none"), "such as sftp.example.com:22")
	}
	switch {
	case s.User == "":
		return ingest.Errorf(ingest.Invalid, op, "the SFTP user is missing")
	case s.Password == "" && s.Key == nil:
		return ingest.Errorf(ingest.Invalid, op, "a password or a key is missing")
	case s.HostKey == nil:
		return ingest.Errorf(ingest.Invalid, op, "the server's host key is missing")
	}
	return nil
}

func (s *SFTP) name() string { return "sftp://" + s.User + "@" + s.Address }

// close implements destination.
func (s *SFTP) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close() // nothing depends on it
		s.conn, s.client = nil, nil
	}
}

// open returns the connection, a new one if the last has broken.
func (s *SFTP) open(ctx context.Context) (*sftp.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	client, err := sftp.NewClient(conn, sftp.UseConcurrentWrites(true))
	if err != nil {
		_ = conn.Close() // nothing depends on it
		return nil, s.lost(err)
	}
	s.conn, s.client = conn, client
	go s.watch(conn)
	return client, nil
}

func (s *SFTP) lost(err error) error {
	return &passing{err: ingest.WithHint(ingest.Errorf(ingest.Unavailable, "push.SFTP", "the connection to %s failed: %w", s.Address, err),
		"check the address, and that a firewall lets connections out to it")}
}

func (s *SFTP) dial(ctx context.Context) (*ssh.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, s.lost(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	var strange error
	cfg := &ssh.ClientConfig{
		User: s.User, HostKeyAlgorithms: s.HostKeyAlgorithms,
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			strange = s.HostKey(host, remote, key)
			return strange
		},
	}
	if s.Key != nil {
		cfg.Auth = append(cfg.Auth, ssh.PublicKeys(s.Key))
	}
	if s.Password != "" {
		cfg.Auth = append(cfg.Auth, ssh.Password(s.Password))
	}
	conn, channels, requests, err := ssh.NewClientConn(raw, s.Address, cfg)
	if err == nil {
		return ssh.NewClient(conn, channels, requests), nil
	}
	_ = raw.Close() // nothing depends on it
	switch {
	case strange != nil:
		return nil, ingest.WithHint(ingest.Errorf(ingest.Denied, "push.SFTP", "the server at %s is not the one that is expected: %w", s.Address, strange),
			"ask the operator for the fingerprint of its host key, by another way than this connection; nothing was sent")
	case strings.Contains(err.Error(), "unable to authenticate"):
		return nil, ingest.WithHint(ingest.Errorf(ingest.Denied, "push.SFTP", "%s refused the sign-in of %s", s.Address, s.User),
			"check the user, and the password or key")
	}
	return nil, s.lost(err)
}

// watch asks now and then whether the server is there, and ends the connection when it is not: else writes would wait for a
// server that has gone for as long as TCP does.
func (s *SFTP) watch(conn *ssh.Client) {
	ended := make(chan struct{})
	go func() {
		_ = conn.Wait() // why it ended, its users hear themselves
		close(ended)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.conn == conn {
			s.conn, s.client = nil, nil
		}
	}()
	for {
		select {
		case <-ended:
			return
		case <-time.After(lifeSigns):
		}
		late := time.AfterFunc(lifeTime, func() { _ = conn.Close() })
		_, _, err := conn.SendRequest("keepalive@openssh.com", true, nil)
		late.Stop()
		if err != nil {
			_ = conn.Close() // it is broken
		}
	}
}

// fault is an error of an operation on the server: one that passes unless the server has refused it.
func (s *SFTP) fault(op, name string, err error) error {
	var status *sftp.StatusError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return ingest.E(ingest.NotFound, "push.SFTP", fmt.Errorf("%s is not at the server", name))
	case errors.Is(err, fs.ErrPermission):
		return ingest.Errorf(ingest.Denied, "push.SFTP", "the server refuses to %s %s: %w", op, name, err)
	case errors.As(err, &status):
		// The server says no more than that it failed: it may be short of space, or starting.
		return &passing{err: ingest.Errorf(ingest.Unavailable, "push.SFTP", "the server did not %s %s: %w", op, name, err)}
	}
	return s.lost(err)
}

// prepare implements destination: over SFTP nothing is told of the tenant.
func (s *SFTP) prepare(ctx context.Context) (Tenant, error) {
	_, err := s.open(ctx)
	return Tenant{Slug: s.User}, err
}

func (s *SFTP) root() string { return ingest.Inbox + "/" + ingest.PushFolder }

// held implements destination.
func (s *SFTP) held(ctx context.Context, batch string) (map[string]held, error) {
	client, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]held{}
	folders, err := client.ReadDirContext(ctx, s.root())
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, s.fault("list", s.root(), err)
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		files, err := client.ReadDirContext(ctx, s.root()+"/"+folder.Name())
		if err != nil {
			return nil, s.fault("list", s.root()+"/"+folder.Name(), err)
		}
		for _, f := range files {
			if final, ok := ingest.BatchID(batch).Final(f.Name()); ok && !f.IsDir() {
				out[ingest.PushFolder+"/"+folder.Name()+"/"+final] = held{Size: f.Size()}
			}
		}
	}
	return out, nil
}

// send implements destination.
func (s *SFTP) send(ctx context.Context, batch, name string, body io.Reader) (held, error) {
	client, err := s.open(ctx)
	if err != nil {
		return held{}, err
	}
	final := ingest.Inbox + "/" + name
	waiting := ingest.BatchID(batch).Held(final)
	if err := client.MkdirAll(path.Dir(final)); err != nil {
		return held{}, s.fault("make", path.Dir(final), err)
	}
	f, err := client.Create(waiting)
	if err != nil {
		return held{}, s.fault("create", waiting, err)
	}
	source := &failing{r: body}
	n, err := f.ReadFrom(source)
	if source.err != nil {
		_ = f.Close()              // a file that is not whole
		_ = client.Remove(waiting) // it would be replaced by the next try, and goes by itself if there is none
		return held{}, source.err
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return held{}, s.fault("write", waiting, err)
	}
	return held{Size: n}, nil
}

// failing remembers why reading failed.
type failing struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// deliver implements destination. The files get their names in quick succession, and the server's quiet period makes one import
// of them.
func (s *SFTP) deliver(ctx context.Context, run *running) (delivery, error) {
	there, err := s.held(ctx, string(run.Batch))
	if err != nil {
		return delivery{}, err
	}
	client, err := s.open(ctx)
	if err != nil {
		return delivery{}, err
	}
	// Where some are missing, they have their names already, if a try before got so far. If not, they are gone.
	for _, f := range run.Files {
		if h, ok := there[f.Name]; ok && h.Size == f.Size {
			continue
		}
		info, err := client.Stat(ingest.Inbox + "/" + f.Name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() != f.Size {
			return delivery{}, errAnew
		}
		if err != nil {
			return delivery{}, s.fault("look at", f.Name, err)
		}
	}
	known := map[string]bool{}
	for _, f := range run.Files {
		known[f.Name] = true
		if _, ok := there[f.Name]; !ok {
			continue
		}
		final := ingest.Inbox + "/" + f.Name
		if err := client.PosixRename(run.Batch.Held(final), final); err != nil {
			return delivery{}, s.fault("rename", final, err)
		}
	}
	for name := range there {
		if !known[name] { // of a try that was broken off
			_ = client.Remove(run.Batch.Held(ingest.Inbox + "/" + name)) // it goes by itself if this fails
		}
	}
	return delivery{}, ctx.Err()
}

// discard implements destination.
func (s *SFTP) discard(ctx context.Context, batch string, _ []File) error {
	there, err := s.held(ctx, batch)
	if err != nil {
		return err
	}
	client, err := s.open(ctx)
	if err != nil {
		return err
	}
	for name := range there {
		if err := client.Remove(ingest.BatchID(batch).Held(ingest.Inbox + "/" + name)); err != nil {
			return s.fault("remove", name, err)
		}
	}
	return nil
}

// receipts are the names of the receipts at the server, in the order of time.
func (s *SFTP) receipts(ctx context.Context) ([]string, error) {
	client, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	list, err := client.ReadDirContext(ctx, ingest.Reports)
	if err != nil {
		return nil, s.fault("list", ingest.Reports, err)
	}
	var names []string
	for _, f := range list {
		if strings.HasSuffix(f.Name(), ".receipt.json") {
			names = append(names, f.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// mark implements destination.
func (s *SFTP) mark(ctx context.Context) (string, error) {
	names, err := s.receipts(ctx)
	if err != nil || len(names) == 0 {
		return "", err
	}
	return names[len(names)-1], nil
}

// alive implements destination. Whether an import was taken back since cannot be seen over SFTP.
func (*SFTP) alive(context.Context, string) (live, promoted bool, err error) { return true, false, nil }

// receipt is what of a receipt matters here.
type receipt struct {
	State string `json:"state"`
	Files []struct {
		Path     string `json:"path"`
		State    string `json:"state"`
		Rejected int64  `json:"rowsRejected"`
	} `json:"files"`
}

// outcome implements destination. The receipts that have come since tell it of the files by their names.
func (s *SFTP) outcome(ctx context.Context, p *pending) (outcome, error) {
	names, err := s.receipts(ctx)
	if err != nil {
		return outcome{}, err
	}
	client, err := s.open(ctx)
	if err != nil {
		return outcome{}, err
	}
	wanted := map[string]bool{}
	for _, files := range p.Files {
		for _, name := range files {
			wanted[ingest.Inbox+"/"+name] = true
		}
	}
	out := outcome{Staged: map[string]bool{}, Why: "no receipt of it is in " + ingest.Reports + " yet"}
	looked := 0
	for _, name := range names {
		if name <= p.After || looked == mostReceipts {
			continue
		}
		looked++
		r, err := s.receipt(client, name)
		if err != nil {
			return outcome{}, err
		}
		for _, f := range r.Files {
			if !wanted[f.Path] {
				continue
			}
			out.Known, out.State = true, r.State
			if living(r.State) && f.State == string(ingest.FileLoaded) && f.Rejected == 0 {
				out.Staged[strings.TrimPrefix(f.Path, ingest.Inbox+"/")] = true
			}
		}
	}
	return out, nil
}

func (s *SFTP) receipt(client *sftp.Client, name string) (receipt, error) {
	var r receipt
	f, err := client.Open(ingest.Reports + "/" + name)
	if err != nil {
		return r, s.fault("open", name, err)
	}
	defer f.Close() //nolint:errcheck // only read
	var raw bytes.Buffer
	if _, err := io.Copy(&raw, io.LimitReader(f, maxReceipt)); err != nil {
		return r, s.fault("read", name, err)
	}
	if err := json.Unmarshal(raw.Bytes(), &r); err != nil {
		return receipt{}, nil //nolint:nilerr // one that cannot be read says nothing
	}
	return r, nil
}
