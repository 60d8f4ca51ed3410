package loader_test

import (
	"encoding/json"
	"log/slog"
	"net/netip"
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

func (p *practice) sealed(id string) []byte {
	p.Helper()
	plain, err := json.Marshal(ingest.DatabaseSecret{ConnectionString: p.server.ConnectionString()})
	p.must(err)
	sealed, err := p.keyring.Seal(p.Context(), plain, ingest.SealedFor(acme, id))
	p.must(err)
	return sealed
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
		if err != nil || entry.Size != f.Size || !strings.HasSuffix(f.Path, ".csv.zst") {
			t.Errorf("%s in the archive: %+v, %v", f.Path, entry, err)
		}
	}
	for _, q := range p.server.Queries() {
		if strings.Contains(strings.ToUpper(q), "NOLOCK") {
			t.Errorf("it asked %s", q)
		}
	}
}
