package ingest_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
)

func TestPartKey(t *testing.T) {
	t.Parallel()
	id := ingest.NewImportID()
	at := time.Date(2026, 11, 22, 23, 59, 0, 0, time.FixedZone("", -3600))
	key := ingest.PartKey(at, "acme", id, 2, 31)
	if want := "database/20261123T00/acme/" + string(id) + "/2/31.csv.gz"; key != want {
		t.Errorf("the key is %s, want %s", key, want)
	}
	if !strings.HasPrefix(key, ingest.PartHour(at)) || ingest.PartHour(at.Add(time.Minute)) > ingest.PartHour(at.Add(time.Hour)) {
		t.Error("keys are not in the order of time")
	}
	tenant, of, ok := ingest.PartOf(key)
	if tenant != "acme" || of != id || !ok {
		t.Errorf("of %s: %s, %s, %v", key, tenant, of, ok)
	}
	for _, other := range []string{
		"", "database/", "drops/" + strings.TrimPrefix(key, "database/"), key + "/x", strings.Replace(key, "acme", "ACME", 1),
		strings.Replace(key, "import_", "drop_", 1), "database/acme/" + string(id) + "/2/31.csv.gz",
	} {
		if _, _, ok := ingest.PartOf(other); ok {
			t.Errorf("%q is taken for a part's key", other)
		}
	}
}

func TestPlanIsComplete(t *testing.T) {
	t.Parallel()
	done, open := ingest.PlannedRelation{Done: true, Rows: 3}, ingest.PlannedRelation{Rows: 4}
	refused := []ingest.RefusedRelation{{Name: "dbo.x"}}
	for name, c := range map[string]struct {
		plan ingest.DatabasePlan
		want bool
		rows int64
	}{
		"nothing found": {ingest.DatabasePlan{}, false, 0},
		"all refused":   {ingest.DatabasePlan{Refused: refused}, true, 0},
		"all read":      {ingest.DatabasePlan{Relations: []ingest.PlannedRelation{done, done}, Refused: refused}, true, 6},
		"half read":     {ingest.DatabasePlan{Relations: []ingest.PlannedRelation{done, open}}, false, 7},
		"too many rows": {ingest.DatabasePlan{Relations: []ingest.PlannedRelation{{Rows: 1<<63 - 1}, {Rows: 1<<63 - 1}, open}}, false, -1},
		"rows unknown":  {ingest.DatabasePlan{Relations: []ingest.PlannedRelation{done, {Rows: -1}}}, false, -1},
	} {
		if got, rows := c.plan.Complete(), c.plan.Rows(); got != c.want || rows != c.rows {
			t.Errorf("%s: complete %v of %d rows, want %v of %d", name, got, rows, c.want, c.rows)
		}
	}
}

// TestDatabaseSecretIsNotPrinted formats it in every way there is.
func TestDatabaseSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	secret := ingest.DatabaseSecret{ConnectionString: "Password=geheim", CertificateAuthority: "geheim"}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", secret, "pointer", &secret)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret, "pointer", &secret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{secret, &secret, []ingest.DatabaseSecret{secret}, struct{ S ingest.DatabaseSecret }{secret}} {
			fmt.Fprintf(&log, verb+"\n", v)
		}
	}
	if s := log.String(); strings.Contains(s, "geheim") || strings.Contains(s, fmt.Sprintf("%x", "geheim")) {
		t.Errorf("the secret is shown:\n%s", s)
	}
}
