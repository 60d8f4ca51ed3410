package tdstest_test

import (
	"testing"

	"dropline/internal/tdstest"
)

// BenchmarkReplay reads a table out of the server's cache: what it costs is mostly the client's.
func BenchmarkReplay(b *testing.B) {
	const rows = 200_000
	table := numbers(rows)
	table.Cached = true
	s := tdstest.Start(b, tdstest.Options{Tables: []tdstest.Table{table}})
	db := open(b, s.URL())
	if _, err := readAll(b.Context(), db, "SELECT * FROM numbers"); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		if n, err := readAll(b.Context(), db, "SELECT * FROM numbers"); n != rows || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}
