package loader

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"dropline/ingest"
	"dropline/loader/staging"
	"dropline/mapping/unpack"
	"dropline/schema"
)

// staged are the states in which an import's rows must be in staging.
func staged() []ingest.State {
	return []ingest.State{ingest.Staged, ingest.Rejected, ingest.Promoting}
}

// restore looks for tenants whose staging a crash of PostgreSQL has emptied, and brings their rows back before anybody asks.
func (l *Loader) restore(ctx context.Context) error {
	tenants, err := l.cfg.Ledger.TenantsWith(ctx, staged())
	if err != nil {
		return err
	}
	var errs []error
	for _, tenant := range tenants {
		intact, err := l.cfg.Store.Intact(ctx, tenant)
		if err == nil && !intact {
			// A tenant at whose imports a worker is already is restored by that worker.
			_, err = l.cfg.Ledger.WithTenantLock(ctx, tenant, func(ctx context.Context) error { return l.restoreTenant(ctx, tenant) })
		}
		if err != nil { // the trouble of one is no other's
			errs = append(errs, fmt.Errorf("tenant %s: %w", tenant, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// restoreTenant brings back the staged rows of a tenant's imports, where a crash of PostgreSQL has emptied their tables. The
// caller holds the tenant's lock. It comes before any other work for the tenant: rows loaded later may refer to them.
func (l *Loader) restoreTenant(ctx context.Context, tenant ingest.TenantID) error {
	intact, err := l.cfg.Store.Intact(ctx, tenant)
	if err != nil || intact {
		return err
	}
	return l.cfg.Store.MakeIntact(ctx, tenant, func(ctx context.Context) error {
		before := int64(0)
		for {
			imports, err := l.cfg.Ledger.ListImports(ctx, ingest.ImportFilter{
				Tenant: tenant, States: staged(), Before: before, Limit: ingest.MaxPage,
			})
			if err != nil {
				return err
			}
			for _, imp := range imports {
				if err := l.restoreImport(ctx, imp); err != nil {
					return err
				}
				before = imp.Seq
			}
			if len(imports) < ingest.MaxPage {
				return nil
			}
		}
	})
}

func (l *Loader) restoreImport(ctx context.Context, imp ingest.Import) error {
	target, err := l.target(imp)
	if err != nil {
		return err
	}
	if lost, err := l.cfg.Store.Lost(ctx, target); err != nil || !lost {
		return err
	}
	if imp, err = l.cfg.Ledger.Import(ctx, imp.Tenant, imp.ID); err != nil {
		return err
	}
	err = l.refill(ctx, imp, target)
	if kind := ingest.KindOf(err); err != nil && (kind == ingest.Conflict || kind == ingest.Invalid || kind == ingest.NotFound) {
		// This one cannot be had back as it was, and its promotion will say so; that must not keep the others away.
		l.cfg.Logger.ErrorContext(ctx, "an import's staged rows could not be restored", "import", imp.ID, "err", err)
		return nil
	}
	if err == nil {
		l.cfg.Logger.InfoContext(ctx, "restored staged rows after a crash of PostgreSQL", "import", imp.ID, "rows", imp.Staged)
	}
	return err
}

// refill reads an import's files once more under the mapping and in the time zone they were loaded under, and leaves out the records that were
// refused then, by mapping or by a check: production may have changed since, and must not change the verdict.
func (l *Loader) refill(ctx context.Context, imp ingest.Import, target staging.Target) error {
	r := &run{l: l, imp: imp, target: target, budget: unpack.NewBudget()}
	defer r.closePackage()
	var err error
	if r.mapper, err = r.newMapper(ctx); err != nil {
		return err
	}
	refused, err := r.refusedRecords(ctx)
	if err != nil {
		return err
	}
	return l.cfg.Store.Refill(ctx, target, func(copyFile func(*schema.Table, staging.File, ingest.Rows) error) error {
		for _, f := range imp.Files {
			if f.State != ingest.FileLoaded {
				continue
			}
			if err := r.refillFile(ctx, f, refused[piece{f.Name(), f.Output}], copyFile); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *run) refillFile(ctx context.Context, f ingest.ImportFile, refused []int64,
	copyFile func(*schema.Table, staging.File, ingest.Rows) error,
) error {
	file, err := r.openFile(ctx, &f)
	if err != nil {
		if refusalOf(err) != nil {
			err = ingest.E(ingest.Conflict, "loader.refill", err)
		}
		return err
	}
	defer file.Close() //nolint:errcheck // read to its end or given up: nothing depends on it
	return copyFile(file.Table(), staging.File{Number: f.Number, Path: f.Name()}, &without{Rows: file, records: refused})
}

// piece is what of an import's files a rejects file tells apart: a file by its path, and which of the tables that are made of it.
type piece struct {
	file   string
	output int
}

const outputField = 12 // of a rejects file's records

// refusedRecords reads the records that were refused, by file, from the import's rejects. They are at most as many as the
// import has rows, eight bytes each.
func (r *run) refusedRecords(ctx context.Context) (map[piece][]int64, error) {
	if r.imp.Rejected == 0 {
		return nil, nil
	}
	const op = "loader.refill"
	body, _, err := r.l.cfg.Bucket.Open(ctx, reportKey(r.imp, rejectsName), 0, -1, "")
	if err != nil {
		return nil, ingest.E(ingest.KindOf(err), op, err)
	}
	defer body.Close() //nolint:errcheck // read to its end or given up: nothing depends on it
	rows := csv.NewReader(body)
	rows.ReuseRecord = true
	records := map[piece][]int64{}
	for line := 0; ; line++ {
		fields, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, ingest.E(ingest.Unavailable, op, err)
		}
		if line == 0 {
			continue
		}
		n, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return nil, ingest.E(ingest.Internal, op, err)
		}
		of := piece{file: fields[0]}
		if len(fields) > outputField { // rejects files from before a file could feed several tables do not have it
			of.output, err = strconv.Atoi(fields[outputField])
			if err != nil {
				return nil, ingest.E(ingest.Internal, op, err)
			}
		}
		if _, ok := records[of]; !ok {
			of.file = strings.Clone(of.file)
		}
		records[of] = append(records[of], n)
	}
	for _, list := range records {
		slices.Sort(list)
	}
	return records, nil
}

// without are rows of which some records, in ascending order, count as refused.
type without struct {
	ingest.Rows
	records []int64
	reject  ingest.Reject
}

// Refused implements ingest.Rows.
func (w *without) Refused() *ingest.Reject {
	if reject := w.Rows.Refused(); reject != nil {
		return reject
	}
	at := w.Row().Record
	for len(w.records) > 0 && w.records[0] < at {
		w.records = w.records[1:]
	}
	if len(w.records) > 0 && w.records[0] == at {
		return &w.reject
	}
	return nil
}
