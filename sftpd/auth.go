package sftpd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"dropline/ingest"

	"golang.org/x/crypto/ssh"
)

const (
	// verifyTimeout bounds one verification, so that it ends before a client gives up.
	verifyTimeout = 20 * time.Second
	// maxVerifying bounds how many passwords are verified at once: argon2id is made to cost memory and time.
	maxVerifying = 4
	// maxUserBytes is far longer than a slug; a longer user is nobody.
	maxUserBytes = 64
)

// identityKey is where an ssh.Permissions carries the ingest.Identity.
type (
	identityKey struct{}
	methodKey   struct{} // and this, the way of signing in
)

var errDenied = errors.New("denied")

// authConfig returns the configuration for one connection, which has ctx until it is signed in.
func (s *Server) authConfig(ctx context.Context, address netip.Prefix) *ssh.ServerConfig {
	a := &authenticator{Server: s, address: address}
	sc := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-Dropline",
		MaxAuthTries:  s.cfg.MaxAuthTries,
		PasswordCallback: func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return a.password(ctx, meta, string(password))
		},
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			return a.publicKey(ctx, meta, key)
		},
		KeyboardInteractiveCallback: func(meta ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			// Some clients ask their user for a password by this way only.
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil || len(answers) != 1 {
				return nil, errors.Join(errDenied, err)
			}
			return a.password(ctx, meta, answers[0])
		},
	}
	if s.cfg.Banner != "" {
		sc.BannerCallback = func(ssh.ConnMetadata) string { return s.cfg.Banner }
	}
	setAlgorithms(sc, &s.cfg)
	for _, key := range s.hostKeys {
		sc.AddHostKey(key)
	}
	return sc
}

// authenticator answers for one connection.
type authenticator struct {
	*Server
	address netip.Prefix
}

func (a *authenticator) password(ctx context.Context, meta ssh.ConnMetadata, password string) (_ *ssh.Permissions, err error) {
	defer a.recovered("password", &err)
	if a.bans.banned(a.address) {
		return nil, &ssh.BannerError{Err: errDenied, Message: "Too many wrong passwords. Try again in some minutes.\r\n"}
	}
	if wait := a.bans.delay(a.address, meta.User()); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, errDenied
		}
	}
	select {
	case a.verifying <- struct{}{}:
		defer func() { <-a.verifying }()
	case <-ctx.Done():
		return nil, errDenied
	}
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	if len(password) > ingest.MaxPassword || len(meta.User()) > maxUserBytes {
		password = "" // nobody's: the ledger takes its time over it as over any other
	}
	identity, err := a.cfg.Ledger.VerifyPassword(ctx, clip(meta.User()), password)
	if err == nil {
		a.bans.succeeded(a.address, meta.User())
	} else if ingest.KindOf(err) == ingest.Denied && a.bans.failed(a.address, clip(meta.User())) {
		a.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "address refused for wrong passwords", remote(meta), slog.String("user", printable(meta.User())))
	}
	return a.admit(ctx, meta, "password", identity, err)
}

func (a *authenticator) publicKey(ctx context.Context, meta ssh.ConnMetadata, key ssh.PublicKey) (_ *ssh.Permissions, err error) {
	defer a.recovered("publickey", &err)
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	identity, err := a.cfg.Ledger.VerifyPublicKey(ctx, clip(meta.User()), key.Marshal())
	return a.admit(ctx, meta, "publickey", identity, err)
}

// admit lets in who was verified if there is room.
func (a *authenticator) admit(ctx context.Context, meta ssh.ConnMetadata, method string, who ingest.Identity, err error) (*ssh.Permissions, error) {
	switch {
	case err == nil && who.Tenant != "":
	case err == nil, ingest.KindOf(err) == ingest.Denied, ingest.KindOf(err) == ingest.NotFound, ingest.KindOf(err) == ingest.Invalid:
		if method == "password" { // clients offer key after key: that is no guessing
			a.metrics.logins.WithLabelValues("denied").Inc()
			a.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "login refused", remote(meta), slog.String("user", printable(meta.User())), slog.String("method", method))
		}
		return nil, errDenied
	default:
		a.metrics.logins.WithLabelValues("error").Inc()
		a.cfg.Logger.LogAttrs(ctx, slog.LevelError, "login could not be checked", remote(meta), slog.String("user", printable(meta.User())), slog.Any("error", err))
		return nil, &ssh.BannerError{Err: errDenied, Message: "The service cannot check who you are at the moment. Try again later.\r\n"}
	}
	if !a.room(who.Tenant) {
		a.metrics.logins.WithLabelValues("full").Inc()
		return nil, &ssh.BannerError{Err: errDenied, Message: "Too many connections are open. Close some, or try again later.\r\n"}
	}
	return &ssh.Permissions{ExtraData: map[any]any{identityKey{}: who, methodKey{}: method}}, nil
}

func (a *authenticator) recovered(op string, err *error) {
	if v := recover(); v != nil {
		a.panicked(op, v)
		*err = errDenied
	}
}

// clip shortens a user name that cannot be anybody's.
func clip(user string) string { return user[:min(len(user), maxUserBytes)] }

func remote(meta ssh.ConnMetadata) slog.Attr {
	return slog.String("remote", meta.RemoteAddr().String())
}

// addressOf returns what counts as one address: an IPv4 address, or an IPv6 network of 64 bits, which one host commands.
func addressOf(addr net.Addr) netip.Prefix {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip := ap.Addr().Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	prefix, _ := ip.Prefix(bits) // cannot fail: the number of bits fits
	return prefix
}
