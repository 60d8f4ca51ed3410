package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/mapping"
	"dropline/schema"
)

// planner finds out what of a database is to be read.
type planner struct {
	client database
	mapper *mapping.Mapper
	schema *schema.Schema
	found  []mssql.Relation
	plan   *ingest.DatabasePlan
	// known are the columns of what is read, for incremental reading.
	known map[string][]mssql.Column
}

// lookAt plans the reading of a database. Errors are of the database.
func lookAt(ctx context.Context, client database, mapper *mapping.Mapper, s *schema.Schema) (*planner, error) {
	survey, err := client.Survey(ctx)
	if err != nil {
		return nil, err
	}
	p := &planner{
		client: client, mapper: mapper, schema: s, found: survey.Relations, known: map[string][]mssql.Column{},
		plan: &ingest.DatabasePlan{
			Version: survey.Version, Isolation: survey.Isolation, IsolationNote: survey.IsolationNote, Notes: survey.Notes,
		},
	}
	if err := p.probe(ctx); err != nil {
		return nil, err
	}
	candidates := make([]mapping.Candidate, 0, len(p.found))
	for i := range p.found {
		r := &p.found[i]
		candidates = append(candidates, mapping.Candidate{Schema: r.Schema, Name: r.Name, View: r.Kind == "view"})
	}
	choice := mapper.Choose(candidates)
	p.plan.Ignored, p.plan.Missing = choice.Ignored, choice.Missing
	p.plan.Notes = append(p.plan.Notes, choice.Notes...)
	for _, r := range choice.Refused {
		p.plan.Refused = append(p.plan.Refused, ingest.RefusedRelation{Name: r.Name, Code: r.Code, Message: r.Message})
	}
	for i := range choice.Read {
		if err := p.add(ctx, &choice.Read[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Wanted tells which relations of a database a plan may have a use for, so that only those are looked at closely.
func Wanted(mapper *mapping.Mapper) func(schema, name string) bool {
	return func(schema, name string) bool {
		choice := mapper.Choose([]mapping.Candidate{{Schema: schema, Name: name}})
		return slices.ContainsFunc(choice.Read, func(r mapping.Relation) bool { return r.View == name })
	}
}

// probe asks for relations by name where the database does not list them: the schema's tables, if it lists nothing, and what
// the mapping names.
func (p *planner) probe(ctx context.Context) error {
	type name struct{ schema, relation string }
	var wanted []name
	if len(p.found) == 0 {
		for _, t := range p.schema.Tables {
			wanted = append(wanted, name{"", t.Name})
		}
	}
	for _, e := range p.mapper.DatabaseEntries() {
		if e.View != "" && !slices.ContainsFunc(p.found, func(r mssql.Relation) bool {
			return strings.EqualFold(r.Name, e.View) && (e.Schema == "" || strings.EqualFold(r.Schema, e.Schema))
		}) {
			wanted = append(wanted, name{e.Schema, e.View})
		}
	}
	for _, n := range wanted {
		r, there, err := p.client.Find(ctx, n.schema, n.relation)
		if err != nil {
			return err
		}
		if there {
			p.found = append(p.found, r)
		}
	}
	return nil
}

// add plans one relation, or says why it is refused.
func (p *planner) add(ctx context.Context, chosen *mapping.Relation) error {
	r := ingest.PlannedRelation{
		Name: chosen.Name, Table: chosen.Table.Name, Schema: chosen.Schema, View: chosen.View, Query: chosen.Query, Rows: -1,
	}
	columns, key, err := p.columns(ctx, chosen, &r)
	if refusal := refusalOf(err); refusal != nil {
		p.refuse(r, refusal.Code, refusal.Message)
		return nil
	}
	if err != nil {
		return err
	}
	header := make([]string, len(columns))
	for i, c := range columns {
		header[i] = c.Name
	}
	use, ignored, err := p.mapper.Columns(chosen.Name, chosen.Table, header)
	if refusal := refusalOf(err); refusal != nil {
		p.refuse(r, refusal.Code, refusal.Message)
		return nil
	}
	if err != nil {
		return err
	}
	for i, name := range header {
		if use[i] {
			r.Columns = append(r.Columns, name)
		}
	}
	r.Ignored = ignored
	if chosen.Key != "" {
		key = columnNamed(header, chosen.Key)
		if key == "" {
			p.refuse(r, ingest.CodeMissingColumn, fmt.Sprintf("%s has no column %q, which the mapping says is its key", r.Name, chosen.Key))
			return nil
		}
	}
	if r.Rows < 0 || r.Rows > p.client.PartRows() {
		r.Key = key
	}
	if r.Query == "" {
		r.SinceColumn = p.sinceColumn(chosen, columns, header)
	} else if chosen.Key != "" || chosen.Modified != "" {
		r.Key = ""
		p.plan.Notes = append(p.plan.Notes, r.Name+" is a query, which is always read whole: its key and modified are not used")
	}
	p.known[r.Name] = columns
	p.plan.Relations = append(p.plan.Relations, r)
	return nil
}

func (p *planner) refuse(r ingest.PlannedRelation, code, message string) {
	p.plan.Refused = append(p.plan.Refused, ingest.RefusedRelation{Name: r.Name, Table: r.Table, Code: code, Message: message})
}

// columns returns a relation's columns and its key, and counts its rows where they are known.
func (p *planner) columns(ctx context.Context, chosen *mapping.Relation, r *ingest.PlannedRelation) ([]mssql.Column, string, error) {
	if chosen.Query != "" {
		columns, err := p.client.Describe(ctx, chosen.Query)
		if err != nil && !mssql.IsLost(err) {
			return nil, "", &ingest.FileRefusal{
				Code: ingest.CodeUnreadable, Message: "the server refuses the mapping's query: " + ingest.MessageOf(err),
			}
		}
		return columns, "", err
	}
	for i := range p.found {
		f := &p.found[i]
		if f.Schema != chosen.Schema || f.Name != chosen.View {
			continue
		}
		if f.Denied {
			return nil, "", &ingest.FileRefusal{
				Code: ingest.CodeUnreadable, Message: fmt.Sprintf("the login may not read %s: grant it SELECT on it", chosen.Name),
			}
		}
		r.Rows = f.Rows
		return f.Columns, f.Key, nil
	}
	return nil, "", ingest.Errorf(ingest.Internal, "loader.plan", "%s was chosen and not found", chosen.Name)
}

// sinceColumn is the column by which the relation can be read incrementally, or "": the one the mapping names, a rowversion, or
// the one that feeds the schema's column of the last change.
func (p *planner) sinceColumn(chosen *mapping.Relation, columns []mssql.Column, header []string) string {
	if chosen.Modified != "" {
		return columnNamed(header, chosen.Modified)
	}
	for i := range columns {
		if columns[i].Rowversion {
			return columns[i].Name
		}
	}
	modified := chosen.Table.Modified()
	if modified == nil {
		return ""
	}
	for _, name := range header {
		if slices.Contains(modified.MatchNames(), schema.NormalizeName(name)) {
			return name
		}
	}
	return ""
}

// columnNamed finds a column as SQL Server does, whatever its case.
func columnNamed(header []string, name string) string {
	for _, h := range header {
		if strings.EqualFold(h, name) {
			return h
		}
	}
	return ""
}
