package loader

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/klauspost/compress/gzip"

	"dropline/ingest"
	"dropline/ingest/mssql"
)

// DefaultMaxParts is of how many parts an import of a database may be: each has an object, and a record that is kept. A server
// that breaks off after every few rows is not read for ever.
const DefaultMaxParts = 10_000

// maxRelationName is how much of a relation's name is in the path of its file, in bytes.
const maxRelationName = 150

// readRelation reads a relation part by part. A part whose connection broke is read again from its beginning.
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

// newFile lists a file for the next part of a relation.
func (r *run) newFile(rel *ingest.PlannedRelation) *ingest.ImportFile {
	r.listing.Lock()
	defer r.listing.Unlock()
	f := ingest.ImportFile{
		Number: r.nextNumber(), Relation: rel.Name, Table: rel.Table, Ignored: rel.Ignored, ReceivedAt: r.l.cfg.Clock().UTC(),
	}
	f.Path = ingest.DatabaseRoot + "/" + r.fileName(rel) + ".csv.gz"
	f.Key = ingest.PartKey(f.ReceivedAt, r.imp.Tenant, r.imp.ID, r.imp.Attempt, f.Number)
	r.imp.Files = append(r.imp.Files, f) // so that its number is taken
	return &f
}

// keep puts a file in its place in the list.
func (r *run) keep(f *ingest.ImportFile) {
	r.listing.Lock()
	defer r.listing.Unlock()
	for i := range r.imp.Files {
		if r.imp.Files[i].Number == f.Number {
			r.imp.Files[i] = *f
		}
	}
}

func (r *run) forget(f *ingest.ImportFile) {
	r.listing.Lock()
	defer r.listing.Unlock()
	for i := range r.imp.Files {
		if r.imp.Files[i].Number == f.Number {
			r.imp.Files = append(r.imp.Files[:i], r.imp.Files[i+1:]...)
			return
		}
	}
}

// fileName is what a part of a relation is called in the client's tree. No two of an import have the same.
func (r *run) fileName(rel *ingest.PlannedRelation) string {
	name := plainName(rel.Name)
	relations := r.imp.Database.Plan.Relations
	for i := range relations {
		if &relations[i] == rel {
			break
		}
		if strings.EqualFold(plainName(relations[i].Name), name) {
			name = fmt.Sprintf("%s~~%d", name, slices.IndexFunc(relations, func(o ingest.PlannedRelation) bool { return o.Name == rel.Name })+1)
			break
		}
	}
	if rel.Key != "" {
		name = fmt.Sprintf("%s~%d", name, rel.Parts+1)
	}
	return name
}

// plainName is a relation's name as far as a file can have it. The sign "~" is ours.
func plainName(relation string) string {
	name := strings.Map(func(c rune) rune {
		if strings.ContainsRune("/\\~", c) || unicode.IsControl(c) || c == unicode.ReplacementChar {
			return '_'
		}
		return c
	}, relation)
	return strings.TrimLeft(ingest.CutText(name, maxRelationName), ". ")
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

// RequestFor asks for what is left of a relation. What came after the plan's bound is welcome: others of this import may refer to
// it, and the next goes on from the bound all the same.
func RequestFor(rel *ingest.PlannedRelation) mssql.Part {
	if rel.Query != "" {
		return mssql.Part{Query: rel.Query, Expected: rel.Rows}
	}
	return mssql.Part{
		Schema: rel.Schema, Name: rel.View, Columns: rel.Columns, Key: rel.Key, After: rel.After,
		SinceColumn: rel.SinceColumn, Since: rel.Since, Expected: rel.Rows,
	}
}

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
