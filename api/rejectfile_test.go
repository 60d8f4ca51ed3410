package api_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dropline/api"
)

// FuzzRejectFile writes texts with encoding/csv and expects to read them back unchanged, from the beginning and from the end
// of each record.
func FuzzRejectFile(f *testing.F) {
	f.Add("30/02/2026", "a \"b\"\r\nc", "\r")
	f.Add("", "\"", ",\n,")
	f.Add("\\.", " x", "日本")
	f.Fuzz(func(t *testing.T, value, message, header string) {
		var b bytes.Buffer
		b.WriteString(rejectsHeader)
		w := csv.NewWriter(&b)
		record := []string{"/inbox/a.csv", "Matter", "1", "2", "Name", header, "required", message, value, "M-1", "3", "4"}
		_ = w.Write(record)
		_ = w.Write(record)
		w.Flush()
		rejects, ends, err := api.ReadRejects(bytes.NewReader(b.Bytes()), 0)
		if !errors.Is(err, io.EOF) || len(rejects) != 2 {
			t.Fatalf("%d rejects, %v", len(rejects), err)
		}
		for _, r := range rejects {
			if r.Value != value || r.Message != message || r.Header != header {
				t.Errorf("%+v, want %q, %q, %q", r, value, message, header)
			}
		}
		again, _, err := api.ReadRejects(bytes.NewReader(b.Bytes()[ends[0]:]), ends[0])
		if !errors.Is(err, io.EOF) || !cmp.Equal(rejects[1:], again) {
			t.Errorf("from byte %d: %v, %v", ends[0], again, err)
		}
	})
}

// FuzzRejectFileHostile makes sure that no bytes do harm.
func FuzzRejectFileHostile(f *testing.F) {
	f.Add([]byte(rejectsHeader + "a,b\n"))
	f.Add([]byte("\"\"\"\n"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _, _ = api.ReadRejects(bytes.NewReader(data), 0)
		_, _, _ = api.ReadRejects(bytes.NewReader(data), 1)
	})
}

func TestRejectFileFaults(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not a rejects file": "a,b,c\n", "cut off": rejectsHeader + "/inbox/a.csv,Matter,1", "cut off in quotes": rejectsHeader + "\"/inbox/a.csv",
		"too few fields": rejectsHeader + "a,b\n", "no number": rejectsHeader + strings.Repeat("x,", 11) + "x\n",
		"endless": rejectsHeader + strings.Repeat("x", 2<<20),
	} {
		if _, _, err := api.ReadRejects(strings.NewReader(text), 0); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
