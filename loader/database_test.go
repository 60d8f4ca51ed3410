package loader_test

import (
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/sample"
	"dropline/internal/sampledb"
	"dropline/internal/seal"
	"dropline/internal/tdstest"
	"dropline/loader"
)

// practice is a house with a client's database and a key for connection strings.
type practice struct {
	*house
	server  *tdstest.Server
	keyring *seal.Keyring
	by      string // port by way of which the server is reached; "": its own
}

// newPractice makes a house and a database of those tables.
func newPractice(t *testing.T, limit float64, o tdstest.Options) *practice {
	t.Helper()
	h := newHouse(t, limit)
	path := t.TempDir() + "/secrets.key"
	h.must(seal.NewKeyFile(path))
	keyring, err := seal.OpenFile(path)
	h.must(err)
	p := &practice{house: h, server: tdstest.Start(t, o), keyring: keyring}
	h.databases = loader.Databases{
		Unseal: keyring.Open,
		Connections: mssql.Config{
			Policy: mssql.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, RootCAs: p.server.CAPEM(),
			Logger: slog.New(slog.DiscardHandler),
		},
	}
	return p
}

// sampleTables are the tables of the sample firm.
func sampleTables(t *testing.T, cfg sample.Config) []tdstest.Table {
	t.Helper()
	s, _ := newCatalogue().Lookup(ingest.DefaultSchema)
	tables, err := sampledb.Tables(t.Context(), s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// post asks for an import as the API does.
func (p *practice) post(o ingest.DatabaseOptions) ingest.ImportID {
	p.Helper()
	id := ingest.NewImportID()
	_, err := p.ledger.RequestImport(p.Context(), acme, id, ingest.Database{
		Server: "sql", Name: "practice", Options: o, Sealed: p.sealed(string(id)),
	}, "test")
	p.must(err)
	return id
}

func TestADatabaseIsImported(t *testing.T) {
	t.Parallel()
	p := newPractice(t, 0, tdstest.Options{Tables: sampleTables(t, sample.Config{Seed: 3}), Snapshot: true})
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Staged)
	want := int64(0)
	for _, table := range sampleTables(t, sample.Config{Seed: 3}) {
		want += int64(len(table.Rows))
	}
	if imp.Staged != want || imp.Read != want || imp.Rejected != 0 {
		t.Errorf("staged %d of %d rows, want %d", imp.Staged, imp.Read, want)
	}
	d := imp.Database
	if d.Plan.Isolation != "snapshot" || d.Snapshots != 1 || len(d.Plan.Missing) != 0 || len(d.Plan.Refused) != 0 || !d.Plan.Complete() {
		t.Errorf("the plan: %+v", d)
	}
	if _, _, err := p.ledger.Sealed(t.Context(), imp.ID); ingest.KindOf(err) != ingest.NotFound {
		t.Errorf("the connection string is kept: %v", err)
	}
	for _, f := range imp.Files {
		entry, err := p.ledger.Stat(t.Context(), acme, ingest.Archive+"/"+ingest.StemOf(imp)+f.Path)
		if err != nil || entry.Size != f.Size || !strings.HasSuffix(f.Path, ".csv.gz") {
			t.Errorf("%s in the archive: %+v, %v", f.Path, entry, err)
		}
	}
	entry, err := p.ledger.Stat(t.Context(), acme, ingest.Reports+"/"+ingest.StemOf(imp)+".receipt.json")
	p.must(err)
	receipt, _, err := p.bucket.Open(t.Context(), entry.Key, 0, -1, "")
	p.must(err)
	defer receipt.Close() //nolint:errcheck // read
	text, err := io.ReadAll(receipt)
	p.must(err)
	for _, want := range []string{`"isolation": "snapshot"`, `"relation": "dbo.Matter"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the receipt has no %s: %s", want, text)
		}
	}
	for _, q := range p.server.Queries() {
		if strings.Contains(strings.ToUpper(q), "NOLOCK") {
			t.Errorf("it asked %s", q)
		}
	}
}

// column finds a table's column.
func column(t *testing.T, tables []tdstest.Table, table, name string) (at *tdstest.Table, index int) {
	t.Helper()
	for i := range tables {
		if tables[i].Name != table {
			continue
		}
		for c := range tables[i].Columns {
			if tables[i].Columns[c].Name == name {
				return &tables[i], c
			}
		}
	}
	t.Fatalf("there is no %s.%s", table, name)
	return nil, 0
}

func TestRowsOfADatabaseAreRefusedWithTheirPlace(t *testing.T) {
	t.Parallel()
	tables := sampleTables(t, sample.Config{Seed: 3})
	matter, reference := column(t, tables, "Matter", "ClientId")
	matter.Rows[4][reference] = "nobody"
	note, text := column(t, tables, "MatterNote", "Subject")
	note.Columns[text].Type = "nvarchar(max)"
	note.Rows[2][text] = strings.Repeat("x", 5000)
	p := newPractice(t, 1, tdstest.Options{Tables: tables})
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Staged)
	rejects, _, err := p.ledger.SampleRejects(t.Context(), imp.ID, 1000)
	p.must(err)
	found := map[string]ingest.Reject{}
	for _, r := range rejects {
		found[r.File+" "+r.Code] = r
	}
	r := found["/database/dbo.Matter.csv.gz "+ingest.CodeMissingRef]
	if r.Record != 5 || r.Column != "ClientId" || r.Value != "nobody" || r.Table != "Matter" {
		t.Errorf("the reference: %+v of %v", r, rejects)
	}
	r = found["/database/dbo.MatterNote.csv.gz "+ingest.CodeTooLong]
	if r.Record != 3 || r.Column != "Subject" || !strings.HasPrefix(r.Value, "xxx") {
		t.Errorf("the text: %+v", r)
	}
	if imp.Rejected < 2 || imp.Read != imp.Staged+imp.Rejected {
		t.Errorf("read %d, staged %d, rejected %d", imp.Read, imp.Staged, imp.Rejected)
	}
}

func TestWhatADatabaseLacksIsTold(t *testing.T) {
	t.Parallel()
	all := sampleTables(t, sample.Config{Seed: 3})
	var tables []tdstest.Table
	for _, table := range all {
		switch table.Name {
		case "Office", "Employee", "MatterType", "TaskType":
			tables = append(tables, table)
		}
	}
	employee, _ := column(t, tables, "Employee", "ImportId")
	employee.Columns = append(employee.Columns, tdstest.Column{Name: "Shoe size", Type: "int"})
	for i := range employee.Rows {
		employee.Rows[i] = append(employee.Rows[i], 42)
	}
	kind, name := column(t, tables, "MatterType", "Name")
	kind.Columns[name].Name = "Bezeichnung"
	tables = append(tables, tdstest.Table{Name: "Payroll", Columns: []tdstest.Column{{Name: "Salary", Type: "money"}}})
	p := newPractice(t, 0, tdstest.Options{Tables: tables, Denied: []string{"dbo.TaskType"}})
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Rejected)
	plan := imp.Database.Plan
	if !slices.Contains(plan.Missing, "Matter") || slices.Contains(plan.Missing, "Office") || !slices.Equal(plan.Ignored, []string{"dbo.Payroll"}) {
		t.Errorf("missing %v, ignored %v", plan.Missing, plan.Ignored)
	}
	refused := map[string]ingest.ImportFile{}
	for _, f := range imp.Files {
		if f.State == ingest.FileRefused {
			refused[f.Relation] = f
		}
		if f.Relation == "dbo.Employee" && !slices.Equal(f.Ignored, []string{"Shoe size"}) {
			t.Errorf("ignored columns %v", f.Ignored)
		}
	}
	if f := refused["dbo.MatterType"]; f.Code != ingest.CodeMissingColumn || !strings.Contains(f.Error, "Name") {
		t.Errorf("a table without a required column: %+v", f)
	}
	if !slices.Contains(plan.Missing, "TaskType") { // what one may not read, one does not see
		t.Errorf("a table without permission is not missing: %v", plan.Missing)
	}
	if len(refused) != 1 || imp.Error == "" || imp.Hint == "" {
		t.Errorf("%d relations refused: %s, %s", len(refused), imp.Error, imp.Hint)
	}
	for _, q := range p.server.Queries() {
		if strings.Contains(q, "Shoe size") && strings.Contains(q, "SELECT [ImportId]") {
			t.Errorf("a column nobody needs is read: %s", q)
		}
	}
}

// What the catalogue does not tell is found out otherwise.
func TestADatabaseThatTellsNothing(t *testing.T) {
	t.Parallel()
	p := newPractice(t, 0, tdstest.Options{
		Tables: sampleTables(t, sample.Config{Seed: 3}), NoCatalog: true, NoInformationSchema: true, ZeroPartitions: true, HideNullability: true,
	})
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Staged)
	if imp.Staged != 5240 || len(imp.Database.Plan.Missing) != 0 {
		t.Errorf("staged %d, missing %v", imp.Staged, imp.Database.Plan.Missing)
	}
}

func TestAMappingNamesViewsAndQueries(t *testing.T) {
	t.Parallel()
	tables := sampleTables(t, sample.Config{Seed: 3})
	kept := tables[:0:0]
	for _, table := range tables {
		switch table.Name {
		case "Office":
			table.Schema, table.Name, table.View = "reporting", "vBranches", true
			kept = append(kept, table)
		case "TaskType", "MatterType":
			kept = append(kept, table)
		}
	}
	p := newPractice(t, 0, tdstest.Options{Tables: kept})
	_, err := p.ledger.PutMapping(t.Context(), acme, []byte(`version: 1
database:
  - view: reporting.vBranches
    table: Office
  - query: SELECT * FROM dbo.TaskType WHERE ImportId = 'TT-00001'
    name: first task
    table: TaskType
  - skip: dbo.MatterType
`), "test")
	p.must(err)
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Staged)
	got := map[string]int64{}
	for _, f := range imp.Files {
		got[f.Relation] = f.Staged
	}
	if len(got) != 2 || got["reporting.vBranches"] == 0 || got["first task"] != 1 {
		t.Errorf("staged %v; plan %+v", got, imp.Database.Plan)
	}
}

// Names that become one in a file's name stay apart.
func TestRelationsOfLikeNamesHaveFilesOfTheirOwn(t *testing.T) {
	t.Parallel()
	tables := sampleTables(t, sample.Config{Seed: 3})
	kept := tables[:0:0]
	for _, table := range tables {
		switch table.Name {
		case "Office":
			table.Name, table.View = "a/b", true
			kept = append(kept, table)
		case "TaskType":
			table.Name, table.View = "a_b", true
			kept = append(kept, table)
		}
	}
	p := newPractice(t, 0, tdstest.Options{Tables: kept})
	_, err := p.ledger.PutMapping(t.Context(), acme, []byte(`version: 1
database:
  - {view: "dbo.[a/b]", table: Office}
  - {view: "dbo.a_b", table: TaskType}
`), "test")
	p.must(err)
	p.work()
	imp := p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Staged)
	if len(imp.Files) != 2 || imp.Files[0].Path == imp.Files[1].Path {
		t.Fatalf("%+v", imp.Files)
	}
	for _, f := range imp.Files {
		entry, err := p.ledger.Stat(t.Context(), acme, ingest.Archive+"/"+ingest.StemOf(imp)+f.Path)
		if err != nil || entry.Drop != f.Drop {
			t.Errorf("%s in the archive: %+v, %v", f.Path, entry, err)
		}
	}
}
