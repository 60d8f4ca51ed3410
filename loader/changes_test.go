package loader_test

import (
	"testing"
	"time"

	"dropline/ingest"
	"dropline/loader"
)

// TestMarksStayBehindTheReading: a row that changed after it was read, while others were, has an earlier time than the last that
// was read.
func TestMarksStayBehindTheReading(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	ended := began.Add(3 * time.Hour)
	for name, c := range map[string]struct {
		rel  ingest.PlannedRelation
		want string
	}{
		"a time":                   {ingest.PlannedRelation{Mark: "2026-03-09T14:59:00.5"}, "2026-03-09T11:59:00.5"},
		"of a client to the east":  {ingest.PlannedRelation{Mark: "2026-03-10T00:59:00"}, "2026-03-09T21:59:00"},
		"with its zone":            {ingest.PlannedRelation{Mark: "2026-03-09T14:59:00+02:00"}, "2026-03-09T11:59:00+02:00"},
		"a day":                    {ingest.PlannedRelation{Mark: "2026-03-09"}, "2026-03-08"},
		"in the future":            {ingest.PlannedRelation{Mark: "2999-01-01T00:00:00"}, "2026-03-08T10:00:00"},
		"no earlier than it began": {ingest.PlannedRelation{Mark: "2026-03-09T14:59:00", Since: "2026-03-09T13:00:00"}, "2026-03-09T13:00:00"},
		"the first of all times":   {ingest.PlannedRelation{Mark: "0001-01-01T00:00:00"}, ""},
		"a number":                 {ingest.PlannedRelation{Mark: "4711"}, "4711"},
		"a row version":            {ingest.PlannedRelation{Mark: "0x0000000000000007", High: "0x0000000000000009"}, "0x0000000000000009"},
		"refused rows":             {ingest.PlannedRelation{Name: "refused", Mark: "2026-03-09T14:59:00", Since: "2026-03-01T00:00:00"}, "2026-03-01T00:00:00"},
	} {
		c.rel.SinceColumn = "Changed"
		plan := &ingest.DatabasePlan{Began: began, Relations: []ingest.PlannedRelation{c.rel}}
		if got := loader.Marks(plan, map[string]bool{"refused": true}, ended)[c.rel.Name].Value; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	old := &ingest.DatabasePlan{Relations: []ingest.PlannedRelation{{SinceColumn: "Changed", Mark: "2026-03-09T14:59:00"}}}
	if got := loader.Marks(old, nil, ended)[""].Value; got != "2026-03-09T14:59:00" {
		t.Errorf("of a plan that does not say when it was made: %q", got)
	}
}
