package api_test

import (
	"context"
	"slices"

	"dropline/ingest"
)

// heldOf returns what waits for a batch of the tenant, and what does not.
func (f *fakeLedger) heldOf(t ingest.TenantID, batch ingest.BatchID) (held, rest []ingest.Entry) {
	for _, e := range f.held[t] {
		if _, ok := batch.Final(e.Path); ok {
			held = append(held, e)
		} else {
			rest = append(rest, e)
		}
	}
	return held, rest
}

func (f *fakeLedger) ListHeld(_ context.Context, t ingest.TenantID, batch ingest.BatchID) ([]ingest.Entry, error) {
	defer f.lock()()
	held, _ := f.heldOf(t, batch)
	return held, f.broken
}

func (f *fakeLedger) Deliver(_ context.Context, t ingest.TenantID, batch ingest.BatchID, files int) (ingest.Delivered, error) {
	defer f.lock()()
	held, rest := f.heldOf(t, batch)
	if f.broken == nil && len(held) != files {
		return ingest.Delivered{}, ingest.WithHint(ingest.Errorf(ingest.Conflict, "fake", "the batch has %d files", len(held)), "send the others")
	}
	if f.broken != nil {
		return ingest.Delivered{}, f.broken
	}
	out := ingest.Delivered{Import: ingest.NewImportID()}
	for _, e := range held {
		final, _ := batch.Final(e.Path)
		drop := ingest.Drop{ID: ingest.NewDropID(), Tenant: t, Path: final, Size: e.Size, SHA256: e.SHA256, Via: ingest.ViaHTTP, State: ingest.DropImported, Import: out.Import}
		out.Drops = append(out.Drops, drop)
	}
	f.drops = append(f.drops, out.Drops...)
	f.held[t] = rest
	return out, nil
}

func (f *fakeLedger) Discard(_ context.Context, t ingest.TenantID, batch ingest.BatchID) (int, error) {
	defer f.lock()()
	held, rest := f.heldOf(t, batch)
	if f.broken == nil {
		f.held[t] = slices.Clone(rest)
	}
	return len(held), f.broken
}
