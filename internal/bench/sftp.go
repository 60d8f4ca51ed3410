package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"dropline/api"
)

const (
	largeFile  = 1 << 30
	smallFiles = 2000
	smallSize  = 20_000
	cipher     = "aes128-gcm@openssh.com"
)

// sftpTarget is a server to upload to.
type sftpTarget struct {
	user, host, port, key, folder string
}

// put runs one OpenSSH sftp session with the given batch, and returns the seconds it took.
func (t sftpTarget) put(ctx context.Context, batch string) (float64, error) {
	cmd := exec.CommandContext(ctx, "sftp", "-q", "-b", "-", "-P", t.port, "-i", t.key, "-o", "Ciphers="+cipher, //nolint:gosec // our own arguments
		"-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", t.user+"@"+t.host)
	cmd.Stdin = strings.NewReader(batch)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("sftp: %w: %s", err, out.String())
	}
	return time.Since(began).Seconds(), nil
}

// newKey makes a key pair and returns the private key's file and the public key.
func (b *bench) newKey() (string, string, error) {
	file := filepath.Join(b.dir, "id_ed25519")
	if _, err := os.Stat(file); err != nil {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file).CombinedOutput(); err != nil { //nolint:gosec // our own path
			return "", "", fmt.Errorf("ssh-keygen: %w: %s", err, out)
		}
	}
	public, err := os.ReadFile(file + ".pub") //nolint:gosec // our own path
	return file, string(public), err
}

// sftpTenant makes a tenant whose files wait, so that loading them does not disturb what is measured.
func (b *bench) sftpTenant(s *server, slug string, quiet float64) (sftpTarget, error) {
	key, public, err := b.newKey()
	if err != nil {
		return sftpTarget{}, err
	}
	if err := s.createTenant(slug, quiet); err != nil {
		return sftpTarget{}, err
	}
	err = s.post("/etl/tenants/"+slug+"/credentials", api.CredentialCreate{Kind: "public_key", PublicKey: strings.TrimSpace(public)}, nil)
	host, port, _ := strings.Cut(s.sftp, ":")
	return sftpTarget{user: slug, host: host, port: port, key: key, folder: "/inbox"}, err
}

// sshd is OpenSSH's server with internal-sftp.
type sshd struct {
	cmd    *exec.Cmd
	target sftpTarget
}

func (b *bench) startSSHD(folder string) (*sshd, error) {
	key, public, err := b.newKey()
	if err != nil {
		return nil, err
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	host, port, _ := strings.Cut(address, ":")
	keys, conf := filepath.Join(b.dir, "authorized_keys"), filepath.Join(b.dir, "sshd_config")
	err = errors.Join(os.WriteFile(keys, []byte(public), 0o600), os.WriteFile(conf, fmt.Appendf(nil, `
ListenAddress %s
Port %s
HostKey %s
AuthorizedKeysFile %s
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile none
Subsystem sftp internal-sftp
`, host, port, key, keys), 0o600), os.MkdirAll(folder, 0o700))
	if err != nil {
		return nil, err
	}
	if me.Uid == "0" {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { //nolint:gosec // sshd asks for it
			return nil, err
		}
	}
	path, err := exec.LookPath("sshd")
	if err != nil {
		path = "/usr/sbin/sshd"
	}
	d := &sshd{cmd: exec.Command(path, "-D", "-e", "-f", conf), target: sftpTarget{me.Username, host, port, key, folder}} //nolint:gosec // our own arguments
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	return d, waitForPort(address)
}

// stop ends the server and returns the CPU seconds that it and its sessions used.
func (d *sshd) stop() float64 {
	time.Sleep(200 * time.Millisecond) // the session's end is reaped
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait() // it ends by our signal
	return (d.cmd.ProcessState.UserTime() + d.cmd.ProcessState.SystemTime()).Seconds()
}

// benchSFTPLarge uploads one large file to Dropline and to sshd.
func benchSFTPLarge(ctx context.Context, b *bench) error {
	s, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // of no consequence to what was measured
	target, err := b.sftpTenant(s, "large", 3600)
	if err != nil {
		return err
	}
	file := filepath.Join(b.dir, "large.bin")
	if err := randomFile(file, largeFile); err != nil {
		return err
	}
	defer os.Remove(file) //nolint:errcheck // removed with the directory otherwise
	var cpu, cpuYard, wall, wallYard []float64
	for i := range b.runs {
		d, err := b.startSSHD(filepath.Join(b.dir, "sshd-files"))
		if err != nil {
			return err
		}
		w, err := d.target.put(ctx, fmt.Sprintf("put %s %s/large.bin\n", file, d.target.folder))
		used := d.stop()
		if err != nil {
			return err
		}
		wallYard, cpuYard = append(wallYard, w), append(cpuYard, used)
		if err := os.Remove(filepath.Join(d.target.folder, "large.bin")); err != nil {
			return err
		}
		before, err := cpuSeconds(s.pid())
		if err != nil {
			return err
		}
		if w, err = target.put(ctx, fmt.Sprintf("put %s %s/large_%d.bin\n", file, target.folder, i)); err != nil {
			return err
		}
		after, err := cpuSeconds(s.pid())
		if err != nil {
			return err
		}
		wall, cpu = append(wall, w), append(cpu, after-before)
		fmt.Printf("  run %d: ours %.2f s (CPU %.2f s), sshd %.2f s (CPU %.2f s)\n", i+1, w, cpu[i], wallYard[i], cpuYard[i])
	}
	b.atMost("sftp-large-cpu", "sshd with internal-sftp, 1 GiB by aes128-gcm (CPU of the server)", median(ratios(cpu, cpuYard)), 1.8)
	b.atMost("sftp-large-wall", "sshd with internal-sftp, 1 GiB by aes128-gcm (time)", median(ratios(wall, wallYard)), 2.6)
	return nil
}

// benchSFTPSmall uploads many small files in one session.
func benchSFTPSmall(ctx context.Context, b *bench) error {
	s, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // of no consequence to what was measured
	dir := filepath.Join(b.dir, "small")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for i := range smallFiles {
		if err := randomFile(filepath.Join(dir, fmt.Sprintf("file_%04d.bin", i)), smallSize); err != nil {
			return err
		}
	}
	var ours, yard []float64
	for i := range b.runs {
		folder := filepath.Join(b.dir, fmt.Sprintf("sshd-small-%d", i))
		d, err := b.startSSHD(folder)
		if err != nil {
			return err
		}
		t, err := d.target.put(ctx, fmt.Sprintf("lcd %s\ncd %s\nput *\n", dir, folder))
		d.stop()
		if err != nil {
			return err
		}
		yard = append(yard, smallFiles/t)
		slug := fmt.Sprintf("small%d", i)
		target, err := b.sftpTenant(s, slug, 3600)
		if err != nil {
			return err
		}
		if t, err = target.put(ctx, fmt.Sprintf("lcd %s\ncd %s\nput *\n", dir, target.folder)); err != nil {
			return err
		}
		ours = append(ours, smallFiles/t)
		var tenant api.Tenant
		if err := s.call(http.MethodGet, "/etl/tenants/"+slug, nil, &tenant); err != nil {
			return err
		}
		if tenant.Usage == nil || tenant.Usage.Files != smallFiles {
			return fmt.Errorf("not all of %d files were registered: %+v", smallFiles, tenant.Usage)
		}
		fmt.Printf("  run %d: ours %.0f files/s, sshd %.0f files/s\n", i+1, ours[i], yard[i])
	}
	b.atLeast("sftp-small", "internal-sftp, 2,000 files of 20 KB in one session (files per second)", median(ratios(ours, yard)), 0.15)
	return nil
}

func randomFile(path string, size int64) (err error) {
	f, err := os.Create(path) //nolint:gosec // a path of our own
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.CopyN(f, rand.Reader, size)
	return err
}

func waitForPort(address string) error {
	for range 100 {
		conn, err := dial(address)
		if err == nil {
			return conn.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("nothing listens on %s", address)
}
