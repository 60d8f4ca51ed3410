package watch

import (
	"context"
	"errors"
	"time"

	"dropline/ingest"
)

const (
	// lostPart is how old an object must be that was read from a database and that no import knows, before it is deleted: its
	// worker records it as soon as it is stored.
	lostPart = 24 * time.Hour
	// partsSettled is when the parts of an hour are looked at. Their key has the hour in which they were begun; one is at most
	// staleUpload on its way, and then has lostPart to be recorded.
	partsSettled = staleUpload + lostPart + 24*time.Hour
	// partsBack is how far back a process begins to look: a crash leaves nothing older, unless nobody has swept for so long.
	partsBack = 30 * 24 * time.Hour
	// partsAtATime bounds how many are looked at in one sweep, so that after a restart the others' work is not held up.
	partsAtATime = 10_000
)

// dropLostParts deletes what a worker read from a client's database and did not come to record. It is nobody's: the import goes
// on from what is recorded. Each part is looked at once in the life of a process, when its time has come, so that an idle sweep
// costs at most one request an hour and a busy one what was added.
func (w *Watcher) dropLostParts(ctx context.Context) error {
	now := w.cfg.Clock()
	until := ingest.PartHour(now.Add(-partsSettled))
	if w.sweptParts == "" {
		w.sweptParts = ingest.PartHour(now.Add(-partsSettled - partsBack))
	}
	if w.sweptParts >= until {
		return nil
	}
	var errs []error
	var batch []ingest.Object
	seen, more := 0, false
	flush := func() bool {
		judged, err := w.judgeParts(ctx, batch, now)
		errs = append(errs, err)
		if judged && len(batch) > 0 {
			w.sweptParts = batch[len(batch)-1].Key
		}
		batch = batch[:0]
		return judged
	}
	err := w.cfg.Bucket.List(ctx, ingest.DatabasePrefix, w.sweptParts, func(o ingest.Object) bool {
		if o.Key >= until {
			return false
		}
		if seen == partsAtATime {
			more = true
			return false
		}
		seen++
		batch = append(batch, o)
		if len(batch) == knownBatch && !flush() {
			more = true
			return false
		}
		return ctx.Err() == nil
	})
	if !flush() || err != nil || ctx.Err() != nil {
		return errors.Join(append(errs, err)...) // the next sweep goes on where this one was
	}
	if !more {
		w.sweptParts = until
	}
	return errors.Join(errs...)
}

// judgeParts deletes those of the objects that are nobody's. It returns false if the ledger could not be asked. What cannot be
// deleted is reported, and not tried again by this process: it must not keep the sweep from what comes after.
func (w *Watcher) judgeParts(ctx context.Context, objects []ingest.Object, now time.Time) (bool, error) {
	if len(objects) == 0 {
		return true, nil
	}
	keys := make([]string, len(objects))
	for i := range objects {
		keys[i] = objects[i].Key
	}
	known, err := w.cfg.Ledger.Known(ctx, keys)
	if err != nil {
		return false, err
	}
	var errs []error
	for i, o := range objects {
		if known[i] || now.Sub(o.ModTime) < lostPart {
			continue
		}
		tenant, id, ours := ingest.PartOf(o.Key)
		if !ours {
			w.stranger(ctx, ingest.DatabasePrefix)
			continue
		}
		if _, err := w.cfg.Ledger.Import(ctx, tenant, id); err != nil {
			if ingest.KindOf(err) != ingest.NotFound {
				return false, errors.Join(append(errs, err)...)
			}
			// Of no import in this database: it is another's bucket too, or a backup was restored.
			w.stranger(ctx, ingest.DatabasePrefix+"*/"+string(tenant))
			continue
		}
		if err := w.cfg.Bucket.Delete(ctx, o.Key); err != nil {
			errs = append(errs, err)
			continue
		}
		w.cfg.Logger.InfoContext(ctx, "deleted a part of a database that no import has", "key", o.Key, "size", o.Size)
	}
	return true, errors.Join(errs...)
}
