package loader

import (
	"context"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/mapping"
	"dropline/schema"
)

// Bounds of a dry run, which a client waits for.
const (
	sampleRows    = 200 // of each relation
	sampleRejects = 20  // of them that are told
)

// DryRun connects to a database and says what an import would find there: what is read and what is not, what would be refused,
// and what becomes of the first rows. Nothing is stored. An error of the database has a method OfSource.
func (d Databases) DryRun(ctx context.Context, secret ingest.DatabaseSecret, o ingest.DatabaseOptions, s *schema.Schema,
	mapper *mapping.Mapper,
) (*ingest.DryRun, error) {
	conn, err := mssql.Parse(secret.ConnectionString, d.Local)
	if err != nil {
		return nil, ofSource(err)
	}
	client, err := d.open(ctx, secret, o, mapper)
	if err != nil {
		return nil, ofSource(err)
	}
	defer client.Close() //nolint:errcheck // only read: nothing depends on it
	p, err := lookAt(ctx, client, mapper, s)
	if err != nil {
		return nil, ofSource(err)
	}
	out := &ingest.DryRun{Server: conn.Server(), Database: conn.Database(), Plan: *p.plan}
	if len(p.plan.Relations) == 0 && len(p.plan.Refused) == 0 {
		return nil, ofSource(nothingFound(s.ID(), &ingest.Database{Server: out.Server, Name: out.Database}))
	}
	for i := range p.plan.Relations {
		sample, err := p.sample(ctx, &p.plan.Relations[i])
		if refusal := refusalOf(err); refusal != nil {
			out.Plan.Refused = append(out.Plan.Refused, ingest.RefusedRelation{
				Name: p.plan.Relations[i].Name, Table: p.plan.Relations[i].Table, Code: refusal.Code, Message: refusal.Message,
			})
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Samples = append(out.Samples, sample)
	}
	return out, nil
}

// sample reads the first rows of a relation.
func (p *planner) sample(ctx context.Context, rel *ingest.PlannedRelation) (ingest.Sample, error) {
	out := ingest.Sample{Relation: rel.Name, Table: rel.Table}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows := newConduit()
	read := make(chan error, 1)
	go func() {
		request := RequestFor(rel)
		request.Limit = sampleRows
		_, err := p.client.Read(ctx, request, rows, nil)
		rows.end(err)
		read <- err
	}()
	err := p.mapSample(rel, rows, &out)
	rows.abandon(err)
	cancel()
	if readErr := <-read; readErr != nil && refusalOf(err) == nil && (err != nil || out.Read < sampleRows) {
		return out, ofRelation(rel.Name, readErr)
	}
	return out, err
}

// mapSample maps the rows as an import would.
func (p *planner) mapSample(rel *ingest.PlannedRelation, rows *conduit, out *ingest.Sample) error {
	reader, err := p.mapper.OpenRelation(rel.Name, p.schema.Table(rel.Table), rows)
	if err != nil {
		return err
	}
	for out.Read < sampleRows && reader.Next() {
		out.Read++
		reject := reader.Refused()
		if reject == nil {
			continue
		}
		out.Rejected++
		if len(out.Rejects) < sampleRejects {
			told := *reject
			told.File, told.Table = rel.Name, rel.Table
			out.Rejects = append(out.Rejects, told)
		}
	}
	return reader.Err()
}
