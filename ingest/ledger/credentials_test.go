package ledger_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"dropline/ingest"
)

const goodPassword = "correct horse battery"

func TestPasswords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	for _, bad := range []string{"", "elevenchars", strings.Repeat("x", ingest.MaxPassword+1)} {
		_, err := w.AddPassword(ctx, acme, "laptop", bad, nil)
		w.want(err, ingest.Invalid)
		if bad != "" && strings.Contains(err.Error(), bad) {
			t.Error("the error holds the password")
		}
	}
	soon := w.clock.Now().Add(time.Hour)
	first, err := w.AddPassword(ctx, acme, "old", goodPassword, &soon)
	w.must(err)
	second, err := w.AddPassword(ctx, acme, "new", "another one entirely", nil)
	w.must(err)
	is := func(user, password string, want ingest.CredentialID) {
		t.Helper()
		who, err := w.VerifyPassword(ctx, user, password)
		if want == "" {
			if ingest.KindOf(err) != ingest.Denied || strings.Contains(err.Error(), password) {
				t.Errorf("%s is not denied: %+v, %v", user, who, err)
			}
			return
		}
		w.must(err)
		if who.Credential != want || who.Tenant != acme {
			t.Errorf("signed in as %+v, want %s", who, want)
		}
	}
	is("acme", goodPassword, first.ID) // both at once, while one is rotated
	is("acme", "another one entirely", second.ID)
	is("acme", goodPassword+"x", "")
	is("acme", strings.Repeat("x", 5000), "")
	is("globex", goodPassword, "")
	is("nobody", goodPassword, "")
	is("acme\x00", goodPassword, "")
	is("acme\xff", goodPassword, "")
	w.clock.advance(time.Hour)
	is("acme", goodPassword, "")
	is("acme", "another one entirely", second.ID)
	off, on := false, true
	_, err = w.ChangeTenant(ctx, acme, ingest.TenantChange{Enabled: &off})
	w.must(err)
	is("acme", "another one entirely", "")
	_, err = w.ChangeTenant(ctx, acme, ingest.TenantChange{Enabled: &on})
	w.must(err)
	w.want(w.RevokeCredential(ctx, globex, second.ID), ingest.NotFound)
	is("acme", "another one entirely", second.ID)
	w.must(w.RevokeCredential(ctx, acme, second.ID))
	is("acme", "another one entirely", "")

	list, err := w.ListCredentials(ctx, acme)
	w.must(err)
	if len(list) != 2 || list[0].ID != first.ID || list[1].RevokedAt == nil || list[0].LastUsedAt == nil {
		t.Errorf("credentials: %+v", list)
	}
	if w.query(`SELECT count(*) FROM dropline.credentials WHERE position($1::bytea IN secret) > 0`, []byte(goodPassword)) != 0 ||
		w.query(`SELECT count(*) FROM dropline.credentials WHERE secret LIKE '$argon2id$v=19$m=24576,t=2,p=1$%'`) != 2 {
		t.Error("passwords are not kept as argon2id hashes")
	}
	_, err = w.AddPassword(ctx, acme, "late", goodPassword, &soon)
	w.want(err, ingest.Invalid)
	_, err = w.AddPassword(ctx, "nobody", "late", goodPassword, nil)
	w.want(err, ingest.NotFound)
}

// TestPasswordTime compares what an unknown user, a wrong password and one of several passwords take: the same one hash.
func TestPasswordTime(t *testing.T) {
	w := newWorld(t) // not parallel: it measures
	for i := range 3 {
		_, err := w.AddPassword(t.Context(), acme, "x", goodPassword+strings.Repeat("x", i), nil)
		w.must(err)
	}
	took := map[string]time.Duration{}
	for range 15 { // in turn, and the least of each, so that what else the machine does counts as little as can be
		for _, user := range []string{"acme", "nobody", "acme right"} {
			password := "something else"
			name, right := strings.CutSuffix(user, " right")
			if right {
				password = goodPassword
			}
			start := time.Now()
			_, err := w.VerifyPassword(t.Context(), name, password)
			if d := time.Since(start); took[user] == 0 || d < took[user] {
				took[user] = d
			}
			if right != (err == nil) {
				t.Fatalf("%s: %v", user, err)
			}
		}
	}
	wrong, unknown, right := took["acme"], took["nobody"], took["acme right"]
	t.Logf("wrong %v, unknown %v, right %v", wrong, unknown, right)
	for _, d := range []time.Duration{unknown, right} {
		if d > 3*wrong || wrong > 3*d {
			t.Errorf("a wrong password takes %v, an unknown user %v, the right one %v", wrong, unknown, right)
		}
	}
}

func TestManyLoginsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.AddPassword(t.Context(), acme, "x", goodPassword, nil)
	w.must(err)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := w.VerifyPassword(t.Context(), "acme", goodPassword); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.VerifyPassword(gone, "acme", goodPassword)
	w.want(err, ingest.Unavailable)
}

func authorized(t *testing.T, public any) (line string, wire []byte) {
	t.Helper()
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(ssh.MarshalAuthorizedKey(key)), key.Marshal()
}

func TestPublicKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	line, wire := authorized(t, public)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	w.must(err)
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	weakLine, _ := authorized(t, &weak.PublicKey)
	strongLine, strongWire := authorized(t, &strong.PublicKey)
	for name, bad := range map[string]string{
		"nothing":     "",
		"no key":      "hello",
		"options":     `command="rm -rf /" ` + line,
		"two keys":    line + strongLine,
		"weak RSA":    weakLine,
		"private key": "-----BEGIN OPENSSH PRIVATE KEY-----",
	} {
		if _, err := w.AddPublicKey(ctx, acme, "k", bad, nil); ingest.KindOf(err) != ingest.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
	c, err := w.AddPublicKey(ctx, acme, "laptop", strings.TrimSpace(line)+" me@laptop\n", nil)
	w.must(err)
	if !strings.HasPrefix(c.Fingerprint, "SHA256:") || c.Kind != ingest.PublicKey {
		t.Errorf("credential: %+v", c)
	}
	_, err = w.AddPublicKey(ctx, acme, "again", line, nil)
	w.want(err, ingest.Conflict)
	_, err = w.AddPublicKey(ctx, globex, "theirs", line, nil) // an agency may serve both
	w.must(err)
	_, err = w.AddPublicKey(ctx, acme, "rsa", strongLine, nil)
	w.must(err)
	who, err := w.VerifyPublicKey(ctx, "acme", wire)
	w.must(err)
	same(t, "identity", who, ingest.Identity{Credential: c.ID, Tenant: acme, Label: "laptop"})
	_, err = w.VerifyPublicKey(ctx, "acme", strongWire)
	w.must(err)
	_, err = w.VerifyPublicKey(ctx, "globex", strongWire)
	w.want(err, ingest.Denied)
	w.must(w.RevokeCredential(ctx, acme, c.ID))
	_, err = w.VerifyPublicKey(ctx, "acme", wire)
	w.want(err, ingest.Denied)
	_, err = w.AddPublicKey(ctx, acme, "again", line, nil)
	w.must(err)
	_, err = w.VerifyPublicKey(ctx, "acme", nil)
	w.want(err, ingest.Denied)
}

func TestDSAKeysAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wire := ssh.Marshal(struct {
		Name       string
		P, Q, G, Y *big.Int
	}{"ssh-dss", new(big.Int).SetBit(big.NewInt(1), 1023, 1), new(big.Int).SetBit(big.NewInt(1), 159, 1), big.NewInt(2), big.NewInt(3)})
	_, err := w.AddPublicKey(t.Context(), acme, "k", "ssh-dss "+base64.StdEncoding.EncodeToString(wire), nil)
	w.want(err, ingest.Invalid)
}

func TestClientsAndTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	client, secret, err := w.AddClient(ctx, acme, "integration", nil)
	w.must(err)
	operator, operatorSecret, err := w.AddClient(ctx, "", "first operator", nil)
	w.must(err)
	if len(secret) < 43 || secret == operatorSecret || !operator.Operator() {
		t.Errorf("clients: %+v %+v", client, operator)
	}
	token, err := w.IssueToken(ctx, client.ID, secret, time.Hour)
	w.must(err)
	who, err := w.VerifyToken(ctx, token)
	w.must(err)
	same(t, "identity", who, ingest.Identity{Credential: client.ID, Tenant: acme, Label: "integration"})
	operatorToken, err := w.IssueToken(ctx, operator.ID, operatorSecret, time.Hour)
	w.must(err)
	who, err = w.VerifyToken(ctx, operatorToken)
	w.must(err)
	same(t, "operator", who, ingest.Identity{Credential: operator.ID, Label: "first operator"})

	for name, try := range map[string]func() error{
		"wrong secret":   func() error { _, err := w.IssueToken(ctx, client.ID, operatorSecret, time.Hour); return err },
		"no client":      func() error { _, err := w.IssueToken(ctx, ingest.NewCredentialID(), secret, time.Hour); return err },
		"unknown token":  func() error { _, err := w.VerifyToken(ctx, secret); return err },
		"no token":       func() error { _, err := w.VerifyToken(ctx, ""); return err },
		"secret as user": func() error { _, err := w.VerifyPassword(ctx, "acme", secret); return err },
	} {
		if err := try(); ingest.KindOf(err) != ingest.Denied {
			t.Errorf("%s: %v, want Denied", name, err)
		}
	}
	_, err = w.IssueToken(ctx, client.ID, secret, 0)
	w.want(err, ingest.Invalid)

	off, on := false, true
	_, err = w.ChangeTenant(ctx, acme, ingest.TenantChange{Enabled: &off})
	w.must(err)
	_, err = w.VerifyToken(ctx, token)
	w.want(err, ingest.Denied)
	_, err = w.ChangeTenant(ctx, acme, ingest.TenantChange{Enabled: &on})
	w.must(err)
	w.clock.advance(time.Hour)
	_, err = w.VerifyToken(ctx, token)
	w.want(err, ingest.Denied)
	token, err = w.IssueToken(ctx, client.ID, secret, time.Hour)
	w.must(err)
	same(t, "tokens kept", w.query(`SELECT count(*) FROM dropline.tokens`), int64(3))
	w.clock.advance(time.Second)
	_, err = w.IssueToken(ctx, client.ID, secret, time.Hour)
	w.must(err)
	same(t, "expired ones are purged", w.query(`SELECT count(*) FROM dropline.tokens`), int64(2))
	w.must(w.RevokeCredential(ctx, acme, client.ID))
	_, err = w.VerifyToken(ctx, token)
	w.want(err, ingest.Denied)
	_, err = w.IssueToken(ctx, client.ID, secret, time.Hour)
	w.want(err, ingest.Denied)
	w.want(w.RevokeCredential(ctx, acme, operator.ID), ingest.NotFound)
	w.must(w.RevokeCredential(ctx, "", operator.ID))
	list, err := w.ListCredentials(ctx, "")
	w.must(err)
	if len(list) != 1 || list[0].ID != operator.ID {
		t.Errorf("the operator's: %+v", list)
	}
}

func TestLastUsedIsWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, secret, err := w.AddClient(t.Context(), acme, "x", nil)
	w.must(err)
	token, err := w.IssueToken(t.Context(), client.ID, secret, time.Hour)
	w.must(err)
	used := func() time.Time {
		_, err := w.VerifyToken(t.Context(), token)
		w.must(err)
		list, err := w.ListCredentials(t.Context(), acme)
		w.must(err)
		return *list[0].LastUsedAt
	}
	start := w.clock.Now()
	w.clock.advance(59 * time.Second)
	same(t, "within a minute", used(), start)
	w.clock.advance(time.Second)
	same(t, "after it", used(), start.Add(time.Minute))
}
