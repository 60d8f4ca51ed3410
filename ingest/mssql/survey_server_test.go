package mssql_test

import (
	"slices"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/internal/tdstest"
)

// practice are the tables of the tests that need faults of the test server's.
func practice() []tdstest.Table {
	matter := tdstest.Table{
		Name: "Matter", PrimaryKey: []string{"ImportId"},
		Columns: []tdstest.Column{
			{Name: "ImportId", Type: "int", NotNull: true},
			{Name: "Name", Type: "nvarchar(100)"},
			{Name: "Opened", Type: "date", NotNull: true},
			{Name: "Stamp", Type: "rowversion"},
		},
	}
	for i := range 100 {
		matter.Rows = append(matter.Rows, []any{i, "matter", morning, nil})
	}
	client := tdstest.Table{Name: "Client", Columns: []tdstest.Column{{Name: "ImportId", Type: "varchar(20)"}}, Rows: [][]any{{"a"}, {"b"}}}
	secret := tdstest.Table{Schema: "hr", Name: "Salary", Columns: []tdstest.Column{{Name: "Amount", Type: "money"}}, Rows: [][]any{{"1.0000"}}}
	diagrams := tdstest.Table{Name: "sysdiagrams", Columns: []tdstest.Column{{Name: "name", Type: "sysname"}}}
	diagrams.Columns[0].Type = "nvarchar(128)"
	view := tdstest.Table{Schema: "reports", Name: "Open Matters", View: true, Columns: []tdstest.Column{{Name: "ImportId", Type: "int"}}, Rows: [][]any{{1}, {2}, {3}}}
	return []tdstest.Table{matter, client, secret, diagrams, view}
}

func siteOf(s *tdstest.Server) site {
	return site{connection: s.ConnectionString(), roots: s.CAPEM(), schema: "dbo"}
}

func TestASurveyMakesDoWithWhatThereIs(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		for name, c := range map[string]struct {
			o      tdstest.Options
			noKey  bool
			listed bool
			noted  string
		}{
			"all":                   {listed: true},
			"no counts":             {o: tdstest.Options{ZeroPartitions: true}, listed: true},
			"no nullability":        {o: tdstest.Options{HideNullability: true}, listed: true},
			"no catalogue":          {o: tdstest.Options{NoCatalog: true}, listed: true, noKey: true, noted: "sys.tables cannot be read"},
			"no information schema": {o: tdstest.Options{NoInformationSchema: true}, listed: true, noted: "INFORMATION_SCHEMA.TABLES cannot be read"},
			"nothing":               {o: tdstest.Options{NoCatalog: true, NoInformationSchema: true}, noted: "no catalogue view lists any table"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				o := c.o
				o.Tables, o.Denied = practice(), []string{"hr.*"}
				s := tdstest.Start(t, o)
				client := way(siteOf(s)).open(t, mssql.Options{})
				survey, err := client.Survey(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if survey.Database != "practice" || survey.Server == "" || survey.Isolation == "" || survey.IsolationNote == "" {
					t.Errorf("%+v", survey)
				}
				if notes := strings.Join(survey.Notes, "\n"); !strings.Contains(notes, c.noted) || c.noted == "" && notes != "" {
					t.Errorf("notes: %q", survey.Notes)
				}
				if !c.listed {
					if len(survey.Relations) != 0 {
						t.Errorf("%v", survey.Relations)
					}
				} else {
					var names []string
					for i := range survey.Relations {
						names = append(names, survey.Relations[i].String())
					}
					// What may not be read at all is not in SQL Server's catalogue either.
					if want := []string{"dbo.Client", "dbo.Matter", "reports.Open Matters"}; !slices.Equal(names, want) {
						t.Fatalf("%q", names)
					}
					checkMatter(t, find(t, survey, "dbo", "Matter"), c.o, c.noKey)
					if r := find(t, survey, "reports", "Open Matters"); r.Kind != "view" || r.Rows != 3 || r.Key != "" {
						t.Errorf("%+v", r)
					}
				}
				r, ok, err := client.Find(t.Context(), "dbo", "Matter")
				if err != nil || !ok || r.Rows != 100 || len(r.Columns) != 4 || !r.Columns[3].Rowversion {
					t.Errorf("%+v, %v, %v", r, ok, err)
				}
				if r, ok, err = client.Find(t.Context(), "hr", "Salary"); err != nil || !ok || !r.Denied {
					t.Errorf("%+v, %v, %v", r, ok, err)
				}
				if _, ok, err = client.Find(t.Context(), "dbo", "Nothing"); err != nil || ok {
					t.Errorf("%v, %v", ok, err)
				}
			})
		}
	})
}

func checkMatter(t *testing.T, r mssql.Relation, o tdstest.Options, noKey bool) {
	t.Helper()
	if r.Kind != "table" || r.Rows != 100 || len(r.Columns) != 4 || (r.Key == "ImportId") == noKey {
		t.Fatalf("%+v", r)
	}
	for i, want := range []string{"int", "nvarchar(100)", "date", "rowversion"} {
		if c := r.Columns[i]; c.Type != want || c.Rowversion != (want == "rowversion") || c.Computed {
			t.Errorf("%+v, want %s", c, want)
		}
	}
	if !r.Columns[1].Nullable || r.Columns[2].Nullable != o.HideNullability {
		t.Errorf("nullability: %+v", r.Columns)
	}
}

func TestWhatIsDeniedIsAnErrorOfThatKind(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		s := tdstest.Start(t, tdstest.Options{Tables: practice(), Denied: []string{"hr.Salary"}, Snapshot: true})
		c := way(siteOf(s)).open(t, mssql.Options{})
		_, err := c.Read(t.Context(), mssql.Part{Schema: "hr", Name: "Salary"}, &strings.Builder{}, nil)
		if ingest.KindOf(err) != ingest.Denied || mssql.IsLost(err) {
			t.Errorf("%v", err)
		}
		if text, _ := read(t, c, mssql.Part{Schema: "dbo", Name: "Client"}); text != "ImportId\na\nb\n" {
			t.Errorf("%q", text)
		}
		if n := c.Snapshots(); n != 1 {
			t.Errorf("a refusal cost a snapshot: %d", n)
		}
	})
}

func TestRelationsThatNobodyWantsAreNotLookedAt(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		s := tdstest.Start(t, tdstest.Options{Tables: practice()})
		c := way(siteOf(s)).open(t, mssql.Options{Wanted: func(schema, name string) bool { return name == "Client" }})
		survey, err := c.Survey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r := find(t, survey, "dbo", "Matter"); len(r.Columns) != 0 || r.Rows != -1 || r.Denied {
			t.Errorf("%+v", r)
		}
		if r := find(t, survey, "dbo", "Client"); len(r.Columns) != 1 || r.Rows != 2 {
			t.Errorf("%+v", r)
		}
		for _, q := range s.Queries() {
			if strings.Contains(q, "[Matter]") {
				t.Errorf("asked: %s", q)
			}
		}
	})
}

func TestIsolationIsWhatTheDatabaseAllows(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		for name, c := range map[string]struct {
			o        tdstest.Options
			want     string // of the options
			level    string
			sessions int
			fails    bool
		}{
			"allowed":                      {tdstest.Options{Snapshot: true}, "", "snapshot", 1, false},
			"not allowed":                  {tdstest.Options{}, "", "read committed", 3, false},
			"row versions":                 {tdstest.Options{ReadCommittedSnapshot: true}, "auto", "read committed snapshot", 3, false},
			"not wanted":                   {tdstest.Options{Snapshot: true}, "read_committed", "read committed", 3, false},
			"demanded":                     {tdstest.Options{Snapshot: true}, "snapshot", "snapshot", 1, false},
			"demanded, not allowed":        {tdstest.Options{}, "snapshot", "", 0, true},
			"unknown, allowed":             {tdstest.Options{Snapshot: true, NoCatalog: true}, "", "snapshot", 1, false},
			"unknown, not allowed":         {tdstest.Options{NoCatalog: true}, "", "read committed", 3, false},
			"unknown, demanded, not to be": {tdstest.Options{NoCatalog: true}, "snapshot", "", 0, true},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c.o.Tables = practice()
				s := tdstest.Start(t, c.o)
				client, err := way(siteOf(s)).tryOpen(t, mssql.Options{Isolation: c.want})
				if err == nil {
					_, err = client.Read(t.Context(), mssql.Part{Schema: "dbo", Name: "Client"}, &strings.Builder{}, nil)
				}
				if c.fails {
					if ingest.KindOf(err) != ingest.Invalid {
						t.Errorf("%v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				level, note := client.Isolation()
				if level != c.level || note == "" || client.Sessions() != c.sessions || (client.Snapshots() == 1) != (level == "snapshot") {
					t.Errorf("%s (%s), %d sessions, %d snapshots", level, note, client.Sessions(), client.Snapshots())
				}
			})
		}
	})
}

func TestASnapshotIsOne(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, way func(site) site) {
		s := tdstest.Start(t, tdstest.Options{Tables: practice(), Snapshot: true})
		c := way(siteOf(s)).open(t, mssql.Options{})
		mark, err := c.HighMark(t.Context())
		if err != nil || mark == "" {
			t.Fatalf("%q, %v", mark, err)
		}
		if _, res := read(t, c, mssql.Part{Schema: "dbo", Name: "Client"}); res.Rows != 2 {
			t.Fatalf("%d rows", res.Rows)
		}
		if err := s.SetRows("Client", [][]any{{"new"}}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetRows("Matter", nil); err != nil {
			t.Fatal(err)
		}
		if text, _ := read(t, c, mssql.Part{Schema: "dbo", Name: "Client"}); text != "ImportId\na\nb\n" {
			t.Errorf("later: %q", text)
		}
		if _, res := read(t, c, mssql.Part{Schema: "dbo", Name: "Matter"}); res.Rows != 100 {
			t.Errorf("another table later: %d rows", res.Rows)
		}
		if again, _ := c.HighMark(t.Context()); again != mark {
			t.Errorf("the bound was %s and is %s", mark, again)
		}
		for _, q := range s.Queries() {
			if u := strings.ToUpper(q); strings.Contains(u, "NOLOCK") || strings.Contains(u, "WITH (") || strings.Contains(u, "INSERT") || strings.Contains(u, "UPDATE") {
				t.Errorf("asked: %s", q)
			}
		}
	})
}
