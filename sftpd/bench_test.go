package sftpd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// benchCipher is the cipher of the benchmarks. `make bench` compares with OpenSSH's server.
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
