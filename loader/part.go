package loader

import (
	"cmp"
	"context"
	"io"
	"sync"

	"dropline/ingest"
	"dropline/ingest/mssql"
)

// DefaultMaxParts is of how many parts an import of a database may be: each has an object, and a record that is kept. A server
// that breaks off after every few rows is not read for ever.
const DefaultMaxParts = 10_000

// readRelation reads a relation part by part. A part whose connection broke ends after the last whole row, or without a key is
// read again from its beginning.
func (r *run) readRelation(ctx context.Context, client database, rel *ingest.PlannedRelation, snapshots int) error {
	for !rel.Done {
		if err := r.again(ctx, rel.Name, func() error { return r.readPart(ctx, client, rel, snapshots) }); err != nil {
			return err
		}
	}
	return nil
}

// part is one reading of a part of a relation: from the database into staging, and beside that into an object, from which it can
// be had again. The rows end for staging only once the object is durable and recorded, so that there never are staged rows
// that nothing could bring back.
type part struct {
	run       *run
	rel       *ingest.PlannedRelation
	file      *ingest.ImportFile
	listed    ingest.ImportFile // file as it was at first: while it is recorded, staging counts in file
	snapshots int               // that were used by attempts before
	client    database
	rows      *conduit // to mapping and staging
	copy      *conduit // to the object
	result    mssql.PartResult
	stored    chan struct{} // closed when the object is durable, or will not be
	refused   []ingest.Reject
	told      bool // refused rows have been reported, which cannot be taken back

	once sync.Once
	err  error // the first failure: what came after was its consequence
	stop context.CancelFunc
}

// maxHeldRejects is how many refused rows of a part are held back until it is known that it need not be read again.
const maxHeldRejects = 20_000

func (r *run) readPart(ctx context.Context, client database, rel *ingest.PlannedRelation, snapshots int) error {
	leave, err := r.l.places.take(ctx, r.first)
	if err != nil {
		return err
	}
	defer leave()
	f := r.newFile(rel)
	if most := cmp.Or(r.l.cfg.Databases.MaxParts, DefaultMaxParts); f.Number > most {
		r.forget(f)
		return ofSource(ingest.WithHint(
			ingest.Errorf(ingest.Invalid, "loader.readPart", "the database was not read to its end in %d parts, the last of them of %s", most, rel.Name),
			"see what breaks the connections, then retry the import; dropline push reads beside the server"))
	}
	r.progress.begin(f)
	p := &part{
		run: r, rel: rel, file: f, listed: *f, client: client, snapshots: snapshots, rows: newConduit(), copy: newConduit(),
		stored: make(chan struct{}),
	}
	p.carry(ctx)
	refusal := refusalOf(p.err)
	if p.err == nil || p.told || refusal != nil && f.Drop != "" {
		if err := p.tell(ctx); err != nil {
			p.fail(err)
		}
	}
	if refusal == nil && p.err != nil && p.told && f.Drop == "" { // some of its rejects are in the report, and would be twice
		p.err = ofSource(ingest.E(ingest.Invalid, "loader.readPart", p.err))
	}
	if err := judge(f, p.err); err != nil {
		r.progress.drop(f.Number)
		r.forget(f)
		return err
	}
	if refusal != nil {
		if err := r.refuseRelation(ctx, rel, f, refusal); err != nil || f.Drop == "" {
			return err
		}
	}
	f.Bytes = f.Size
	r.progress.end(f)
	r.keep(f)
	return nil
}

// refuseRelation ends the reading of a relation: what is left of it would be refused as well. One whose part was not stored is
// refused in the plan, so that no later attempt passes over it.
func (r *run) refuseRelation(ctx context.Context, rel *ingest.PlannedRelation, f *ingest.ImportFile, refusal *ingest.FileRefusal) error {
	if f.Drop == "" {
		r.progress.drop(f.Number)
		r.forget(f)
	}
	r.listing.Lock()
	defer r.listing.Unlock()
	d := r.imp.Database
	rel.Done = true
	if f.Drop == "" {
		d.Plan.Refused = append(d.Plan.Refused, ingest.RefusedRelation{
			Name: rel.Name, Table: rel.Table, Code: refusal.Code, Message: refusal.Message,
		})
	}
	return r.l.cfg.Ledger.SavePlan(ctx, r.imp.ID, r.imp.Attempt, d)
}

// carry takes the rows from the database to where they belong.
func (p *part) carry(ctx context.Context) {
	ctx, p.stop = context.WithCancel(ctx)
	defer p.stop()
	var work sync.WaitGroup
	work.Go(func() { p.read(ctx) })
	work.Go(func() { p.store(ctx) })
	p.stage(ctx)
	work.Wait()
}

// fail notes why the part cannot be read, unless it is known, and stops what is still at work on it.
func (p *part) fail(err error) {
	p.once.Do(func() {
		p.err = err
		p.rows.abandon(err)
		p.copy.abandon(err)
		p.stop()
	})
}

// read reads the database and hands its rows on.
func (p *part) read(ctx context.Context) {
	request := RequestFor(p.rel)
	if p.rel.Key != "" {
		request.Limit = p.client.PartRows()
	}
	var err error
	p.result, err = p.client.Read(ctx, request, io.MultiWriter(p.rows, p.copy), nil)
	if err != nil && p.rel.Key != "" && p.result.Last != "" && mssql.IsLost(err) && ctx.Err() == nil {
		// The rows that came are whole: they make a shorter part, and the next goes on after them.
		p.run.l.cfg.Logger.InfoContext(ctx, "the connection to a client's database broke in a part", "import", p.run.imp.ID,
			"relation", p.rel.Name, "rows", p.result.Rows, "err", err)
		p.result.More, err = true, nil
	}
	if err != nil {
		p.fail(ofRelation(p.rel.Name, err))
	}
	p.copy.end(err)
	<-p.stored
	if err == nil && p.file.Drop == "" {
		err = errNoReader // the store has failed and said why
	}
	p.rows.end(err)
}

// RequestFor asks for what is left of a relation. Rows that changed after the plan was made are welcome: others of this import may
// refer to them, and the next goes on from the plan's High all the same.
func RequestFor(rel *ingest.PlannedRelation) mssql.Part {
	if rel.Query != "" {
		return mssql.Part{Query: rel.Query, Expected: rel.Rows}
	}
	return mssql.Part{
		Schema: rel.Schema, Name: rel.View, Columns: rel.Columns, Key: rel.Key, After: rel.After,
		SinceColumn: rel.SinceColumn, Since: rel.Since, Expected: rel.Rows,
	}
}

// stage maps the rows and copies them into staging.
func (p *part) stage(ctx context.Context) {
	r := p.run
	reader, err := r.openRelation(p.rel.Name, p.rel.Table, p.rows)
	if err == nil {
		err = r.copyFile(ctx, p.file, reader, p.refuse, func() int64 { return 0 })
	}
	if err != nil {
		p.fail(err)
	}
}

// refuse takes a refused row. It is reported when the part has been read to its end, as far as that many can be held.
func (p *part) refuse(ctx context.Context, reject *ingest.Reject) error {
	p.refused = append(p.refused, *reject)
	if len(p.refused) < maxHeldRejects {
		return nil
	}
	return p.tell(ctx)
}

func (p *part) tell(ctx context.Context) error {
	for i := range p.refused {
		if err := p.run.rejects.add(ctx, p.refused[i]); err != nil {
			return err
		}
		p.told = true
	}
	p.refused = p.refused[:0]
	return nil
}
