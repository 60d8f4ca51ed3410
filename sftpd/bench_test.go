package sftpd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// benchCipher is the cipher of the benchmarks.
const benchCipher = "-oCiphers=aes128-gcm@openssh.com"

// cpu is the CPU time that this process has used: the server's, as clients and stores are other processes.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail: the arguments are right
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkOpenSSHUpload sends a file of 1 GiB with OpenSSH's client into PostgreSQL and S3.
func BenchmarkOpenSSHUpload(b *testing.B) {
	const size = 1 << 30
	r := newReal(b)
	r.file("large.bin", size)
	b.SetBytes(size)
	began := cpu()
	for i := 0; b.Loop(); i++ {
		r.mustSFTP(fmt.Sprintf("put large.bin /inbox/%d.bin\n", i), benchCipher)
	}
	b.ReportMetric((cpu()-began).Seconds()/float64(b.N), "cpu-s/op")
}

// BenchmarkOpenSSHDownload reads it back.
func BenchmarkOpenSSHDownload(b *testing.B) {
	const size = 1 << 30
	r := newReal(b)
	r.file("large.bin", size)
	r.mustSFTP("put large.bin /inbox/large.bin\n", benchCipher)
	b.SetBytes(size)
	began := cpu()
	for b.Loop() {
		r.mustSFTP("get /inbox/large.bin back.bin\n", benchCipher)
	}
	b.ReportMetric((cpu()-began).Seconds()/float64(b.N), "cpu-s/op")
}

// BenchmarkOpenSSHSmallFiles sends 2,000 files of 20 KB in one session.
func BenchmarkOpenSSHSmallFiles(b *testing.B) {
	r := newReal(b)
	r.smallFiles()
	began := cpu()
	for i := 0; b.Loop(); i++ {
		r.mustSFTP(fmt.Sprintf("mkdir /inbox/%d\nput small/* /inbox/%d/\n", i, i), benchCipher)
	}
	b.ReportMetric((cpu()-began).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(2000*float64(b.N)/b.Elapsed().Seconds(), "files/s")
}

func (r *rig) smallFiles() {
	check(r.t, os.MkdirAll(filepath.Join(r.dir, "small"), 0o700))
	for i := range 2000 {
		r.file(fmt.Sprintf("small/%04d.csv", i), 20_000)
	}
}

// BenchmarkSSHD is the yardstick: the same with OpenSSH's server and internal-sftp, writing to files.
func BenchmarkSSHD(b *testing.B) {
	for _, name := range []string{"large", "small"} {
		b.Run(name, func(b *testing.B) {
			r := newReal(b)
			check(b, os.MkdirAll(filepath.Join(r.dir, "target"), 0o700))
			var spent time.Duration
			if name == "large" {
				r.file("large.bin", 1<<30)
				b.SetBytes(1 << 30)
			} else {
				r.smallFiles()
			}
			for b.Loop() {
				stop := r.sshd()
				batch := "put large.bin target/\n"
				if name == "small" {
					batch = "put small/* target/\n"
				}
				r.mustSFTP("cd "+r.dir+"\n"+batch, benchCipher)
				spent += stop()
			}
			b.ReportMetric(spent.Seconds()/float64(b.N), "cpu-s/op")
			if name == "small" {
				b.ReportMetric(2000*float64(b.N)/b.Elapsed().Seconds(), "files/s")
			}
		})
	}
}

// sshd starts OpenSSH's server in place of ours; the returned function ends it and tells the CPU time that it used.
func (r *rig) sshd() func() time.Duration {
	r.t.Helper()
	const path = "/usr/sbin/sshd"
	public, err := exec.Command("ssh-keygen", "-y", "-f", filepath.Join(r.dir, "id")).Output()
	check(r.t, err)
	check(r.t, os.WriteFile(filepath.Join(r.dir, "authorized"), public, 0o600))
	check(r.t, os.MkdirAll("/run/sshd", 0o755))
	cmd := exec.Command(path, "-D", "-e", "-f", "/dev/null", "-oListenAddress=127.0.0.1:2299", "-oHostKey="+filepath.Join(r.dir, "id"),
		"-oAuthorizedKeysFile="+filepath.Join(r.dir, "authorized"), "-oStrictModes=no", "-oUsePAM=no", "-oPermitRootLogin=yes", "-oPidFile=none", "-oSubsystem=sftp internal-sftp")
	var log strings.Builder
	cmd.Stderr = &log
	check(r.t, cmd.Start())
	r.address, r.user = "127.0.0.1:2299", "root"
	time.Sleep(300 * time.Millisecond)
	return func() time.Duration {
		time.Sleep(200 * time.Millisecond)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it ends by our signal
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
}
