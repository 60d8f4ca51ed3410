package ingest_test

import (
	"bytes"
	"errors"
	"testing"

	"dropline/ingest"
)

// limit sets acme's quota.
func (h house) limit(t *testing.T, quota int64) {
	t.Helper()
	if _, err := h.ledger.ChangeTenant(t.Context(), acme, ingest.TenantChange{QuotaBytes: &quota}); err != nil {
		t.Fatal(err)
	}
}

func TestUploadsSideBySideShareTheQuota(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.limit(t, 1000)
	r := h.receiver(t, h.ledger)
	half := func(path string) *ingest.Upload {
		u, err := r.Create(ctx, delivery(path))
		if err != nil {
			t.Fatal(err)
		}
		write(t, u, make([]byte, 400))
		return u
	}
	first, second := half("/inbox/A.csv"), half("/inbox/B.csv")
	third, err := r.Create(ctx, delivery("/inbox/C.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := first.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Write(make([]byte, 201)); ingest.KindOf(err) != ingest.Exhausted {
		t.Errorf("over the quota together: %v", err)
	}
	if _, err := third.Write(make([]byte, 201)); ingest.KindOf(err) != ingest.Exhausted {
		t.Errorf("over the quota with what came meanwhile: %v", err)
	}
	if err := errors.Join(second.Abort(ctx), third.Abort(ctx)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Receive(ctx, delivery("/inbox/D.csv"), bytes.NewReader(make([]byte, 600))); err != nil {
		t.Errorf("what was aborted left no room: %v", err)
	}
}

func TestAResumedFileNeedsNoRoomTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.limit(t, 1000)
	r := h.receiver(t, h.ledger)
	u, err := r.Create(ctx, delivery("/inbox/A.csv"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, u, make([]byte, 600))
	if err := u.Suspend(ctx); err != nil {
		t.Fatal(err)
	}
	if u, err = r.Resume(ctx, delivery("/inbox/A.csv")); err != nil {
		t.Fatal(err)
	}
	write(t, u, make([]byte, 400))
	if _, err := u.Write([]byte("x")); ingest.KindOf(err) != ingest.Exhausted {
		t.Errorf("a byte over the quota: %v", err)
	}
	if err := u.Abort(ctx); err != nil {
		t.Fatal(err)
	}
	if u, err = r.Resume(ctx, delivery("/inbox/A.csv")); err != nil {
		t.Fatal(err)
	}
	write(t, u, make([]byte, 400))
	if drop, _, err := u.Commit(ctx); err != nil || drop.Size != 1000 {
		t.Errorf("a file as large as the quota, resumed: %+v, %v", drop, err)
	}
}

func TestUploadsOfATenantAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	r := h.receiver(t, h.ledger)
	var open []*ingest.Upload
	for range ingest.MaxUploads {
		u, err := r.Create(ctx, delivery("/inbox/A.csv"))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, u)
	}
	if _, err := r.Create(ctx, delivery("/inbox/A.csv")); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("one more: %v", err)
	}
	end := []func(*ingest.Upload) error{
		func(u *ingest.Upload) error { return u.Abort(ctx) },
		func(u *ingest.Upload) error { _, _, err := u.Commit(ctx); return err },
		func(u *ingest.Upload) error { return u.Suspend(ctx) },
	}
	for i, u := range open {
		if i < len(end) {
			if err := end[i](u); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Receive(ctx, delivery("/inbox/B.csv"), bytes.NewReader([]byte{byte(i)})); err != nil {
				t.Errorf("after one ended, another: %v", err)
			}
			continue
		}
		if err := u.Abort(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
