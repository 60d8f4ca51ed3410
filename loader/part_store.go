package loader

import (
	"context"
	"crypto/sha256"
	"io"
	"math"
	"slices"

	"github.com/klauspost/compress/gzip"

	"dropline/ingest"
)

// store compresses the rows into the object, and records it.
func (p *part) store(ctx context.Context) {
	defer close(p.stored)
	object, err := p.run.l.cfg.Bucket.Create(ctx, p.file.Key)
	if err != nil {
		p.fail(err)
		return
	}
	if err := p.fill(ctx, object); err != nil {
		p.fail(err)
		ctx, cancel := recordContext(ctx)
		defer cancel()
		_ = object.Abort(ctx) // the sweep ends it if this does not
	}
}

func (p *part) fill(ctx context.Context, object ingest.ObjectWriter) error {
	room, err := p.room(ctx)
	if err != nil {
		return err
	}
	sum := sha256.New()
	// Level 1 of this library is twice as fast as the fastest zstd, and everybody can read it.
	enc, err := gzip.NewWriterLevel(&bounded{io.MultiWriter(object, sum), room, p.run.imp.Tenant}, gzip.BestSpeed)
	if err != nil {
		return err
	}
	// What compresses well fills staging all the same: it may be as much as the files of a tenant could become.
	raw := &bounded{enc, room, p.run.imp.Tenant}
	if room >= 0 {
		raw.room = FreeExpansion + MaxExpansion*min(room, math.MaxInt64/MaxExpansion/2)
	}
	if _, err := io.Copy(raw, p.copy); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	if _, err := object.Commit(ctx, nil); err != nil {
		return err
	}
	p.file.Size = object.Size()
	sum.Sum(p.file.SHA256[:0])
	return p.record(ctx)
}

// record registers the object, and how far its relation is.
func (p *part) record(ctx context.Context) error {
	r := p.run
	r.listing.Lock()
	defer r.listing.Unlock()
	before := *p.rel
	Advance(p.rel, &p.result)
	for _, note := range p.result.Notes {
		if plan := r.imp.Database.Plan; !slices.Contains(plan.Notes, note) {
			plan.Notes = append(plan.Notes, note)
		}
	}
	r.imp.Database.Snapshots = p.snapshots + p.client.Snapshots()
	f := p.listed
	f.Size, f.SHA256 = p.file.Size, p.file.SHA256
	f.Drop = ingest.NewDropID()
	f.ReceivedAt = r.l.cfg.Clock().UTC()
	if err := r.l.cfg.Ledger.RecordPart(ctx, r.imp, f); err != nil {
		*p.rel = before
		return err
	}
	p.file.Drop, p.file.ReceivedAt = f.Drop, f.ReceivedAt
	return nil
}

// room is how many bytes the tenant may still store; below zero: any number.
func (p *part) room(ctx context.Context) (int64, error) {
	usage, err := p.run.l.cfg.Ledger.Usage(ctx, p.run.imp.Tenant)
	if err != nil || usage.Quota == 0 {
		return -1, err
	}
	return max(usage.Quota-usage.Bytes, 0), nil
}

// bounded writes as much as the tenant has room for.
type bounded struct {
	io.Writer
	room   int64 // below zero: any
	tenant ingest.TenantID
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.room >= 0 {
		if b.room -= int64(len(p)); b.room < 0 {
			return 0, ingest.WithHint(ingest.Errorf(ingest.Invalid, "loader.readDatabase", "the quota of the tenant %s is used up", b.tenant),
				"remove files that are no longer needed, or ask the operator for a larger quota; then retry the import")
		}
	}
	return b.Writer.Write(p)
}
