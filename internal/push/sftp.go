package push

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
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
	endTime      = 2 * time.Second  // for what is under way to end in order once it is to end
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
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	client, err := sftp.NewClient(conn, sftp.UseConcurrentWrites(true))
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = conn.Close() // nothing depends on it
		return nil, s.lost(err)
	}
	s.conn, s.client = conn, client
	go s.watch(conn)
	return client, nil
}

// bound ends the connection when ctx has ended and what is done over it does not, until the returned function is called: SFTP's
// calls know no context, and a server may be there and answer nothing.
func (s *SFTP) bound(ctx context.Context) (done func()) {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		patience := time.NewTimer(endTime)
		defer patience.Stop()
		select {
		case <-over:
		case <-patience.C:
			s.close()
		}
	})
	return func() {
		stop()
		close(over)
	}
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
