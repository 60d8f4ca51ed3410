package loader_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"dropline/ingest"
	"dropline/loader"
)

// Many small files that become large are no way around the bound of one.
func TestFilesThatExpandAreBoundedTogether(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	var file bytes.Buffer
	enc, err := zstd.NewWriter(&file, zstd.WithWindowSize(loader.PartWindow))
	h.must(err)
	_, err = enc.Write([]byte("ImportId,Name\n"))
	h.must(err)
	line := []byte("T-1," + strings.Repeat("x", 1<<20-5) + "\n")
	for range loader.FreeExpansion/len(line)/2 - 1 {
		_, err = enc.Write(line)
		h.must(err)
	}
	h.must(enc.Close())
	batch := ingest.BatchID("b")
	for i := range 3 {
		path := fmt.Sprintf("/inbox/_database/TaskType/dbo.TaskType.%d.csv.zst", i+1)
		_, err := h.receiver.Hold(t.Context(), ingest.Delivery{Tenant: acme, Path: path, Via: ingest.ViaHTTP, By: "test"}, batch, bytes.NewReader(file.Bytes()))
		h.must(err)
	}
	delivered, err := h.ledger.Deliver(t.Context(), acme, batch, 3)
	h.must(err)
	h.work()
	imp := h.until(delivered.Import, "ended", func(i ingest.Import) bool { return !i.State.Running() })
	refused := 0
	for _, f := range imp.Files {
		if f.State == ingest.FileRefused && strings.Contains(f.Error, "times as large") {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d of the files are refused: %+v", refused, imp.Files)
	}
}
