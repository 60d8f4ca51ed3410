package loader_test

import (
	"fmt"
	"io"
	"path"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/loader"
)

// contacts is a file of n contacts, the first bad of which have no last name and are refused.
func contacts(n, bad int) string {
	var b strings.Builder
	b.WriteString("ImportId,Type,LastName\n")
	for i := range n {
		kind := "Person"
		if i < bad {
			kind = "Martian"
		}
		fmt.Fprintf(&b, "C-%06d,%s,Name\n", i, kind)
	}
	return b.String()
}

func TestConfigIsValidated(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	good := loader.Config{Pool: h.pool, Ledger: h.ledger, Bucket: h.bucket, Store: h.store, Schemas: h.schemas}
	for name, change := range map[string]func(*loader.Config){
		"no pool":    func(c *loader.Config) { c.Pool = nil },
		"no ledger":  func(c *loader.Config) { c.Ledger = nil },
		"no bucket":  func(c *loader.Config) { c.Bucket = nil },
		"no store":   func(c *loader.Config) { c.Store = nil },
		"no schemas": func(c *loader.Config) { c.Schemas = nil },
		"workers":    func(c *loader.Config) { c.Workers = -1 },
		"retention":  func(c *loader.Config) { c.Retention = -1 },
	} {
		bad := good
		change(&bad)
		if _, err := loader.New(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestProgressIsTold: the counts move while a file is read, and are whole by the time the checks begin.
func TestProgressIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	body := contacts(320_000, 0) + "C-000000,Person,Twice\n"
	read, checked := make(chan struct{}), make(chan struct{})
	h.bucket.set(func(r io.ReadCloser) (io.ReadCloser, error) {
		return &gatedBody{ReadCloser: r, free: len(body) / 2, gate: read}, nil
	}, func(key string) {
		if path.Base(key) == "rejects.csv" { // only the checks find this one, so they have begun
			<-checked
		}
	})
	h.work()
	id := h.send("Contacts.csv", body)

	half := h.until(id, "half read", func(i ingest.Import) bool { return i.BytesRead > 0 && i.Read > 0 })
	f := half.Files[0]
	if half.State != ingest.Loading || half.BytesRead > half.BytesTotal*6/10 || half.Read > 200_000 || half.Staged != half.Read {
		t.Errorf("half way: %+v", half)
	}
	if f.State != ingest.FileLoading || f.Read != half.Read || f.Bytes != half.BytesRead {
		t.Errorf("its file, half way: %+v", f)
	}
	close(read)
	whole := h.untilState(id, ingest.Validating)
	if whole.Read != 320_001 || whole.Staged != 320_001 || whole.BytesRead != int64(len(body)) || whole.LoadedAt == nil {
		t.Errorf("when the checks begin: %+v", whole)
	}
	close(checked)
	end := h.untilState(id, ingest.Staged)
	if end.Read != 320_001 || end.Staged != 319_999 || end.Rejected != 2 || end.Files[0].State != ingest.FileLoaded {
		t.Errorf("at the end: %+v", end)
	}
}

// TestRejectLimit: as many refused rows as the limit allows are not too many, though floats are a little off.
func TestRejectLimit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.work()
	for name, c := range map[string]struct {
		limit     float64
		rows, bad int
		want      ingest.State
		says      string
	}{
		"none allowed, none":     {0, 10, 0, ingest.Staged, ""},
		"none allowed, one":      {0, 1000, 1, ingest.Rejected, "1 of 1000 rows were refused, over the limit of 0 %"},
		"just allowed":           {0.1, 30, 3, ingest.Staged, ""},
		"one more":               {0.1, 30, 4, ingest.Rejected, "over the limit of 10 %"},
		"just allowed, rounding": {0.29, 100, 29, ingest.Staged, ""},
		"one more, rounding":     {0.29, 100, 30, ingest.Rejected, "over the limit of 29 %"},
		"all allowed, all":       {1, 7, 7, ingest.Staged, ""},
		"header only":            {0, 0, 0, ingest.Staged, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.ledger.ChangeTenant(t.Context(), acme, ingest.TenantChange{RejectLimit: &c.limit})
			h.must(err)
			id := h.send("Contacts_"+strings.ReplaceAll(name, " ", "-")+".csv", contacts(c.rows, c.bad))
			imp := h.until(id, "ended", func(i ingest.Import) bool { return i.FinishedAt != nil })
			if imp.State != c.want || !strings.Contains(imp.Error, c.says) || (imp.Hint == "") != (c.says == "") {
				t.Errorf("it is %s: %q, hint %q", imp.State, imp.Error, imp.Hint)
			}
			if imp.Read != int64(c.rows) || imp.Rejected != int64(c.bad) || imp.Staged != int64(c.rows-c.bad) {
				t.Errorf("%d read, %d staged, %d refused", imp.Read, imp.Staged, imp.Rejected)
			}
		})
	}
}

// TestRefusedFileRejectsTheImport whatever the limit, and the others are loaded all the same, to tell about them too.
func TestRefusedFileRejectsTheImport(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	quiet := 200 * time.Millisecond
	_, err := h.ledger.ChangeTenant(t.Context(), acme, ingest.TenantChange{QuietPeriod: &quiet})
	h.must(err)
	h.send("Nothing.csv", "a,b\n1,2\n")
	h.send("Contacts.csv", contacts(5, 1))
	var made []ingest.ImportID
	for len(made) == 0 {
		made, _, err = h.ledger.CloseBatches(t.Context())
		h.must(err)
		time.Sleep(20 * time.Millisecond)
	}
	h.work()
	imp := h.untilState(made[0], ingest.Rejected)
	if imp.Error != "1 of 2 files were refused" || imp.Hint == "" {
		t.Errorf("%q, hint %q", imp.Error, imp.Hint)
	}
	if f := imp.Files[0]; f.State != ingest.FileRefused || f.Code == "" || f.Error == "" || f.Staged != 0 {
		t.Errorf("the refused file: %+v", f)
	}
	if f := imp.Files[1]; f.State != ingest.FileLoaded || f.Staged != 4 || f.Rejected != 1 {
		t.Errorf("the other: %+v", f)
	}
}
