package api_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dropline/api"
	"dropline/ingest"
)

// fakePGP keeps keys in memory.
type fakePGP struct {
	mu   sync.Mutex
	now  func() time.Time
	keys []ingest.PGPKey
}

func (f *fakePGP) AddPGPKey(_ context.Context, k ingest.PGPKey) (ingest.PGPKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, other := range f.keys {
		if other.Tenant == k.Tenant && other.Fingerprint == k.Fingerprint {
			return k, ingest.Errorf(ingest.Conflict, "fake", "the tenant has the key %s already", k.Fingerprint)
		}
	}
	k.CreatedAt = f.now()
	f.keys = append(f.keys, k)
	return k, nil
}

func (f *fakePGP) ListPGPKeys(_ context.Context, tenant ingest.TenantID) ([]ingest.PGPKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []ingest.PGPKey
	for _, k := range f.keys {
		if k.Tenant == tenant {
			out = append(out, k)
		}
	}
	return out, nil
}

func (f *fakePGP) RevokePGPKey(_ context.Context, tenant ingest.TenantID, fingerprint string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.keys {
		if k := &f.keys[i]; k.Tenant == tenant && k.Fingerprint == fingerprint {
			now := f.now()
			k.RevokedAt, k.Sealed = &now, nil
			return nil
		}
	}
	return ingest.Errorf(ingest.NotFound, "fake", "there is no such key")
}

// TestPGPKeys makes a key, which never shows its private part, stores it as another tenant's sender, and revokes it.
func TestPGPKeys(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const path = "/etl/tenants/acme/pgp-keys"
	var own, sender api.PGPKey
	f.do(http.MethodPost, path, f.acme, api.PGPKeyCreate{}).want(http.StatusCreated, &own)
	if own.Kind != "own" || len(own.Fingerprint) != 40 || !strings.HasPrefix(own.Public, "-----BEGIN PGP PUBLIC KEY BLOCK-----") || !strings.Contains(own.User, "acme") {
		t.Errorf("%+v", own)
	}
	f.do(http.MethodPost, "/etl/tenants/bravo/pgp-keys", f.bravo, api.PGPKeyCreate{Sender: own.Public}).want(http.StatusCreated, &sender)
	if sender.Kind != "sender" || sender.Fingerprint != own.Fingerprint {
		t.Errorf("%+v", sender)
	}
	f.do(http.MethodPost, path, f.acme, api.PGPKeyCreate{Sender: "no key"}).problem(http.StatusUnprocessableEntity)
	f.do(http.MethodPost, path, f.bravo, api.PGPKeyCreate{}).problem(http.StatusNotFound)
	f.do(http.MethodDelete, path+"/"+own.Fingerprint, f.bravo, nil).problem(http.StatusNotFound)
	f.do(http.MethodDelete, path+"/"+own.Fingerprint, f.acme, nil).want(http.StatusNoContent)
	var list api.PGPKeyList
	f.do(http.MethodGet, path, f.acme, nil).want(http.StatusOK, &list)
	if len(list.Items) != 1 || list.Items[0].RevokedAt == nil {
		t.Errorf("%+v", list)
	}
}
