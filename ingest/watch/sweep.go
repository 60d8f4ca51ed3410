package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dropline/ingest"
)

const (
	knownBatch  = 500      // keys asked about in one query
	foreignName = "bucket" // who delivered what was written straight into the bucket
	// recentDrops covers the lifetime of a partial, after which what was never registered is deleted, and a long upload:
	// keys carry the hour in which the upload began.
	recentDrops  = ingest.PartialLifetime + 24*time.Hour
	maxStrangers = 1000           // prefixes told of, so that a bucket full of other things costs no memory
	staleUpload  = 24 * time.Hour // a multipart upload that nobody has ended by then was lost with its process
)

// Sweep looks once through the bucket: it registers what a crash left between commit and registration, takes in what others
// wrote under InboxPrefix, and deletes what nothing refers to any longer. One object's trouble does not keep it from the
// others; the troubles are returned together.
func (w *Watcher) Sweep(ctx context.Context) error {
	return errors.Join(
		w.recoverDrops(ctx),
		w.takeForeign(ctx),
		w.dropLostParts(ctx),
		w.expire(ctx),
		w.cfg.Bucket.AbortStale(ctx, w.cfg.Clock().Add(-staleUpload)),
	)
}

// recoverDrops registers whole files that the ledger does not know. The first sweep of a process looks at all drops, those
// after it at what is recent: a crash leaves nothing older.
func (w *Watcher) recoverDrops(ctx context.Context) error {
	if !w.sweptAll {
		err := w.recoverUnder(ctx, ingest.DropPrefix)
		w.sweptAll = err == nil
		return err
	}
	var errs []error
	now := w.cfg.Clock()
	for at := now.Add(-recentDrops); !at.After(now); at = at.Add(time.Hour) {
		errs = append(errs, w.recoverUnder(ctx, ingest.DropHour(at)))
	}
	return errors.Join(errs...)
}

func (w *Watcher) recoverUnder(ctx context.Context, prefix string) error {
	var errs []error
	var keys []string
	flush := func() {
		known, err := w.cfg.Ledger.Known(ctx, keys)
		errs = append(errs, err)
		for i := range known {
			if known[i] {
				continue
			}
			found, err := w.cfg.Receiver.Recover(ctx, keys[i])
			if err != nil && ingest.KindOf(err) == ingest.NotFound {
				// Of no tenant in this database: it is another's bucket too, or a backup was restored. No trouble of the sweep.
				_, owner, _ := strings.Cut(strings.TrimPrefix(keys[i], ingest.DropPrefix), "/") // after the hour
				slug, _, _ := strings.Cut(owner, "/")
				w.stranger(ctx, ingest.DropPrefix+"*/"+slug)
				continue
			}
			errs = append(errs, err)
			if found {
				w.cfg.Logger.InfoContext(ctx, "registered a file that had been left unregistered", "key", keys[i])
			}
		}
		keys = keys[:0]
	}
	before := w.cfg.Clock().Add(-w.cfg.Settle)
	err := w.cfg.Bucket.List(ctx, prefix, "", func(o ingest.Object) bool {
		if o.ModTime.Before(before) {
			keys = append(keys, o.Key)
		}
		if len(keys) == knownBatch {
			flush()
		}
		return ctx.Err() == nil
	})
	if len(keys) > 0 {
		flush()
	}
	return errors.Join(append(errs, err)...)
}

// takeForeign receives what was written straight into the bucket. The original stays where it is: to delete it might delete
// what its writer has just put in its place. It is known again by its key, entity tag and time.
func (w *Watcher) takeForeign(ctx context.Context) error {
	var errs []error
	before := w.cfg.Clock().Add(-w.cfg.Settle)
	err := w.cfg.Bucket.List(ctx, ingest.InboxPrefix, "", func(o ingest.Object) bool {
		if o.ModTime.Before(before) && !strings.HasSuffix(o.Key, "/") && !ingest.TemporaryName(o.Key) {
			errs = append(errs, w.takeOne(ctx, o))
		}
		return ctx.Err() == nil
	})
	return errors.Join(append(errs, err)...)
}

func (w *Watcher) takeOne(ctx context.Context, o ingest.Object) error {
	const op = "watch.takeForeign"
	slug, rest, ok := strings.Cut(strings.TrimPrefix(o.Key, ingest.InboxPrefix), "/")
	tenant := ingest.TenantID(slug)
	path, err := ingest.CleanPath(ingest.Inbox + "/" + rest)
	if !ok || !tenant.Valid() || err != nil || !ingest.InInbox(path) {
		w.stranger(ctx, ingest.InboxPrefix+slug)
		return nil
	}
	if _, err := w.cfg.Ledger.Tenant(ctx, tenant); ingest.KindOf(err) == ingest.NotFound && err != nil {
		w.stranger(ctx, ingest.InboxPrefix+slug)
		return nil
	} else if err != nil {
		return err
	}
	origin := fmt.Sprintf("%s %s %d", o.Key, o.ETag, o.ModTime.UnixNano())
	if seen, err := w.cfg.Ledger.KnownOrigin(ctx, origin); err != nil || seen {
		return err
	}
	body, _, err := w.cfg.Bucket.Open(ctx, o.Key, 0, -1, o.ETag)
	if kind := ingest.KindOf(err); err != nil && (kind == ingest.NotFound || kind == ingest.Conflict) {
		return nil // replaced or removed since it was listed: the next sweep sees what is there then
	} else if err != nil {
		return ingest.E(kind, op, err)
	}
	defer body.Close() //nolint:errcheck // read to its end or given up: nothing depends on it
	drop, err := w.cfg.Receiver.Receive(ctx, ingest.Delivery{
		Tenant: tenant, Path: path, Via: ingest.ViaBucket, By: foreignName, Origin: origin,
	}, body)
	if err != nil {
		return ingest.E(ingest.KindOf(err), op, fmt.Errorf("%q: %w", o.Key, err))
	}
	w.cfg.Logger.InfoContext(ctx, "took in a file from the bucket", "tenant", tenant, "path", path, "drop", drop.ID,
		"size", drop.Size, "state", drop.State)
	return nil
}

// stranger tells, once in a process, of objects that belong to no tenant: they are left as they are, and whoever wrote them
// waits in vain until somebody reads this.
func (w *Watcher) stranger(ctx context.Context, under string) {
	if _, told := w.strangers[under]; told || len(w.strangers) >= maxStrangers {
		return
	}
	w.strangers[under] = struct{}{}
	w.cfg.Logger.WarnContext(ctx, "objects in the bucket belong to no tenant and are left alone", "under", under,
		"hint", "write to inbox/<tenant>/<file>, with a tenant's slug; a bucket serves one database only")
}

// expire deletes objects that nothing refers to any longer.
func (w *Watcher) expire(ctx context.Context) error {
	keys, err := w.cfg.Ledger.Expire(ctx, expireBatch)
	errs := []error{err}
	for _, key := range keys {
		errs = append(errs, w.cfg.Bucket.Delete(ctx, key))
	}
	return errors.Join(errs...)
}
