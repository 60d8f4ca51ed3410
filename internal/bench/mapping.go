package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"dropline/mapping"
	"dropline/mapping/detect"
	"dropline/schema"
)

// mappedBytes is how much of a file is mapped in memory to compare ways of mapping it.
const mappedBytes = 64 << 20

// benchMapping compares the mapping of a file with one computed column with that of the same file with none, and says how much of a
// file is read before its rows flow.
func benchMapping(_ context.Context, b *bench) error {
	dir, err := b.sample("export", b.rows)
	if err != nil {
		return err
	}
	text, err := beginning(sampleFile(dir, "WorkItem"), mappedBytes)
	if err != nil {
		return err
	}
	efimis := schema.Efimis10()
	computed, err := mapping.Parse("computed.yaml", []byte(`version: 1
files:
  - pattern: "*.csv"
    table: WorkItem
    columns:
      Description: {expr: 'row["Description"] + " (" + row["ImportId"] + ")"'}
`), efimis)
	if err != nil {
		return err
	}
	var with, without []float64
	for range 2*b.runs + 1 {
		plain, _, err := mapAll(efimis, nil, text)
		if err != nil {
			return err
		}
		ours, _, err := mapAll(efimis, computed, text)
		if err != nil {
			return err
		}
		without, with = append(without, plain), append(with, ours)
	}
	b.atMost("mapping-computed", "mapping the same rows without a computed column (time)", median(ratios(with, without)), 2)
	_, head, err := mapAll(efimis, nil, text)
	if err != nil {
		return err
	}
	b.atMost("mapping-head", "1 MB, read before rows flow", float64(head)/detect.HeadBytes, 1)
	return nil
}

// mapAll maps a file in memory. It returns the seconds, and the bytes that had been read when the file was open.
func mapAll(s *schema.Schema, m *mapping.Mapping, text []byte) (float64, int64, error) {
	mapper, err := mapping.New(s, m, mapping.Options{})
	if err != nil {
		return 0, 0, err
	}
	source := &counting{Reader: bytes.NewReader(text)}
	began := time.Now()
	rows, err := mapper.Open("WorkItem.csv", source)
	if err != nil {
		return 0, 0, err
	}
	head, n := source.n, 0
	for rows.Next() {
		if r := rows.Refused(); r != nil {
			return 0, 0, fmt.Errorf("line %d: %s", r.Line, r.Message)
		}
		n++
	}
	if n == 0 {
		return 0, 0, fmt.Errorf("no rows: %w", rows.Err())
	}
	return time.Since(began).Seconds(), head, nil
}

// beginning reads a file's first bytes, up to the end of a line.
func beginning(file string, most int64) ([]byte, error) {
	f, err := os.Open(file) //nolint:gosec // a path of our own
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	text := make([]byte, most)
	n, err := f.Read(text)
	if err != nil {
		return nil, err
	}
	return text[:bytes.LastIndexByte(text[:n], '\n')+1], nil
}
