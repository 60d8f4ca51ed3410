package sftpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dropline/ingest"

	"golang.org/x/crypto/ssh"
)

// maxChannels is how many channels a connection may have at a time: as OpenSSH's MaxSessions.
const maxChannels = 10

// accessCheck is how old the knowledge may be that a client may still sign in, when it asks for something.
const accessCheck = 15 * time.Second

// connection is a client that has signed in.
type connection struct {
	*Server
	tenant        ingest.TenantID
	credential    ingest.CredentialID
	by            string
	clientVersion string
	log           *slog.Logger
	net           *timedConn
	inFlight      atomic.Int64 // open uploads, those being committed included

	access  sync.Mutex
	checked time.Time // when the tenant was last seen enabled, and the credential good
}

// checkAccess refuses a client whose tenant was disabled, or whose credential has ended, since it signed in. An upload under
// way it may finish.
func (c *connection) checkAccess(ctx context.Context) error {
	const op = "sftpd.checkAccess"
	now := c.clock()
	c.access.Lock()
	fresh := now.Sub(c.checked) < accessCheck
	c.access.Unlock()
	if fresh {
		return nil
	}
	tenant, err := c.ledger.Tenant(ctx, c.tenant)
	if err != nil {
		return err
	}
	if !tenant.Enabled {
		return ingest.Errorf(ingest.Denied, op, "this account is disabled")
	}
	credentials, err := c.ledger.ListCredentials(ctx, c.tenant)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(credentials, func(k ingest.Credential) bool {
		return k.ID == c.credential && k.RevokedAt == nil && (k.ExpiresAt == nil || k.ExpiresAt.After(now))
	}) {
		return ingest.WithHint(ingest.Errorf(ingest.Denied, op, "the password or key of this connection has ended"),
			"sign in again with another")
	}
	c.access.Lock()
	defer c.access.Unlock()
	c.checked = now
	return nil
}

func (c *connection) busy(delta int64) { c.net.busy.Add(delta) }

// serve answers the connection's channels until it ends, and returns when all that they began is ended.
func (c *connection) serve(ctx context.Context, conn ssh.Conn, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { ssh.DiscardRequests(requests) }) // no forwarding; keepalives are answered
	all.Go(func() {
		err := conn.Wait()
		c.log.LogAttrs(ctx, slog.LevelDebug, "connection ended", slog.String("reason", printable(fmt.Sprint(err))))
		cancel()
	})
	var open atomic.Int64
	for channel := range channels {
		if channel.ChannelType() != "session" {
			reject(channel, ssh.Prohibited, "this server does SFTP only")
			continue
		}
		if open.Add(1) > maxChannels {
			open.Add(-1)
			reject(channel, ssh.ResourceShortage, "too many channels are open")
			continue
		}
		all.Go(func() {
			defer open.Add(-1)
			c.serveChannel(ctx, channel)
		})
	}
	all.Wait()
}

func reject(channel ssh.NewChannel, reason ssh.RejectionReason, text string) {
	_ = channel.Reject(reason, text) // fails only if the connection has
}

// serveChannel waits for the one request that says what the channel is for, and does that.
func (c *connection) serveChannel(ctx context.Context, offered ssh.NewChannel) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked("channel", v)
		}
	}()
	channel, requests, err := offered.Accept()
	if err != nil {
		return
	}
	defer channel.Close() //nolint:errcheck // it may be closed already
	for request := range requests {
		var work func(s *session) uint32
		switch request.Type {
		case "subsystem":
			if name, ok := payloadString(request.Payload); ok && name == "sftp" {
				work = func(s *session) uint32 { s.serveSFTP(channel); return 0 }
			}
		case "exec":
			if command, ok := payloadString(request.Payload); ok {
				work = func(s *session) uint32 { return s.execute(channel, command) }
			}
		case "shell":
			work = func(*session) uint32 { return noShell(channel) }
		}
		reply(request, work != nil)
		if work == nil {
			continue
		}
		go func() {
			for later := range requests {
				reply(later, false)
			}
		}()
		s := newSession(ctx, c, channel)
		defer s.notes.close()
		c.finish(channel, work(s))
		return
	}
}

// finish tells the client how its command ended, and ends the channel.
func (c *connection) finish(channel ssh.Channel, status uint32) {
	// All of these fail only if the connection has.
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
	_ = channel.CloseWrite()
	_ = channel.Close()
}

func reply(request *ssh.Request, ok bool) {
	if request.WantReply {
		_ = request.Reply(ok, nil) // fails only if the connection has
	}
}

func payloadString(payload []byte) (string, bool) {
	var p struct{ Value string }
	err := ssh.Unmarshal(payload, &p)
	return p.Value, err == nil
}

// timedConn ends a connection that is silent for too long while nothing is being done for it, or that does not take what is
// sent to it.
type timedConn struct {
	net.Conn
	idle     time.Duration
	busy     atomic.Int64
	signedIn atomic.Bool // before that the deadline of the login stands
}

// Read implements net.Conn.
func (c *timedConn) Read(p []byte) (int, error) {
	for {
		if c.signedIn.Load() {
			_ = c.SetReadDeadline(time.Now().Add(c.idle)) // fails only if the connection is closed, as Read will
		}
		n, err := c.Conn.Read(p)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.signedIn.Load() && c.busy.Load() > 0 {
			continue
		}
		return n, err
	}
}

// Write implements net.Conn.
func (c *timedConn) Write(p []byte) (int, error) {
	if c.signedIn.Load() {
		_ = c.SetWriteDeadline(time.Now().Add(c.idle)) // as in Read
	}
	return c.Conn.Write(p)
}
