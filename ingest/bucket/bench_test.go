package bucket_test

import (
	"context"
	"crypto/rand"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dropline/ingest/bucket"
	"dropline/internal/devstack"
	"dropline/internal/devstack/devtest"
)

// BenchmarkUpload stores 1 GiB on the embedded server as it runs in earnest, synced to disk. It reports CPU seconds per
// GiB of this process, whose share of an upload the code here is, and of the server.
func BenchmarkUpload(b *testing.B) {
	for _, size := range []int{20_000, 1 << 30} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			stack, err := devstack.Start(b.Context(), devstack.Config{DataDir: b.TempDir(), NoPostgres: true, S3Command: []string{devtest.S3Command(b)}})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = stack.Stop(context.Background()) }()
			objects, err := bucket.New(config(devtest.S3Server(stack.S3())))
			if err != nil {
				b.Fatal(err)
			}
			chunk := make([]byte, 255<<10)
			_, _ = rand.Read(chunk)
			pid := stack.S3PID()
			n := 0
			ours, theirs := selfCPU(b), processCPU(b, pid)
			b.SetBytes(int64(size))
			for b.Loop() {
				n++
				w, err := objects.Create(b.Context(), "drops/t/bench"+strconv.Itoa(n%100_000*b2i(size < 1<<20)))
				if err != nil {
					b.Fatal(err)
				}
				for left := size; left > 0; left -= len(chunk) {
					if _, err := w.Write(chunk[:min(left, len(chunk))]); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := w.Commit(b.Context(), map[string]string{"a": "b"}); err != nil {
					b.Fatal(err)
				}
			}
			gib := float64(size) * float64(b.N) / (1 << 30)
			b.ReportMetric((selfCPU(b)-ours)/gib, "cpu-s/GiB")
			b.ReportMetric((processCPU(b, pid)-theirs)/gib, "server-cpu-s/GiB")
		})
	}
}

func selfCPU(b *testing.B) float64 {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return (time.Duration(use.Utime.Nano()) + time.Duration(use.Stime.Nano())).Seconds()
}

// processCPU reads utime and stime, in hundredths of a second, from /proc.
func processCPU(b *testing.B, pid int) float64 {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(rest)
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	return (user + system) / 100
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
