package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"dropline/schema"
)

// benchFormats compares the loading of a compressed file with that of the same file as it is and with its decompression, whichever
// takes longer, and looks at the memory of a server that reads each of the formats.
func benchFormats(ctx context.Context, b *bench) error {
	s, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // of no consequence to what was measured
	dir, err := b.sample("formats", max(b.rows/2, 1000))
	if err != nil {
		return err
	}
	if err := s.createTenant("formats", 2); err != nil {
		return err
	}
	if err := s.parents("formats", dir, workItemParents(schema.Efimis10())...); err != nil {
		return err
	}
	file := sampleFile(dir, "WorkItem")
	packed, err := b.pack(ctx, file)
	if err != nil {
		return err
	}
	var gzipped, bars []float64
	for i := range b.runs {
		plain, err := s.loading(ctx, fmt.Sprintf("WorkItem_%d.csv", i), file)
		if err != nil {
			return err
		}
		ours, err := s.loading(ctx, fmt.Sprintf("WorkItem_%d.csv.gz", i), packed[0].file)
		if err != nil {
			return err
		}
		began := time.Now()
		if err := exec.CommandContext(ctx, "gzip", "-t", packed[0].file).Run(); err != nil { //nolint:gosec // a path of our own
			return fmt.Errorf("gzip: %w", err)
		}
		unzip := time.Since(began).Seconds()
		fmt.Printf("  run %d: plain %.2f s, .csv.gz %.2f s, gzip -t %.2f s\n", i+1, plain, ours, unzip)
		gzipped, bars = append(gzipped, ours), append(bars, max(plain, unzip))
	}
	b.atMost("formats-gzip", "loading the same file as it is, or decompressing it, whichever takes longer (time)", median(ratios(gzipped, bars)), 1.15)
	for _, p := range packed[1:] {
		if _, err := s.loading(ctx, "WorkItem"+p.extension, p.file); err != nil {
			return fmt.Errorf("%s: %w", p.extension, err)
		}
		so, err := peakMemory(s.pid())
		if err != nil {
			return err
		}
		fmt.Printf("  after %s: %.0f MB\n", p.extension, so/(1<<20))
	}
	peak, err := peakMemory(s.pid())
	if err != nil {
		return err
	}
	b.atMost("formats-memory", "200 MB, peak resident memory of the process over all formats", peak/memoryBar, 1)
	return nil
}

// loading loads one file and returns the seconds that it took.
func (s *server) loading(ctx context.Context, name, file string) (float64, error) {
	status, err := s.load("formats", map[string]string{name: file})
	if err != nil {
		return 0, err
	}
	if status.RowsStaged == 0 || status.RowsRejected != 0 {
		return 0, fmt.Errorf("%d rows of %s were staged, %d refused", status.RowsStaged, name, status.RowsRejected)
	}
	return *status.Timings.Loading, s.forget(ctx, status.RequestID)
}

// packedFile is a file in another format.
type packedFile struct{ extension, file string }

// pack writes the file as each of the formats that files may be packed in.
func (b *bench) pack(ctx context.Context, file string) ([]packedFile, error) {
	var out []packedFile
	for _, p := range []struct {
		extension string
		command   []string
	}{
		{".csv.gz", []string{"gzip", "-c", file}},
		{".csv.zst", []string{"zstd", "-q", "-c", file}},
		{".csv.bz2", []string{"bzip2", "-c", file}},
		{".csv.xz", []string{"xz", "-1", "-c", file}},
		{".zip", []string{"zip", "-q", "-j", "-", file}},
	} {
		name := filepath.Join(b.dir, "packed"+p.extension)
		to, err := os.Create(name) //nolint:gosec // a path of our own
		if err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...) //nolint:gosec // fixed commands
		cmd.Stdout, cmd.Stderr = to, os.Stderr
		err = cmd.Run()
		if closing := to.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.command[0], err)
		}
		out = append(out, packedFile{p.extension, name})
	}
	book := filepath.Join(b.dir, "packed.xlsx")
	return append(out, packedFile{".xlsx", book}), workbook(file, book)
}

// counting counts what is read.
type counting struct {
	io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}
