package ledger_test

import (
	"strings"
	"testing"

	"dropline/ingest"
)

func TestPGPKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := ingest.PGPKey{Tenant: acme, Fingerprint: strings.Repeat("A1", 20), User: "acme <Dropline>", Public: []byte("public"), Sealed: []byte("sealed"), CreatedBy: "test"}
	sender := ingest.PGPKey{Tenant: acme, Fingerprint: strings.Repeat("B2", 20), Sender: true, Public: []byte("theirs")}
	for _, k := range []ingest.PGPKey{own, sender} {
		_, err := w.AddPGPKey(t.Context(), k)
		w.must(err)
	}
	_, err := w.AddPGPKey(t.Context(), own)
	w.want(err, ingest.Conflict)
	keys, err := w.ListPGPKeys(t.Context(), acme)
	w.must(err)
	if len(keys) != 2 || string(keys[0].Sealed)+string(keys[1].Sealed) != "sealed" || keys[0].CreatedAt.IsZero() {
		t.Errorf("%+v", keys)
	}
	w.must(w.RevokePGPKey(t.Context(), acme, own.Fingerprint))
	w.want(w.RevokePGPKey(t.Context(), acme, strings.Repeat("C3", 20)), ingest.NotFound)
	keys, err = w.ListPGPKeys(t.Context(), acme)
	w.must(err)
	for _, k := range keys {
		if k.Fingerprint == own.Fingerprint && (k.RevokedAt == nil || k.Sealed != nil) {
			t.Errorf("a revoked key: %+v", k)
		}
	}
}
