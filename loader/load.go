package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"dropline/ingest"
	"dropline/loader/staging"
	"dropline/mapping"
	"dropline/mapping/unpack"
)

// load takes an import through loading and validating to staged or rejected.
func (l *Loader) load(ctx context.Context, id ingest.ImportID, last bool) error {
	imp, err := l.cfg.Ledger.Take(ctx, id)
	if err != nil {
		return err
	}
	working, stop := context.WithCancelCause(ctx)
	r := &run{l: l, imp: imp, progress: &progress{}, budget: unpack.NewBudget(), first: make(chan struct{}, 1)}
	beating := r.startHeartbeat(working, stop)
	err = r.work(working)
	stop(nil)
	<-beating
	if err == nil || errors.Is(err, errUnmapped) {
		return nil
	}
	if cause := context.Cause(working); ingest.KindOf(cause) == ingest.Conflict {
		err = cause // the heartbeat found that the import was cancelled or taken over
	}
	return r.giveUp(ctx, err, last)
}

// run is one attempt at loading one import.
type run struct {
	l         *Loader
	imp       ingest.Import
	target    staging.Target
	limit     float64 // the tenant's reject limit
	mapper    *mapping.Mapper
	progress  *progress
	saving    sync.Mutex // of progress, so that an older report does not overtake a newer one
	listing   sync.Mutex // of imp.Files and imp.Database, where parts of a database are read side by side
	rejects   *rejectsFile
	warnings  []ingest.Reject
	warned    int64
	started   time.Time
	expanded  map[int]int64  // by file, guarded by listing: bytes that compressed ones became beyond what each may
	packed    packed         // the package that was opened last
	budget    *unpack.Budget // what the files may become together
	announced announced      // what the manifests say
	proposed  proposed       // for files that nobody has mapped
	first     chan struct{}  // taken by a part that is copied in the import's own place
}

// work reads as the way a file goes.
func (r *run) work(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	defer r.rejects.discard(ctx)
	defer r.closePackage()
	if err := r.unpack(ctx); err != nil {
		return err
	}
	if err := r.setAside(ctx); err != nil {
		return err
	}
	if err := r.readManifests(ctx); err != nil {
		return err
	}
	if err := r.propose(ctx); err != nil {
		return err
	}
	for i := 0; i < len(r.imp.Files); i++ { // some are found out to be several on the way
		if err := r.readManifests(ctx); err != nil {
			return err
		}
		if err := r.loadFile(ctx, i); err != nil {
			return err
		}
		if err := r.proposeForRefused(ctx, i); err != nil {
			return err
		}
	}
	if r.imp.Database != nil {
		if err := r.readDatabase(ctx); err != nil {
			return err
		}
	}
	if err := r.noteWhole(ctx); err != nil {
		return err
	}
	// The checks may take long, and the status shall not show the counts of half a second before their beginning all along.
	if err := r.saveProgress(ctx); err != nil {
		return err
	}
	if err := r.l.cfg.Ledger.StartValidating(ctx, r.imp.ID, r.imp.Attempt); err != nil {
		return err
	}
	checked, err := r.check(ctx)
	if err != nil {
		return err
	}
	return r.finish(ctx, checked)
}

// prepare finds the tenant's schema and mapping, and clears what an earlier attempt left.
func (r *run) prepare(ctx context.Context) error {
	r.started = r.l.cfg.Clock()
	tenant, err := r.l.cfg.Ledger.Tenant(ctx, r.imp.Tenant)
	if err != nil {
		return err
	}
	r.limit = tenant.RejectLimit
	if r.target, err = r.l.target(r.imp); err != nil {
		return err
	}
	if r.mapper, err = r.newMapper(ctx); err != nil {
		return err
	}
	if err := r.l.cfg.Store.Provision(ctx, r.imp.Tenant, r.target.Schema); err != nil {
		return err
	}
	if err := r.l.cfg.Store.Begin(ctx, r.target); err != nil {
		return err
	}
	r.rejects = newRejectsFile(r.l.cfg.Bucket, r.imp)
	return nil
}

func (r *run) newMapper(ctx context.Context) (*mapping.Mapper, error) {
	const op = "loader.newMapper"
	location, err := time.LoadLocation(r.imp.TimeZone)
	if err != nil {
		return nil, ingest.WithHint(ingest.E(ingest.Invalid, op, err), "set the tenant's time zone to an IANA name")
	}
	version, err := r.l.cfg.Ledger.Mapping(ctx, r.imp.Tenant, r.imp.MappingVersion)
	if err != nil {
		return nil, err
	}
	var m *mapping.Mapping
	if len(version.YAML) > 0 {
		name := fmt.Sprintf("mapping version %d", version.Version)
		if m, err = mapping.Parse(name, version.YAML, r.target.Schema); err != nil {
			return nil, ingest.WithHint(ingest.E(ingest.Invalid, op, err), "store a corrected mapping, and send the files again")
		}
	}
	mapper, err := mapping.New(r.target.Schema, m, mapping.Options{
		Location: location, Lookup: func(pattern string) (io.ReadCloser, error) { return r.openLookup(ctx, pattern) },
	})
	return mapper, ingest.E(ingest.Invalid, op, err)
}

// loadFile maps one file and copies its rows into staging. A file refused as a whole is not an error: the import goes on to
// tell about the others.
func (r *run) loadFile(ctx context.Context, index int) error {
	f := &r.imp.Files[index]
	if f.State != ingest.FileWaiting {
		return nil // unpacked, read beside the rows, or refused already
	}
	file, err := r.openFile(ctx, f)
	if errors.Is(err, errPacked) {
		return r.spread(ctx, index)
	}
	r.progress.begin(f)
	if err == nil {
		defer file.Close() //nolint:errcheck // read to its end or given up: nothing depends on it
		err = r.copyFile(ctx, f, file.Reader, r.refuse, file.bytes)
	}
	if err := judge(f, err); err != nil {
		return err
	}
	if f.Bytes = r.share(f, f.Size); f.Member != "" && file != nil {
		f.Bytes = r.share(f, file.bytes())
	}
	r.progress.end(f)
	return nil
}

func (r *run) refuse(ctx context.Context, reject *ingest.Reject) error {
	return r.rejects.add(ctx, *reject)
}

// copyFile copies a file's rows into staging. refuse gets those that are refused; bytes tells how many of the file's have been
// read.
func (r *run) copyFile(ctx context.Context, f *ingest.ImportFile, reader *mapping.Reader,
	refuse func(context.Context, *ingest.Reject) error, bytes func() int64,
) error {
	f.Table = reader.Table().Name
	if f.Relation == "" { // else it is known which columns were not read
		f.Ignored = reader.Ignored()
	}
	rows, notes := r.held(f, reader)
	f.Notes = notes()
	stats, err := r.l.cfg.Store.Copy(ctx, r.target, reader.Table(), staging.File{Number: f.Number, Path: f.Name()}, rows,
		func(reject *ingest.Reject) error {
			reject.Output = f.Output
			return refuse(ctx, reject)
		},
		func(s staging.CopyStats) { r.progress.copied(f.Number, s, r.share(f, bytes())) })
	f.Read, f.Staged, f.Rejected, f.Notes = stats.Read, stats.Staged, stats.Rejected, notes()
	return err
}

// judge says what became of a file, unless err is about something else than the file.
func judge(f *ingest.ImportFile, err error) error {
	refusal := refusalOf(err)
	switch {
	case refusal != nil:
		f.State, f.Code, f.Error = ingest.FileRefused, refusal.Code, refusal.Message
		f.Read, f.Staged = f.Rejected, 0 // its COPY was undone; the rejects named so far stay named
	case err != nil:
		return err
	default:
		f.State = ingest.FileLoaded
	}
	return nil
}

// check runs the set checks and takes the rows they refuse out of the files' counts.
func (r *run) check(ctx context.Context) (staging.CheckResult, error) {
	earlier, err := r.l.cfg.Ledger.EarlierStaged(ctx, r.imp.Tenant, r.imp.Seq)
	if err != nil {
		return staging.CheckResult{}, err
	}
	targets := make([]staging.Target, 0, len(earlier))
	for _, e := range earlier {
		t, err := r.l.target(e)
		if err != nil {
			return staging.CheckResult{}, err
		}
		if t.Schema == r.target.Schema {
			targets = append(targets, t)
		}
	}
	found := received{run: r}
	defer found.close()
	return r.l.cfg.Store.Check(ctx, r.target, targets,
		func(reject ingest.Reject) error {
			r.name(&reject)
			if err := found.fill(ctx, &reject); err != nil {
				return err
			}
			return r.rejects.add(ctx, reject)
		},
		func(warning ingest.Reject) error {
			r.warned++
			if len(r.warnings) == ingest.MaxSampleReject {
				return nil
			}
			r.name(&warning)
			if err := found.fill(ctx, &warning); err != nil {
				return err
			}
			r.warnings = append(r.warnings, warning)
			return nil
		})
}

// name fills in from which file a reject of the set checks comes, and for which of the tables that are made of it.
func (r *run) name(reject *ingest.Reject) {
	if f := r.file(reject.FileNumber); f != nil {
		reject.File, reject.Output = f.Name(), f.Output
	}
}

// file returns the import's file of that number, or nil. Those of a database may have gaps between them.
func (r *run) file(number int) *ingest.ImportFile {
	i, found := slices.BinarySearchFunc(r.imp.Files, number, func(f ingest.ImportFile, n int) int { return f.Number - n })
	if !found {
		return nil
	}
	return &r.imp.Files[i]
}
