package api_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"dropline/api"
	"dropline/ingest"
)

// marker is a password that must be nowhere but in what is sealed.
const marker = "hunter2-Marker!"

// goodString is a connection string that fakeDatabases takes.
const goodString = "Server=tcp:sql.example.org,1433;Database=Practice;User Id=reader;Password=" + marker + ";Encrypt=True"

// fakeDatabases stands for the client's servers and the key for connection strings.
type fakeDatabases struct {
	mu      sync.Mutex
	calls   []string // what was done, without secrets
	broken  error    // of the key
	dryRun  func(ctx context.Context, secret ingest.DatabaseSecret) (*ingest.DryRun, error)
	options ingest.DatabaseOptions // of the last dry run
	secret  ingest.DatabaseSecret  // of the last dry run
}

// badKey is an error that names a key of a connection string, as cmd hands it in.
type badKey struct {
	key string
	error
}

func (e *badKey) ConnectionKey() string { return e.key }

// ofSource marks an error of the client's database.
type ofSource struct{ error }

func (*ofSource) OfSource() bool  { return true }
func (e *ofSource) Unwrap() error { return e.error }

// newFakeDatabases returns the fake and the change of a fixture that uses it.
func newFakeDatabases() (*fakeDatabases, func(*api.Config)) {
	d := &fakeDatabases{}
	return d, func(c *api.Config) {
		c.Databases = &api.Databases{
			Check: d.check, Seal: d.seal, Unseal: d.unseal, DryRun: d.run, Egress: []string{"198.51.100.7/32"},
		}
	}
}

func (d *fakeDatabases) check(text string) (server, database string, err error) {
	d.note("check")
	invalid := func(key, reason string) error {
		return ingest.WithHint(ingest.E(ingest.Invalid, "fake", &badKey{key, errors.New("connection string: " + key + ": " + reason)}), "correct it")
	}
	switch {
	case strings.Contains(text, "Encrypt=perhaps"):
		return "", "", invalid("Encrypt", "it is yes, no or strict")
	case strings.Contains(text, "Server=10.0.0.1"):
		return "", "", ingest.WithHint(ingest.E(ingest.Denied, "fake", &badKey{"Server", errors.New("10.0.0.1 is a private address")}), "ask the operator")
	case strings.Contains(text, "odd"):
		return "", "", invalid("odd/../key\r\n", "there is no such key")
	case !strings.Contains(text, "Server="):
		return "", "", invalid("", "it names no server")
	}
	return "sql.example.org,1433", "Practice", nil
}

func (d *fakeDatabases) note(call string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, call)
}

// seal hides a secret as well as a fake must, and keeps what it is bound to beside it.
func (d *fakeDatabases) seal(_ context.Context, plain []byte, bound string) ([]byte, error) {
	d.note("seal")
	if d.broken != nil {
		return nil, d.broken
	}
	return append([]byte(bound+"\n"), flipped(plain)...), nil
}

func (d *fakeDatabases) unseal(_ context.Context, sealed []byte, bound string) ([]byte, error) {
	d.note("unseal")
	if d.broken != nil {
		return nil, d.broken
	}
	rest, ok := strings.CutPrefix(string(sealed), bound+"\n")
	if !ok {
		return nil, ingest.Errorf(ingest.Internal, "fake", "sealed for something else")
	}
	return flipped([]byte(rest)), nil
}

func flipped(b []byte) []byte {
	out := slices.Clone(b)
	for i := range out {
		out[i] ^= 0x55
	}
	return out
}

func (d *fakeDatabases) run(ctx context.Context, _ ingest.TenantID, secret ingest.DatabaseSecret, o ingest.DatabaseOptions) (*ingest.DryRun, error) {
	d.note("dry-run")
	d.mu.Lock()
	d.options, d.secret = o, secret
	d.mu.Unlock()
	if d.dryRun != nil {
		return d.dryRun(ctx, secret)
	}
	return aDryRun(), nil
}

// aPlan has two relations, of one of which the rows are not known.
func aPlan() ingest.DatabasePlan {
	return ingest.DatabasePlan{
		Version: "Microsoft SQL Server 2022", Isolation: "snapshot", IsolationNote: "the database allows it",
		Relations: []ingest.PlannedRelation{
			{Name: "dbo.Matter", Table: "Matter", Columns: []string{"ImportId", "Title"}, Ignored: []string{"Secret"}, Rows: 120, Parts: 1, Done: true},
			{Name: "dbo.vClient", Table: "Client", Columns: []string{"ImportId"}, Rows: -1, Since: "0x00000000000007D1"},
		},
		Ignored: []string{"dbo.Audit"}, Missing: []string{"WorkItem"}, Notes: []string{"sys.partitions cannot be read"},
	}
}

func aDryRun() *ingest.DryRun {
	return &ingest.DryRun{
		Server: "sql.example.org,1433", Database: "Practice", Plan: aPlan(),
		Samples: []ingest.Sample{{
			Relation: "dbo.Matter", Table: "Matter", Read: 200, Rejected: 1,
			Rejects: []ingest.Reject{{File: "dbo.Matter", Table: "Matter", Record: 7, Column: "Title", Code: "too_long", Message: "it is too long"}},
		}},
	}
}

// The part of the fake ledger that is ingest.Databases.

func (f *fakeLedger) AddSource(_ context.Context, s ingest.Source) (ingest.Source, error) {
	defer f.lock()()
	if _, ok := f.tenants[s.Tenant]; !ok {
		return s, absent("tenant")
	}
	if strings.TrimSpace(s.Name) != s.Name {
		return s, ingest.Errorf(ingest.Invalid, "fake", "%q cannot be a source's name", s.Name)
	}
	for _, other := range f.sources {
		if other.Tenant == s.Tenant && other.Name == s.Name {
			return s, ingest.WithHint(ingest.Errorf(ingest.Conflict, "fake", "the tenant has a source %q already", s.Name), "take another name")
		}
	}
	s.CreatedAt, s.ChangedAt = f.clock(), f.clock()
	f.sources = append(f.sources, s)
	return s, f.broken
}

func (f *fakeLedger) findSource(t ingest.TenantID, id ingest.SourceID) (*ingest.Source, error) {
	for i := range f.sources {
		if f.sources[i].ID == id && f.sources[i].Tenant == t {
			return &f.sources[i], f.broken
		}
	}
	return nil, absent("source")
}

func (f *fakeLedger) Source(_ context.Context, t ingest.TenantID, id ingest.SourceID) (ingest.Source, error) {
	defer f.lock()()
	s, err := f.findSource(t, id)
	if err != nil {
		return ingest.Source{}, err
	}
	return *s, nil
}

func (f *fakeLedger) ListSources(_ context.Context, t ingest.TenantID) ([]ingest.Source, error) {
	defer f.lock()()
	var out []ingest.Source
	for _, s := range f.sources {
		if s.Tenant == t {
			out = append(out, s)
		}
	}
	return out, f.broken
}

func (f *fakeLedger) ChangeSource(_ context.Context, t ingest.TenantID, id ingest.SourceID, c ingest.SourceChange) (ingest.Source, error) {
	defer f.lock()()
	s, err := f.findSource(t, id)
	if err != nil {
		return ingest.Source{}, err
	}
	set(&s.Name, c.Name)
	set(&s.Isolation, c.Isolation)
	if c.Sealed != nil {
		s.Sealed, s.Server, s.Database = c.Sealed, c.Server, c.Database
	}
	return *s, nil
}

func (f *fakeLedger) RemoveSource(_ context.Context, t ingest.TenantID, id ingest.SourceID) error {
	defer f.lock()()
	if _, err := f.findSource(t, id); err != nil {
		return err
	}
	f.sources = slices.DeleteFunc(f.sources, func(s ingest.Source) bool { return s.ID == id })
	return nil
}

func (f *fakeLedger) RequestImport(_ context.Context, t ingest.TenantID, id ingest.ImportID, d ingest.Database, by string) (ingest.Import, error) {
	defer f.lock()()
	tenant, ok := f.tenants[t]
	switch {
	case f.broken != nil:
		return ingest.Import{}, f.broken
	case !ok:
		return ingest.Import{}, absent("tenant")
	case !tenant.Enabled:
		return ingest.Import{}, ingest.WithHint(ingest.Errorf(ingest.Denied, "fake", "the tenant %s is switched off", t), "switch it on first")
	}
	if d.Source != "" {
		s, err := f.findSource(t, d.Source)
		if err != nil {
			return ingest.Import{}, err
		}
		d.Server, d.Name, s.LastID = s.Server, s.Database, id
	}
	f.imports = append(f.imports, ingest.Import{
		ID: id, Seq: int64(len(f.imports) + 1), Tenant: t, Schema: ingest.DefaultSchema, State: ingest.Queued, CreatedAt: f.clock(), Database: &d,
	})
	f.requests = append(f.requests, fmt.Sprintf("import %s from %s by %s", id, d.Server, by))
	return f.imports[len(f.imports)-1], nil
}
