package loader_test

import (
	"encoding/json"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/internal/sample"
	"dropline/internal/tdstest"
)

// Databases whose servers hand out nothing, each read over several connections, are not in the way of another tenant's.
func TestSlowServersAreNotInTheWayOfOthers(t *testing.T) {
	t.Parallel()
	tables := sampleTables(t, sample.Config{Seed: 3})
	p := newPractice(t, 1, tdstest.Options{Tables: tables})
	slow := tdstest.Start(t, tdstest.Options{Tables: tables, Faults: tdstest.Faults{StallAfterRows: 1, StallFor: time.Hour}})
	p.work()
	for _, tenant := range []ingest.TenantID{"slow_a", "slow_b", "slow_c"} {
		_, err := p.ledger.CreateTenant(t.Context(), ingest.Tenant{
			ID: tenant, Name: string(tenant), Schema: ingest.DefaultSchema, TimeZone: "UTC", Enabled: true, RejectLimit: 1,
		})
		p.must(err)
		id := ingest.NewImportID()
		plain, err := json.Marshal(ingest.DatabaseSecret{ConnectionString: slow.ConnectionString() + ";TrustServerCertificate=True"})
		p.must(err)
		sealed, err := p.keyring.Seal(t.Context(), plain, ingest.SealedFor(tenant, string(id)))
		p.must(err)
		_, err = p.ledger.RequestImport(t.Context(), tenant, id, ingest.Database{Server: "sql", Name: "slow", Sealed: sealed}, "test")
		p.must(err)
		for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			imp, err := p.ledger.Import(t.Context(), tenant, id)
			p.must(err)
			if len(imp.Files) > 0 || imp.Database.Plan != nil {
				break
			}
			if imp.State == ingest.Failed || time.Since(began) > 30*time.Second {
				t.Fatalf("%s: %s", imp.State, imp.Error)
			}
		}
	}
	time.Sleep(time.Second) // so that they have in hand what they may
	p.untilState(p.post(ingest.DatabaseOptions{}), ingest.Staged)
}
