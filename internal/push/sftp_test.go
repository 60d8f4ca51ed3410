package push_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"dropline/internal/push"
)

// TestAServerThatFallsSilent: a push that is told to end does, though the SFTP server is there and answers nothing more.
func TestAServerThatFallsSilent(t *testing.T) {
	t.Parallel()
	for name, greets := range map[string]bool{"at once": false, "after its greeting": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s.config.HTTPS = nil
			s.config.SFTP = &push.SFTP{
				Address: silentServer(t, greets, cancel), User: "acme", Password: "password-of-test", HostKey: ssh.InsecureIgnoreHostKey(), //nolint:gosec // loopback
			}
			ended := make(chan error, 1)
			go func() {
				_, err := push.Run(ctx, s.config)
				ended <- err
			}()
			select {
			case err := <-ended:
				if err == nil || ctx.Err() == nil {
					t.Errorf("it ended with %v", err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("it never ended")
			}
		})
	}
}

// silentServer lets anybody in, and calls asked when it is asked for what it will not answer.
func silentServer(t *testing.T, greets bool, asked func()) (address string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, nil }} //nolint:nilnil // anybody
	cfg.AddHostKey(signer)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		defer raw.Close() //nolint:errcheck // the test is over
		_, channels, requests, err := ssh.NewServerConn(raw, cfg)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		for offered := range channels {
			channel, wishes, err := offered.Accept()
			if err != nil {
				return
			}
			go func() {
				for wish := range wishes {
					_ = wish.Reply(true, nil)
				}
			}()
			go answerNothing(channel, greets, asked)
		}
	}()
	return l.Addr().String()
}

func answerNothing(channel ssh.Channel, greets bool, asked func()) {
	packet := make([]byte, 9) // of both greetings: length, kind, version
	if _, err := io.ReadFull(channel, packet); err != nil {
		return
	}
	if greets {
		if _, err := channel.Write([]byte{0, 0, 0, 5, 2, 0, 0, 0, 3}); err != nil {
			return
		}
		if _, err := io.ReadFull(channel, packet); err != nil {
			return
		}
	}
	asked()
	_, _ = io.Copy(io.Discard, channel)
}
