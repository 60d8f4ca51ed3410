package sftpd_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/sftpd"

	"golang.org/x/crypto/ssh"
)

// withPassword runs OpenSSH's sftp with a password typed by sshpass.
func (r *rig) withPassword(user, secret, batch string, more ...string) (string, error) {
	_, port, _ := net.SplitHostPort(r.address)
	check(r.t, os.WriteFile(filepath.Join(r.dir, "batch"), []byte(batch), 0o600))
	args := append([]string{
		"-p", secret, "sftp", "-F", "/dev/null", "-P", port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1", "-o", "BatchMode=no",
	}, more...)
	cmd := r.command("sshpass", append(args, "-b", "batch", user+"@127.0.0.1")...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestPasswordLogin(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *sftpd.Config) { c.Banner = "Welcome to the test.\r\n" })
	data := r.file("A.csv", 1000)
	for _, way := range []string{"password", "keyboard-interactive"} {
		out, err := r.withPassword("acme", password, "put A.csv /inbox/"+way+".csv\n", "-o", "PreferredAuthentications="+way)
		if err != nil {
			t.Fatalf("%s: %v\n%s", way, err, out)
		}
		if !strings.Contains(out, "Welcome to the test.") {
			t.Errorf("no banner: %s", out)
		}
		if got, _ := r.stored("/inbox/" + way + ".csv"); !bytes.Equal(got, data) {
			t.Error("the bytes differ")
		}
	}
	if by := r.ledger.registered()[0].By; by != "laptop" {
		t.Errorf("registered by %q", by)
	}
	for _, user := range []string{"globex", "nobody", "", strings.Repeat("x", 5000), "acme\nlevel=ERROR"} {
		if _, err := r.tryDial(user, ssh.Password(password)); err == nil {
			t.Errorf("%.20q signed in with the password of acme", user)
		}
	}
	if log := r.log.String(); strings.Contains(log, password) || strings.Contains(log, "\nlevel=ERROR") {
		t.Errorf("a password or a line of a stranger's is in the log:\n%s", log)
	}
}

func TestKeyLogin(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stranger := writeKey(t, filepath.Join(r.dir, "stranger"))
	if _, err := r.tryDial("acme", ssh.PublicKeys(stranger)); err == nil {
		t.Error("a stranger's key signs in")
	}
	if _, err := r.tryDial("globex", ssh.PublicKeys(r.key)); err == nil {
		t.Error("the key of acme signs in as globex")
	}
	c, err := r.tryDial("acme", ssh.PublicKeys(stranger, r.key))
	check(t, err)
	c.Close()
}

func TestTenWrongPasswords(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	r := newRig(t, func(c *sftpd.Config) {
		c.Clock = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	client := r.client() // signed in before: not disturbed
	for range 10 {
		if _, err := r.tryDial("acme", ssh.Password("a guess")); err == nil {
			t.Fatal("a guess signs in")
		}
	}
	if _, err := r.tryDial("acme", ssh.Password(password)); err == nil {
		t.Error("the address is not refused after ten wrong passwords")
	}
	conn, err := net.Dial("tcp", r.address)
	check(t, err)
	said, _ := io.ReadAll(conn)
	conn.Close()
	if !strings.Contains(string(said), "Try again in some minutes") {
		t.Errorf("%q", said)
	}
	if _, err := client.Stat("/inbox"); err != nil {
		t.Errorf("an open session: %v", err)
	}
	if !strings.Contains(r.log.String(), "address refused") {
		t.Error("not in the log")
	}
	mu.Lock()
	now = now.Add(sftpd.DefaultBanTime + time.Second)
	mu.Unlock()
	c, err := r.tryDial("acme", ssh.Password(password))
	check(t, err)
	c.Close()
}

func TestStrangersDoNotLockOutATenant(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	from := func(address, secret string) (time.Duration, error) {
		began := time.Now()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		conn, err := d.Dial("tcp", r.address)
		check(t, err)
		defer conn.Close()
		sc, channels, requests, err := ssh.NewClientConn(conn, r.address, &ssh.ClientConfig{
			User: "acme", Auth: []ssh.AuthMethod{ssh.Password(secret)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		})
		if err == nil {
			ssh.NewClient(sc, channels, requests).Close()
		}
		return time.Since(began), err
	}
	if _, err := from("127.0.0.2", password); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := from("127.0.0.66", "a guess"); err == nil {
			t.Fatal("a guess signs in")
		}
	}
	if took, err := from("127.0.0.2", password); err != nil || took > 2*time.Second {
		t.Errorf("from where acme was before: %v after %v", err, took)
	}
	if took, err := from("127.0.0.3", password); err != nil || took < 2*time.Second {
		t.Errorf("from elsewhere: %v after %v, want a success after some seconds", err, took)
	}
}

func TestUnavailableLedgerIsSaidAndBansNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ledger.setFault(func(string, string) error { return ingest.Errorf(ingest.Unavailable, "fake", "away") })
	for range 12 {
		if _, err := r.tryDial("acme", ssh.Password(password)); err == nil {
			t.Fatal("signed in")
		}
	}
	out, err := r.withPassword("acme", password, "ls\n")
	if err == nil || !strings.Contains(out, "cannot check who you are at the moment") {
		t.Errorf("%v\n%s", err, out)
	}
	r.ledger.setFault(nil)
	r.dial(acme, password)
}

func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *sftpd.Config) { c.MaxSessionsPerTenant = 2 })
	first := r.dial(acme, password)
	r.dial(acme, password)
	out, err := r.withPassword("acme", password, "ls\n")
	if err == nil || !strings.Contains(out, "Too many connections are open") {
		t.Errorf("%v\n%s", err, out)
	}
	r.dial(globex, password+" too") // has room of its own
	first.Close()
	eventually(t, "there is room again", func() bool {
		c, err := r.tryDial("acme", ssh.Password(password))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func TestSlowLoginsEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *sftpd.Config) { c.LoginGrace = 300 * time.Millisecond })
	var conns []net.Conn
	for range 60 { // more than one address may have
		conn, err := net.Dial("tcp", r.address)
		check(t, err)
		defer conn.Close()
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Fatalf("not ended: %v", err)
		}
	}
	r.dial(acme, password)
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*sftpd.Config)
		client ssh.Config
		ok     bool
	}{
		{"chacha20", nil, ssh.Config{Ciphers: []string{ssh.CipherChaCha20Poly1305}}, false},
		{"gcm", nil, ssh.Config{Ciphers: []string{ssh.CipherAES128GCM}}, true},
		{"ctr", nil, ssh.Config{Ciphers: []string{ssh.CipherAES256CTR}, MACs: []string{ssh.HMACSHA256}}, true},
		{"sha1 mac", nil, ssh.Config{Ciphers: []string{ssh.CipherAES128CTR}, MACs: []string{ssh.HMACSHA1}}, false},
		{"sha1 kex", nil, ssh.Config{KeyExchanges: []string{ssh.InsecureKeyExchangeDH14SHA1}}, false},
		{"cbc", nil, ssh.Config{Ciphers: []string{ssh.InsecureCipherAES128CBC}}, false},
		{"post-quantum", nil, ssh.Config{KeyExchanges: []string{ssh.KeyExchangeMLKEM768X25519}}, true},
		{"compatible chacha20", func(c *sftpd.Config) { c.Compatible = true }, ssh.Config{Ciphers: []string{ssh.CipherChaCha20Poly1305}}, true},
		{"compatible sha1", func(c *sftpd.Config) { c.Compatible = true }, ssh.Config{
			Ciphers: []string{ssh.CipherAES128CTR}, MACs: []string{ssh.HMACSHA1}, KeyExchanges: []string{ssh.InsecureKeyExchangeDH14SHA1},
		}, true},
		{"only gcm", func(c *sftpd.Config) { c.Ciphers = []string{ssh.CipherAES128GCM} }, ssh.Config{Ciphers: []string{ssh.CipherAES128CTR}}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			change := test.change
			if change == nil {
				change = func(*sftpd.Config) {}
			}
			r := newRig(t, change)
			c, err := ssh.Dial("tcp", r.address, &ssh.ClientConfig{
				Config: test.client, User: "acme", Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
			})
			if (err == nil) != test.ok {
				t.Fatalf("%v", err)
			}
			if err == nil {
				c.Close()
			}
		})
	}
}

func TestHostKey(t *testing.T) {
	t.Parallel()
	settings := newMemoryLedger()
	first, err := sftpd.HostKey(t.Context(), settings)
	check(t, err)
	second, err := sftpd.HostKey(t.Context(), settings)
	check(t, err)
	if f := sftpd.Fingerprint(first); f != sftpd.Fingerprint(second) || !strings.HasPrefix(f, "SHA256:") {
		t.Errorf("%s and %s", f, sftpd.Fingerprint(second))
	}
	if !strings.HasPrefix(string(settings.settings["sftp_host_key"]), "-----BEGIN OPENSSH PRIVATE KEY-----") {
		t.Error("not kept in OpenSSH's form")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	old, err := ssh.NewSignerFromKey(key)
	check(t, err)
	r := newRig(t, func(c *sftpd.Config) { c.HostKeys = []ssh.Signer{first, old} })
	for algorithm, ok := range map[string]bool{ssh.KeyAlgoED25519: true, ssh.KeyAlgoRSASHA256: true, ssh.KeyAlgoRSA: false} {
		var seen ssh.PublicKey
		c, err := ssh.Dial("tcp", r.address, &ssh.ClientConfig{
			User: "acme", Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyAlgorithms: []string{algorithm},
			HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error { seen = key; return nil },
		})
		if (err == nil) != ok {
			t.Errorf("%s: %v", algorithm, err)
		}
		if err == nil {
			c.Close()
			if algorithm == ssh.KeyAlgoED25519 && ssh.FingerprintSHA256(seen) != sftpd.Fingerprint(first) {
				t.Error("another key than the one whose fingerprint is shown")
			}
		}
	}
	name := filepath.Join(t.TempDir(), "key")
	want := writeKey(t, name)
	got, err := sftpd.HostKeyFile(name)
	check(t, err)
	if sftpd.Fingerprint(got) != sftpd.Fingerprint(want) {
		t.Error("another key was read")
	}
	check(t, os.WriteFile(name, []byte("nonsense"), 0o600))
	if _, err := sftpd.HostKeyFile(name); ingest.KindOf(err) != ingest.Invalid || ingest.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := sftpd.New(sftpd.Config{}); ingest.KindOf(err) != ingest.Invalid {
		t.Errorf("%v", err)
	}
	l := newMemoryLedger()
	receiver, err := ingest.NewReceiver(l, newMemoryBucket(), ingest.ReceiverConfig{})
	check(t, err)
	host, err := sftpd.HostKey(t.Context(), l)
	check(t, err)
	good := sftpd.Config{Ledger: l, Receiver: receiver, Bucket: newMemoryBucket(), HostKeys: []ssh.Signer{host}}
	if _, err := sftpd.New(good); err != nil {
		t.Error(err)
	}
	for _, spoil := range []func(*sftpd.Config){
		func(c *sftpd.Config) { c.HostKeys = nil },
		func(c *sftpd.Config) { c.MaxSessions = -1 },
		func(c *sftpd.Config) { c.IdleTimeout = -1 },
		func(c *sftpd.Config) { c.Ciphers = []string{"rot13"} },
	} {
		bad := good
		spoil(&bad)
		if _, err := sftpd.New(bad); ingest.KindOf(err) != ingest.Invalid {
			t.Errorf("%v", err)
		}
	}
}
